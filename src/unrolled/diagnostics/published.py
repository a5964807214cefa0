"""Published and hand-derivable figures as executable checks: the table of ``unrolled verify``.

A line is a name, what must come out, where that comes from, and what computes it. Where a formula
by hand is the source, it stands in the line, evaluated by Python.
"""

from functools import partial
from math import log

import torch
from torch import nn

from unrolled.cells import GRU, LSTM, MUT1, MUT2, MUT3, RNN, ConvLSTM
from unrolled.diagnostics import computations as compute
from unrolled.diagnostics.caption_tables import CAPTIONERS
from unrolled.diagnostics.census import count_parameters
from unrolled.diagnostics.checks import Check
from unrolled.diagnostics.receptive_field import looks_ahead
from unrolled.diagnostics.video_tables import VIDEO
from unrolled.layers import CausalConv1d, CausalSelfAttention, Linear
from unrolled.models import TCN, MinCharRNN, RecurrentLanguageModel

_PASCANU = "Pascanu et al. 2013"

PARAMETERS = [
    Check(
        "LSTM 300-512: parameters",
        1_667_072,
        "4D(C + D + 2), as torch",
        lambda: count_parameters(LSTM(300, 512)),
    ),
    Check(
        "LSTM, n = 5: its matrix",
        (4 * 5, 2 * 5),
        "[4n, 2n]: four gates, x and h",
        lambda: tuple(torch.cat([LSTM(5, 5).weight_ih, LSTM(5, 5).weight_hh], dim=1).shape),
    ),
    Check(
        "ConvLSTM 16-128, 5 x 5: parameters",
        1_844_096,
        "4D(C + D)k² + 4D + 3D",
        lambda: count_parameters(ConvLSTM(16, 128, kernel_size=5)),
    ),
    Check(
        "language model 65-128-512: parameters",
        1_356_481,
        "VE + 4D(E + D + 2) + (D + 1)V",
        lambda: count_parameters(RecurrentLanguageModel(65)),
    ),
]

MULTIPLICATIONS = [
    Check(
        "LSTM 300-512: MAC a step",
        1_662_976,
        "4D(C + D)",
        lambda: compute.macs(LSTM(300, 512), 300),
    ),
    Check(
        "ConvLSTM 3-8, 16 x 12: MAC a frame",
        4 * 8 * (3 + 8) * 9 * 16 * 12,
        "4D(C + D)k²HW",
        lambda: compute.macs(ConvLSTM(3, 8), 3, 16, 12),
    ),
    Check(
        "CausalConv1d 5-7, 3 taps: MAC a step",
        5 * 7 * 3,
        "CDk",
        lambda: compute.macs(CausalConv1d(5, 7, kernel_size=3, dilation=4), 5),
    ),
    Check("Linear 5-7: MAC a step", 5 * 7, "CD", lambda: compute.macs(Linear(5, 7), 5)),
    Check(
        "attention, E 6, W 11: MAC a step",
        4 * 6**2 + 2 * 6 * 11,
        "4E² + 2EW",
        lambda: compute.macs(CausalSelfAttention(6, 2, window=11), 6),
    ),
]

GRADIENTS = [
    Check(
        "W = 0.9 Q: |dh_100 / dh_1|",
        0.9**99,
        "0.9^99, Q orthogonal",
        lambda: compute.linear_gradient(0.9),
        tolerance=1e-10,
    ),
    Check(
        "W = 1.1 Q: |dh_100 / dh_1|",
        1.1**99,
        "1.1^99, Q orthogonal",
        lambda: compute.linear_gradient(1.1),
        tolerance=1e-10,
    ),
    Check(
        "|dL / dh_(T-5)| over |(Wᵀ)⁵ g|",
        1.0,
        "BPTT, by hand",
        compute.gradient_by_lag,
    ),
    Check("largest slope of tanh: gamma", 1.0, _PASCANU, lambda: compute.largest_slope(torch.tanh)),
    Check(
        "largest slope of sigmoid: gamma",
        0.25,
        _PASCANU,
        lambda: compute.largest_slope(torch.sigmoid),
    ),
    Check(
        "20 tanh nets: lags above the bound",
        0,
        "(gamma lambda_1)^lag, eq. 7 there",
        compute.bound_violations,
    ),
    Check(
        "W = [[0, 10], [0, 0]]: |dh_2 / dh_0|",
        0.0,
        "W² = 0, though lambda_1 = 10",
        compute.no_explosion,
    ),
    Check(
        "(QΛQᵀ)⁵ - QΛ⁵Qᵀ, to 1e-12",
        0.0,
        "QᵀQ = 1",
        compute.powers_of_a_symmetric_matrix,
    ),
    Check(
        "LSTM, f = 1, i = 0: change of c",
        0.0,
        "c' = f c + i g, 100 steps",
        compute.kept_cell,
    ),
    Check(
        "LSTM less torch's, to 1e-12",
        0.0,
        "torch.nn.LSTM",
        compute.difference_to_torch,
    ),
]

TRAINING = [
    Check(
        "clip g = (3, 4) to norm 5",
        (3.0, 4.0),
        f"{_PASCANU}, Alg. 1",
        lambda: compute.clipped([3.0, 4.0], nn.utils.clip_grad_norm_, 5.0),
        tolerance=1e-6,  # torch adds 1e-6 to the norm that it divides by
    ),
    Check(
        "the same by the sum of squares",
        (0.6, 0.8),
        "the slides' slip: 25 > 5",
        lambda: compute.clipped([3.0, 4.0], compute.clip_without_root, 5.0),
    ),
    Check(
        "clip g = (7, -9, 3) by value to 5",
        (5.0, -5.0, 3.0),
        "np.clip",
        lambda: compute.clipped([7.0, -9.0, 3.0], nn.utils.clip_grad_value_, 5.0),
    ),
    Check(
        "truncated BPTT: gradient past the cut",
        0.0,
        "Williams & Peng 1990",
        lambda: compute.truncated(5),
    ),
    Check("chunks less the whole, to 1e-12", 0.0, "the law", compute.carried),
    Check(
        "Dropout(0.3): factor of what is kept",
        1 / 0.7,
        "1 / (1 - p)",
        lambda: compute.scale_of_kept(0.3),
        tolerance=1e-6,
    ),
    Check(
        "Dropout(0.3): share dropped of 10⁶",
        0.3,
        "p, within 4 standard errors",
        lambda: compute.share_dropped(0.3),
        tolerance=4 * (0.7 / 0.3 / 1e6) ** 0.5,
    ),
]

LANGUAGE = [
    Check(
        'loss of "hello", unlearnt: nats',
        4 * log(4),
        "T ln V = 4 ln 4",
        compute.uniform_loss,
        tolerance=1e-6,
    ),
    Check('"hello" learnt, written from h', "hello", "Karpathy 2015", compute.learnt_hello),
    Check("one-hot times W less a row of W", 0.0, "linear algebra", compute.column_of_one_hot),
]

RECEPTIVE_FIELDS = [
    Check(
        "12 convolutions, k 2, dilation 2^i: sees",
        4096,
        "1 + (k - 1)(2^12 - 1)",
        lambda: compute.span(*compute.dilated(2, 12), num_steps=4200),
    ),
    Check(
        "WaveNet block, dilations to 512: sees",
        1024,
        "van den Oord et al. 2016",
        lambda: compute.span(*compute.dilated(2, 10), num_steps=1100),
    ),
    Check(
        "five such blocks: see",
        5116,
        "1 + 5 (2^10 - 1)",
        lambda: compute.span(*compute.wavenet_blocks(5), num_steps=5200),
    ),
    Check(
        "LSTM: sees of 50 steps",
        50,
        "unbounded",
        lambda: compute.span(LSTM(1, 7), num_steps=50),
    ),
    Check(
        "attention, window 11: sees of 30 steps",
        11,
        "its window",
        lambda: compute.span(Linear(1, 6), CausalSelfAttention(6, 2, window=11), num_steps=30),
    ),
    Check(
        "LSTM: later steps that change y",
        0,
        "causality",
        lambda: len(looks_ahead(LSTM(3, 5), torch.randn(2, 9, 3))),
    ),
]

_BAI = "Bai et al. 2018, table 1: "

NETWORKS = [
    Check(name + ": parameters", expected, source, partial(compute.parameters_of, build))
    for name, expected, source, build in (
        ("RNN 300-512", 416_768, "D(C + D + 2), as torch", lambda: RNN(300, 512)),
        ("GRU 300-512", 1_250_304, "3D(C + D + 2), as torch", lambda: GRU(300, 512)),
        ("MUT1, 100", 40_300, "4D² + 3D", lambda: MUT1(100, 100)),
        ("MUT2, 100", 50_300, "5D² + 3D", lambda: MUT2(100, 100)),
        ("MUT3, 100", 60_300, "6D² + 3D", lambda: MUT3(100, 100)),
        ("min-char-rnn, V = 65", 23_165, "D(V + D + 1) + (D + 1)V", lambda: MinCharRNN(65)),
        ("TCN, sequential MNIST", 66_910, _BAI + "66K", lambda: TCN(1, 10)),
        (
            "TCN, adding",
            70_369,
            _BAI + "70K",
            lambda: TCN(2, 1, hidden_size=24, kernel_size=8),
        ),
        (
            "TCN, copying",
            12_530,
            _BAI + "13K",
            lambda: TCN(1, 10, hidden_size=10, kernel_size=8),
        ),
    )
]

PUBLISHED = [
    *PARAMETERS,
    *NETWORKS,
    *MULTIPLICATIONS,
    *GRADIENTS,
    *TRAINING,
    *LANGUAGE,
    *RECEPTIVE_FIELDS,
    *VIDEO,
    *CAPTIONERS,
]
