"""Windowed attention against the plain formula over the whole sequence."""

import pytest
import torch

from unrolled.errors import ConfigError
from unrolled.layers import CausalSelfAttention


def naive(layer: CausalSelfAttention, x: torch.Tensor) -> torch.Tensor:
    """Write the docstring's three lines out, for one row and every pair of steps."""
    heads, size = layer.num_heads, layer.embed_dim // layer.num_heads
    q, k, v = (x @ layer.in_proj_weight.T + layer.in_proj_bias).chunk(3, dim=-1)
    outputs = []
    for t in range(len(x)):
        steps = range(max(0, t - layer.window + 1), t + 1)
        parts = []
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            scores = torch.stack(
                [q[t, part] @ k[s, part] / size**0.5 + layer.lag_bias[head, t - s] for s in steps]
            )
            weights = scores.softmax(0)
            parts.append(sum(w * v[s, part] for w, s in zip(weights, steps, strict=True)))
        outputs.append(torch.cat(parts))
    return torch.stack(outputs) @ layer.out_proj_weight.T + layer.out_proj_bias


@pytest.mark.parametrize("window", [1, 2, 3, 6, 7, 19])
def test_it_equals_the_plain_formula(window: int) -> None:
    layer = CausalSelfAttention(6, 3, window=window).double()
    torch.nn.init.normal_(layer.lag_bias)
    x = torch.randn(2, 13, 6, dtype=torch.float64)
    y, _ = layer(x)
    for row in range(2):
        assert (y[row] - naive(layer, x[row])).abs().max() <= 1e-12


def test_a_broken_frame_is_forgotten_when_it_leaves_the_window() -> None:
    layer = CausalSelfAttention(6, 3, window=3)
    x = torch.randn(1, 9, 6)
    x[0, 2] = torch.nan
    y, _ = layer(x)
    assert y[0].isnan().any(-1).tolist() == [False] * 2 + [True] * 3 + [False] * 4


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="a multiple of num_heads"):
        CausalSelfAttention(7, 2, window=3)
    with pytest.raises(ConfigError, match="a window of at least 1 step"):
        CausalSelfAttention(6, 2, window=0)
