"""Networks from papers, assembled from cells and layers; one file a paper."""

from unrolled.models.bigram import BigramLanguageModel, bigram_nats
from unrolled.models.causal_small import CausalSmall
from unrolled.models.language_model import RecurrentLanguageModel
from unrolled.models.min_char_rnn import MinCharRNN, MinCharRNNState
from unrolled.models.recurrent_classifier import RecurrentClassifier
from unrolled.models.show_attend_tell import AttentionOutput, Memory, ShowAttendTell
from unrolled.models.tcn import TCN, TCNLanguageModel
from unrolled.models.transformer import CausalTransformerLanguageModel

__all__ = [
    "TCN",
    "AttentionOutput",
    "BigramLanguageModel",
    "CausalSmall",
    "CausalTransformerLanguageModel",
    "Memory",
    "MinCharRNN",
    "MinCharRNNState",
    "RecurrentClassifier",
    "RecurrentLanguageModel",
    "ShowAttendTell",
    "TCNLanguageModel",
    "bigram_nats",
]
