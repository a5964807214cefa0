"""How many parameters captioners have: from their equations by hand, against the classes."""

from functools import partial

from torch import nn

from unrolled.diagnostics import computations as compute
from unrolled.diagnostics.checks import Check
from unrolled.registry import build

# V words, C features, E a word's vector, D hidden, A attention, M multimodal
_SIZES = {"vocabulary_size": 1000, "feature_size": 512, "embedding_size": 128, "hidden_size": 256}
V, C, E, D, A, M = 1000, 512, 128, 256, 64, 192
_LSTM = "4D(I + D + 2)"


def _build(name: str, options: dict[str, int]) -> nn.Module:
    return build(name, **_SIZES, **options)


_SOFT = (
    V * E + (E + 1) * V + C * A + (D + 1) * A + A + D + 1  # words in and out; where to look; gate
    + 4 * D * (E + C + D + 2) + 2 * (C + 1) * D + D * E + C * E  # LSTM; its beginning; what is said
)  # fmt: skip

CAPTIONERS = [
    Check(
        f"{name}, V {V:,}, D {D}: parameters",
        expected,
        formula,
        partial(compute.parameters_of, partial(_build, name, options)),
    )
    for name, expected, formula, options in (
        (
            "show_and_tell",
            V * E + (C + 1) * E + 4 * D * (E + D + 2) + (D + 1) * V,
            f"VE + (C + 1)E + {_LSTM} + (D + 1)V",
            {},
        ),
        (
            "neural_talk",
            V * E + (C + 1) * D + D * (E + D + 2) + (D + 1) * V,
            "VE + (C + 1)D + D(E + D + 2) + (D + 1)V",
            {},
        ),
        (
            "m_rnn",
            V * E + D * (E + D + 2) + 2 * D * M + (C + 1) * M + (M + 1) * V,
            "VE + D(E + D + 2) + 2DM + (C + 1)M + (M + 1)V",
            {"multimodal_size": M},
        ),
        (
            "lrcn_captioner",
            V * E + 4 * D * (E + D + 2) + 4 * D * (D + C + D + 2) + (D + 1) * V,
            f"VE + {_LSTM}, I = E and D + C, + (D + 1)V",
            {},
        ),
        (
            "minds_eye",
            V * E + 2 * D * (E + D + 2) + C * D + (D + 1) * C + (2 * D + 1) * V,
            "VE + 2D(E + D + 2) + CD + (D + 1)C + (2D + 1)V",
            {},
        ),
        ("show_attend_tell", _SOFT, f"{_LSTM}, I = E + C, and the rest", {"attention_size": A}),
        ("show_attend_tell_hard", _SOFT, "those of soft attention", {"attention_size": A}),
        (
            "mean_pool_captioner",
            V * E + 4 * D * (E + C + D + 2) + 4 * D * (2 * D + 2) + (D + 1) * V,
            f"VE + {_LSTM}, I = E + C and D, + (D + 1)V",
            {},
        ),
        (
            "s2vt",
            V * E + (C + 1) * E + 4 * D * (E + D + 2) + 4 * D * (E + 2 * D + 2) + (D + 1) * V,
            f"VE + (C + 1)E + {_LSTM}, I = E and E + D, + (D + 1)V",
            {},
        ),
        (
            "temporal_attention",
            _SOFT - (D + 1) - D * E - C * E + (D + C + E + 1) * E,
            "soft attention's, without gate, with W_p",
            {"attention_size": A},
        ),
    )
]
