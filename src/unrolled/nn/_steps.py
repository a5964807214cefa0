"""One step of each of torch's layers, planned once for every set of sizes."""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.kernels.plan import Plan
from unrolled.kernels.trace import Step

_ROWS = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}  # blocks of D rows in W_ih and W_hh
_KEPT = 64  # plans; a model has few sizes


class Sizes(NamedTuple):
    """What decides the step of one layer in one direction.

    Args:
        mode: torch's name: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input_size: C, features of what this layer reads.
        hidden_size: D.
        proj_size: P, features of an LSTM's h, or 0 where these are D.
        bias: whether there are b_ih and b_hh.
    """

    mode: str
    input_size: int
    hidden_size: int
    proj_size: int
    bias: bool

    @property
    def states(self) -> list[int]:
        """Features of each leaf of the state: h, and an LSTM's c."""
        output_size = self.proj_size or self.hidden_size
        return [output_size, self.hidden_size] if self.mode == "LSTM" else [output_size]

    @property
    def weights(self) -> list[tuple[int, ...]]:
        """Shapes of the weights in torch's order: W_ih, W_hh, b_ih, b_hh, W_hr."""
        rows = _ROWS[self.mode] * self.hidden_size
        shapes: list[tuple[int, ...]] = [(rows, self.input_size), (rows, self.states[0])]
        shapes += [(rows,), (rows,)] * self.bias
        return shapes + [(self.proj_size, self.hidden_size)] * (self.proj_size > 0)


@lru_cache(_KEPT)
def plan_of(sizes: Sizes) -> Plan:
    """Return the plan of a step; the weights are arguments of its ``run``."""
    with torch.inference_mode(False):
        weights = [_specimen(*shape) for shape in sizes.weights]
        states = [_specimen(1, size) for size in sizes.states]
        return Plan(_step(sizes, weights), [_specimen(1, sizes.input_size)], states, weights)


def _specimen(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.float32, device="cpu")  # whatever the defaults are


def _step(sizes: Sizes, weights: list[Tensor]) -> Step:
    w_ih, w_hh = weights[:2]
    b_ih, b_hh = weights[2:4] if sizes.bias else (None, None)
    advance = {"RNN_TANH": _tanh, "RNN_RELU": _relu, "LSTM": _lstm, "GRU": _gru}[sizes.mode]

    def step(inputs: list[Tensor], states: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        product_x, product_h = F.linear(inputs[0], w_ih, b_ih), F.linear(states[0], w_hh, b_hh)
        h, *cell = advance(product_x, product_h, states)
        if sizes.proj_size:
            h = F.linear(h, weights[-1])
        return [h], [h, *cell]

    return step


def _tanh(product_x: Tensor, product_h: Tensor, states: list[Tensor]) -> list[Tensor]:  # noqa: ARG001
    return [torch.tanh(product_x + product_h)]


def _relu(product_x: Tensor, product_h: Tensor, states: list[Tensor]) -> list[Tensor]:  # noqa: ARG001
    return [torch.relu(product_x + product_h)]


def _lstm(product_x: Tensor, product_h: Tensor, states: list[Tensor]) -> list[Tensor]:
    i, f, g, o = (product_x + product_h).chunk(4, dim=-1)
    c = torch.sigmoid(f) * states[1] + torch.sigmoid(i) * torch.tanh(g)
    return [torch.sigmoid(o) * torch.tanh(c), c]


def _gru(product_x: Tensor, product_h: Tensor, states: list[Tensor]) -> list[Tensor]:
    r_x, z_x, n_x = product_x.chunk(3, dim=-1)
    r_h, z_h, n_h = product_h.chunk(3, dim=-1)
    n = torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h)
    return [n + torch.sigmoid(z_x + z_h) * (states[0] - n)]
