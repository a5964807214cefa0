"""The table of examples: one small instance of every public module, for every check.

A public class without a line here fails the coverage test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.cells import (
    CIFG,
    FGR,
    GRU,
    LSTM,
    LSTM1997,
    MUT1,
    MUT2,
    MUT3,
    NFG,
    NIAF,
    NIG,
    NOAF,
    NOG,
    NP,
    RNN,
    ConvGRU,
    ConvLSTM,
    ConvRNN,
    LayerNormLSTM,
    LinearMemory,
    PeepholeLSTM,
)
from unrolled.encoders import VGG16, PlainCNN, ResNet18
from unrolled.layers import (
    BatchNorm,
    CausalConv1d,
    CausalConv3d,
    CausalMaxPool,
    CausalMeanPool,
    CausalSelfAttention,
    Dropout,
    Embedding,
    LayerNorm,
    Linear,
    PerClip,
    PerFrame,
    Residual,
    RunningMean,
    Serial,
)
from unrolled.models import (
    GRURCN,
    LRCN,
    MRNN,
    S2VT,
    TCN,
    BigramLanguageModel,
    Captioner,
    CausalR2Plus1D,
    CausalR2Plus1DBlock,
    CausalSmall,
    CausalTransformerLanguageModel,
    CausalX3D,
    HardShowAttendTell,
    LRCNCaptioner,
    MeanPoolCaptioner,
    MinCharRNN,
    MindsEye,
    NeuralTalk,
    ProfileLSTM,
    RecurrentClassifier,
    RecurrentLanguageModel,
    ShowAndTell,
    ShowAttendTell,
    TCNLanguageModel,
    TemporalAttention,
)
from unrolled.recurrence import Recurrence, RecurrenceT
from unrolled.state import Tree


@dataclass(frozen=True)
class Example:
    """A module, an input for it, and a context where it takes one.

    Args:
        name: what the tests call it.
        build: makes the module; its weights are drawn from torch's generator.
        x: makes an input, of distinct prime sizes.
        context: makes what ``given`` binds, from the module and the batch size.
    """

    name: str
    build: Callable[[], Recurrence[Any, Any, Any, Any]]
    x: Callable[[], Tensor]
    context: Callable[[Any, int], Tree] | None = None


def floats(*shape: int) -> Callable[[], Tensor]:
    """Draw an input from N(0, 1)."""
    return lambda: torch.randn(shape)


def tokens(*shape: int, below: int) -> Callable[[], Tensor]:
    """Draw tokens."""
    return lambda: torch.randint(below, shape)


def _nested() -> Serial:
    inner = Serial(LSTM(5, 6), Dropout(0.3, period=None))
    strided = CausalConv1d(3, 5, kernel_size=3, stride=2)
    return Serial(strided, inner, CausalSelfAttention(6, 2, window=3), Linear(6, 7))


def _frames() -> PerFrame:
    conv = nn.Conv2d(2, 3, kernel_size=3, padding=1)
    return PerFrame(nn.Sequential(conv, nn.BatchNorm2d(3), nn.ReLU(), nn.AvgPool2d(2)))


def _awake(module: RecurrenceT) -> RecurrenceT:
    """Raise biases and the like: few units could all be 0, which is where a ReLU has no slope."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim == 1:
                parameter.uniform_(0.2, 1.0)
    return module


def _gru_rcn(*, stacked: bool, frozen: bool = False) -> GRURCN:
    network, sizes = VGG16(width=1, hidden_size=3), (2, 3, 2, 3, 5)
    return _awake(GRURCN(5, hidden_sizes=sizes, stacked=stacked, network=network, frozen=frozen))


def _memory(decoder: Captioner[Any, Any, Any], batch_size: int) -> Tree:
    memory: Tree = decoder.remember(torch.randn(batch_size, 13, 7))
    return memory


def _hard(*, evaluation: str) -> HardShowAttendTell:
    return HardShowAttendTell(
        11, 7, embedding_size=3, hidden_size=5, attention_size=2, evaluation=evaluation
    )


EXAMPLES = [
    Example("lstm", lambda: LSTM(5, 7), floats(3, 11, 5)),
    Example("lstm_no_bias", lambda: LSTM(5, 7, bias=False), floats(3, 7, 5)),
    Example("rnn", lambda: RNN(5, 7), floats(3, 11, 5)),
    Example("rnn_relu", lambda: RNN(5, 7, nonlinearity="relu", bias=False), floats(3, 7, 5)),
    Example(
        "irnn",
        lambda: RNN(5, 7, nonlinearity="relu", recurrent_init="identity"),
        floats(2, 5, 5),
    ),
    Example("gru", lambda: GRU(5, 7), floats(3, 11, 5)),
    Example("gru_no_bias", lambda: GRU(5, 7, bias=False, update="write"), floats(3, 7, 5)),
    Example("gru_reset_before", lambda: GRU(5, 7, reset="before"), floats(3, 7, 5)),
    Example(
        "gru_reset_before_no_bias",
        lambda: GRU(5, 7, reset="before", update="write", bias=False),
        floats(3, 7, 5),
    ),
    Example("lstm1997", lambda: LSTM1997(5, 7), floats(3, 11, 5)),
    Example("peephole_lstm", lambda: PeepholeLSTM(5, 7), floats(3, 11, 5)),
    Example("nig", lambda: NIG(5, 7), floats(3, 7, 5)),
    Example("nfg", lambda: NFG(5, 7), floats(3, 7, 5)),
    Example("nog", lambda: NOG(5, 7), floats(3, 7, 5)),
    Example("niaf", lambda: NIAF(5, 7), floats(3, 7, 5)),
    Example("noaf", lambda: NOAF(5, 7), floats(3, 7, 5)),
    Example("np", lambda: NP(5, 7), floats(3, 7, 5)),
    Example("cifg", lambda: CIFG(5, 7), floats(3, 7, 5)),
    Example("fgr", lambda: FGR(5, 7), floats(3, 7, 5)),
    Example("mut1", lambda: MUT1(5, 5), floats(3, 7, 5)),
    Example("mut1_project", lambda: MUT1(5, 7, project=True), floats(3, 7, 5)),
    Example("mut2", lambda: MUT2(5, 5), floats(3, 7, 5)),
    Example("mut2_project", lambda: MUT2(5, 7, project=True), floats(3, 7, 5)),
    Example("mut3", lambda: MUT3(5, 7), floats(3, 11, 5)),
    Example("linear_memory", lambda: LinearMemory(5, 7), floats(3, 11, 5)),
    # Many inputs and few steps: a row with little variance magnifies the rounding of float32.
    Example("layer_norm_lstm", lambda: LayerNormLSTM(11, 7), floats(3, 5, 11)),
    Example("min_char_rnn", lambda: MinCharRNN(11, 7), tokens(3, 7, below=11)),
    Example("causal_conv", lambda: CausalConv1d(5, 7, kernel_size=3, dilation=2), floats(3, 11, 5)),
    Example(
        "causal_conv_strided",
        lambda: CausalConv1d(5, 7, kernel_size=3, dilation=3, stride=2),
        floats(3, 14, 5),
    ),
    Example("causal_conv_pointwise", lambda: CausalConv1d(5, 7, kernel_size=1), floats(3, 5, 5)),
    Example("dropout", lambda: Dropout(0.3), floats(3, 7, 5)),
    Example("dropout_sequence", lambda: Dropout(0.3, period=None), floats(3, 7, 5, 2)),
    Example("dropout_period", lambda: Dropout(0.3, period=3), floats(3, 7, 5)),
    Example("conv_lstm", lambda: ConvLSTM(2, 3), floats(3, 5, 2, 5, 7)),
    Example("conv_lstm_other_size", lambda: ConvLSTM(2, 3), floats(2, 5, 2, 11, 3)),
    Example(
        "conv_lstm_no_peephole",
        lambda: ConvLSTM(2, 3, kernel_size=1, peephole=False),
        floats(2, 5, 2, 3, 5),
    ),
    Example("conv_rnn", lambda: ConvRNN(2, 3), floats(3, 5, 2, 5, 7)),
    Example(
        "conv_rnn_relu",
        lambda: ConvRNN(2, 3, kernel_size=1, nonlinearity="relu", bias=False),
        floats(2, 5, 2, 3, 5),
    ),
    Example("conv_gru", lambda: ConvGRU(2, 3), floats(3, 5, 2, 5, 7)),
    Example(
        "conv_gru_as_torch",
        lambda: ConvGRU(2, 3, reset="after", update="keep", bias=False),
        floats(2, 5, 2, 3, 5),
    ),
    Example(
        "causal_conv3d",
        lambda: CausalConv3d(2, 3, kernel_size=(3, 3, 3), spatial_stride=2),
        floats(3, 5, 2, 5, 7),
    ),
    Example(
        "causal_conv3d_dilated",
        lambda: CausalConv3d(2, 3, kernel_size=(3, 1, 1), dilation=2, bias=False),
        floats(2, 7, 2, 3, 5),
    ),
    Example(
        "causal_conv3d_depthwise",
        lambda: CausalConv3d(3, 3, kernel_size=(2, 3, 3), groups=3),
        floats(3, 5, 3, 5, 7),
    ),
    Example(
        "causal_conv3d_one_frame",
        lambda: CausalConv3d(2, 3, kernel_size=(1, 3, 3)),
        floats(2, 3, 2, 3, 5),
    ),
    Example("batch_norm", lambda: BatchNorm(2), floats(3, 5, 2, 3, 7)),
    Example("causal_max_pool", lambda: CausalMaxPool(3), floats(3, 7, 2, 5)),
    Example("causal_mean_pool", lambda: CausalMeanPool(3), floats(3, 7, 2, 5)),
    Example(
        "causal_small",
        lambda: CausalSmall(class_count=5, widths=(3, 5, 7), hidden_size=11),
        floats(2, 5, 3, 17, 19),
    ),
    Example(
        "causal_r2plus1d_block",
        lambda: CausalR2Plus1DBlock(2, 3, spatial_stride=2, dilations=(1, 2)),
        floats(2, 5, 2, 5, 7),
    ),
    Example("causal_r2plus1d", lambda: _awake(CausalR2Plus1D(5, width=1)), floats(2, 3, 3, 9, 11)),
    Example(
        "causal_x3d",
        lambda: _awake(CausalX3D(5, widths=(3, 4), depths=(1, 2), head_size=7, window=2)),
        floats(2, 5, 3, 11, 13),
    ),
    Example(
        "causal_x3d_all_frames",
        lambda: _awake(CausalX3D(5, widths=(2,), depths=(1,), head_size=3, window=None)),
        floats(2, 3, 3, 11, 13),
    ),
    Example(
        "lrcn",
        lambda: _awake(LRCN(5, network=ResNet18(width=1), hidden_size=7)),
        floats(2, 3, 3, 17, 19),
    ),
    Example(
        "lrcn_frozen",
        lambda: _awake(
            LRCN(5, network=PlainCNN(width=2), hidden_size=7, num_layers=2, frozen=True)
        ),
        floats(2, 3, 3, 17, 19),
    ),
    Example("gru_rcn", lambda: _gru_rcn(stacked=False), floats(2, 3, 3, 33, 37)),
    Example("gru_rcn_stacked", lambda: _gru_rcn(stacked=True), floats(2, 3, 3, 33, 37)),
    Example("gru_rcn_frozen", lambda: _gru_rcn(stacked=True, frozen=True), floats(2, 3, 3, 33, 37)),
    *(
        Example(name, build, tokens(3, 5, below=11), _memory)
        for name, build in (
            ("show_and_tell", lambda: ShowAndTell(11, 7, embedding_size=3, hidden_size=5)),
            ("neural_talk", lambda: _awake(NeuralTalk(11, 7, embedding_size=3, hidden_size=5))),
            (
                "neural_talk_always",
                lambda: NeuralTalk(
                    11,
                    7,
                    embedding_size=3,
                    hidden_size=5,
                    feed_image="always",
                    nonlinearity="tanh",
                ),
            ),
            (
                "m_rnn",
                lambda: _awake(MRNN(11, 7, embedding_size=3, hidden_size=5, multimodal_size=2)),
            ),
            ("lrcn_captioner", lambda: LRCNCaptioner(11, 7, embedding_size=3, hidden_size=5)),
            (
                "lrcn_captioner_unfactored",
                lambda: LRCNCaptioner(11, 7, embedding_size=3, hidden_size=5, factored=False),
            ),
            ("minds_eye", lambda: MindsEye(11, 7, embedding_size=3, hidden_size=5)),
            (
                "show_attend_tell",
                lambda: ShowAttendTell(11, 7, embedding_size=3, hidden_size=5, attention_size=2),
            ),
            ("show_attend_tell_hard", lambda: _hard(evaluation="argmax")),
            ("show_attend_tell_expectation", lambda: _hard(evaluation="expectation")),
            (
                "mean_pool_captioner",
                lambda: MeanPoolCaptioner(11, 7, embedding_size=3, hidden_size=5),
            ),
            ("s2vt", lambda: S2VT(11, 7, embedding_size=3, hidden_size=5)),
            (
                "temporal_attention",
                lambda: TemporalAttention(11, 7, embedding_size=3, hidden_size=5, attention_size=2),
            ),
        )
    ),
    Example("bigram", lambda: BigramLanguageModel(11), tokens(3, 7, below=11)),
    Example(
        "recurrent_language_model",
        lambda: RecurrentLanguageModel(
            11, embedding_size=3, hidden_size=5, num_layers=2, dropout=0.3
        ),
        tokens(3, 7, below=11),
    ),
    Example(
        "profile_lstm",
        lambda: ProfileLSTM(3, input_size=26, width=2, hidden_size=5),
        floats(2, 5, 26),
    ),
    Example(
        "recurrent_classifier",
        lambda: RecurrentClassifier(3, input_size=2, hidden_size=5, num_layers=2, dropout=0.3),
        floats(3, 7, 2),
    ),
    Example("self_attention", lambda: CausalSelfAttention(6, 2, window=3), floats(3, 7, 6)),
    Example("self_attention_wide", lambda: CausalSelfAttention(6, 3, window=13), floats(3, 7, 6)),
    Example("embedding", lambda: Embedding(11, 5), tokens(3, 7, below=11)),
    Example("linear", lambda: Linear(5, 7), floats(3, 7, 5)),
    Example("layer_norm", lambda: LayerNorm(5), floats(3, 7, 5)),
    Example("per_frame", _frames, floats(3, 7, 2, 5, 11)),
    Example("per_clip", lambda: PerClip(nn.Flatten(), clip_frames=3), floats(2, 12, 5)),
    Example("running_mean", RunningMean, floats(3, 7, 5)),
    Example("running_mean_frames", RunningMean, floats(2, 7, 2, 3, 5)),
    Example("residual", lambda: Residual(Serial(LSTM(5, 5), Dropout(0.3))), floats(3, 7, 5)),
    Example(
        "residual_skip",
        lambda: Residual(ConvLSTM(2, 3), PerFrame(nn.Conv2d(2, 3, kernel_size=1))),
        floats(2, 5, 2, 3, 5),
    ),
    Example(
        "tcn",
        lambda: TCN(2, 11, hidden_size=5, num_levels=2, kernel_size=2, dropout=0.3),
        floats(3, 7, 2),
    ),
    Example(
        "tcn_one_convolution",
        lambda: TCN(
            5,
            2,
            hidden_size=5,
            num_levels=2,
            kernel_size=3,
            dropout=0.3,
            dropout_period=None,
            convolutions_per_level=1,
        ),
        floats(3, 7, 5),
    ),
    Example(
        "tcn_language_model",
        lambda: TCNLanguageModel(11, embedding_size=3, hidden_size=5, num_levels=2, dropout=0.3),
        tokens(3, 7, below=11),
    ),
    Example(
        "transformer_language_model",
        lambda: CausalTransformerLanguageModel(
            11, embed_dim=14, num_heads=2, num_layers=2, window=3, dropout=0.3
        ),
        tokens(3, 5, below=11),
    ),
    Example("serial_nested", _nested, floats(3, 10, 3)),
]
