"""Networks from papers, assembled from cells and layers; one file a paper."""

from unrolled.models.bigram import BigramLanguageModel, bigram_nats
from unrolled.models.captioner import (
    Captioner,
    CaptionOutput,
    Objective,
    PooledMemory,
)
from unrolled.models.causal_r2plus1d import (
    CausalR2Plus1D,
    CausalR2Plus1DBlock,
    R2Plus1DBlockState,
)
from unrolled.models.causal_small import CausalSmall
from unrolled.models.causal_x3d import CausalX3D
from unrolled.models.convlstm import ConvLSTMForecaster
from unrolled.models.equal_parameters import hidden_size_for
from unrolled.models.gru_rcn import GRURCN, GRURCNState
from unrolled.models.language_model import RecurrentLanguageModel
from unrolled.models.lrcn import LRCN
from unrolled.models.lrcn_captioner import LRCNCaptioner
from unrolled.models.m_rnn import MRNN
from unrolled.models.mean_pool_captioner import MeanPoolCaptioner
from unrolled.models.min_char_rnn import MinCharRNN, MinCharRNNState
from unrolled.models.minds_eye import MindsEye, MindsEyeMemory, MindsEyeOutput, MindsEyeState
from unrolled.models.neural_talk import NeuralTalk, NeuralTalkState
from unrolled.models.picture_captioner import PictureCaptioner
from unrolled.models.profile_lstm import ProfileLSTM
from unrolled.models.recurrent_classifier import RecurrentClassifier
from unrolled.models.s2vt import S2VT, S2VTState
from unrolled.models.show_and_tell import ShowAndTell
from unrolled.models.show_attend_tell import AttentionOutput, Memory, ShowAttendTell
from unrolled.models.show_attend_tell_hard import (
    HardAttentionOutput,
    HardAttentionState,
    HardShowAttendTell,
)
from unrolled.models.tcn import TCN, TCNLanguageModel
from unrolled.models.temporal_attention import TemporalAttention
from unrolled.models.transformer import CausalTransformerLanguageModel

__all__ = [
    "GRURCN",
    "LRCN",
    "MRNN",
    "S2VT",
    "TCN",
    "AttentionOutput",
    "BigramLanguageModel",
    "CaptionOutput",
    "Captioner",
    "CausalR2Plus1D",
    "CausalR2Plus1DBlock",
    "CausalSmall",
    "CausalTransformerLanguageModel",
    "CausalX3D",
    "ConvLSTMForecaster",
    "GRURCNState",
    "HardAttentionOutput",
    "HardAttentionState",
    "HardShowAttendTell",
    "LRCNCaptioner",
    "MeanPoolCaptioner",
    "Memory",
    "MinCharRNN",
    "MinCharRNNState",
    "MindsEye",
    "MindsEyeMemory",
    "MindsEyeOutput",
    "MindsEyeState",
    "NeuralTalk",
    "NeuralTalkState",
    "Objective",
    "PictureCaptioner",
    "PooledMemory",
    "ProfileLSTM",
    "R2Plus1DBlockState",
    "RecurrentClassifier",
    "RecurrentLanguageModel",
    "S2VTState",
    "ShowAndTell",
    "ShowAttendTell",
    "TCNLanguageModel",
    "TemporalAttention",
    "bigram_nats",
    "hidden_size_for",
]
