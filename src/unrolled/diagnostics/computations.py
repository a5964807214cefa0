"""What the lines of ``unrolled verify`` compute, each a function of nothing to one figure."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.cells import LSTM, LSTMState
from unrolled.diagnostics.census import census, count_parameters
from unrolled.diagnostics.gradient_flow import (
    gradient_bound,
    jacobian_norms,
    loss_gradient_norms,
    recurrent_matrices,
)
from unrolled.diagnostics.receptive_field import receptive_field
from unrolled.layers import CausalConv1d, Dropout, Embedding, Serial
from unrolled.models import RecurrentLanguageModel
from unrolled.recurrence import Recurrence
from unrolled.state import detach


def parameters_of(build: Callable[[], nn.Module]) -> int:
    """Count what a module learns that is yet to be built."""
    return count_parameters(build())


def macs(module: nn.Module, *features: int) -> int:
    """Count the multiply-accumulates of a step on features of this shape."""
    return census(module, torch.zeros(1, getattr(module, "stride", 1), *features)).macs


def span(*layers: Recurrence[Any, Any, Any, Any], num_steps: int) -> int:
    """Probe how many steps a stack of layers of one channel looks back on."""
    x = torch.randn(1, num_steps, 1, dtype=torch.float64)
    return receptive_field(Serial(*layers).double(), x).span


def dilated(kernel_size: int, num_layers: int) -> list[CausalConv1d]:
    """Make convolutions with dilations 1, 2, 4, ..., of one channel and positive weights."""
    layers = [CausalConv1d(1, 1, kernel_size=kernel_size, dilation=2**i) for i in range(num_layers)]
    for layer in layers:
        nn.init.constant_(layer.weight, 1 / kernel_size)
    return layers


def wavenet_blocks(num_blocks: int) -> list[CausalConv1d]:
    """Make blocks of ten convolutions, each with dilations 1 ... 512."""
    return [layer for _ in range(num_blocks) for layer in dilated(2, 10)]


class _RNN(Recurrence[Tensor]):
    """h' = phi(W_hh h + x), phi the identity or tanh: the system of which the theorems speak."""

    def __init__(self, weight_hh: Tensor, *, nonlinearity: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.weight_hh = nn.Parameter(weight_hh)
        self.nonlinearity = nonlinearity

    def initial_state(self, batch_size: int) -> Tensor:
        return self.zeros(batch_size, len(self.weight_hh))

    def step(self, x_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        h = self.nonlinearity(F.linear(state, self.weight_hh) + x_t)
        return h, h


def _orthogonal(size: int) -> Tensor:
    q: Tensor = torch.linalg.qr(torch.randn(size, size, dtype=torch.float64)).Q
    return q


def linear_gradient(rho: float) -> float:
    """Follow h' = rho Q h + x over 99 steps, Q orthogonal."""
    module = _RNN(rho * _orthogonal(7), nonlinearity=torch.Tensor.clone)
    x = torch.randn(1, 99, 7, dtype=torch.float64)
    return float(jacobian_norms(module, x)[-1])


def bound_violations() -> int:
    """Count the lags at which one of 20 random tanh networks exceeds its bound."""
    violations = 0
    for _ in range(20):
        module = _RNN(torch.randn(7, 7, dtype=torch.float64) / 3, nonlinearity=torch.tanh)
        norms = jacobian_norms(module, torch.randn(1, 20, 7, dtype=torch.float64))
        bound = gradient_bound(recurrent_matrices(module)[0].spectral_norm, 20)
        violations += int((norms > bound * (1 + 1e-12)).sum())
    return violations


def no_explosion() -> float:
    """Follow a matrix of norm 10 whose square is 0 over two steps."""
    matrix = torch.tensor([[0.0, 10.0], [0.0, 0.0]], dtype=torch.float64)
    module = _RNN(matrix, nonlinearity=torch.Tensor.clone)
    return float(jacobian_norms(module, torch.zeros(1, 2, 2, dtype=torch.float64))[-1])


def largest_slope(nonlinearity: Callable[[Tensor], Tensor]) -> float:
    """Return the largest derivative on a fine grid that has 0 in it."""
    x = torch.linspace(-8, 8, 1601, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(nonlinearity(x).sum(), x)
    return float(slope.max())


def powers_of_a_symmetric_matrix() -> float:
    """Compare (Q L Q^T)^5 with Q L^5 Q^T."""
    q, values = _orthogonal(5), torch.rand(5, dtype=torch.float64)
    power = torch.linalg.matrix_power(q @ values.diag() @ q.T, 5)
    return round(float((power - q @ (values**5).diag() @ q.T).abs().max()), 12)


def clipped(gradient: list[float], clip: Callable[..., Any], limit: float) -> tuple[float, ...]:
    """Return a gradient after ``clip(weights, limit)``."""
    weight = nn.Parameter(torch.zeros(len(gradient), dtype=torch.float64))
    weight.grad = torch.tensor(gradient, dtype=torch.float64)
    clip([weight], limit)
    return tuple(round(value, 9) for value in weight.grad.tolist())


def clip_without_root(weights: list[nn.Parameter], limit: float) -> None:
    """Clip as the slide's code does, its norm being the sum of squares."""
    for weight in weights:
        if weight.grad is not None and (norm := weight.grad.square().sum().item()) > limit:
            weight.grad *= limit / norm


def kept_cell() -> float:
    """Return the largest change of a cell over 100 steps with f = 1 and i = 0."""
    cell = LSTM(5, 7)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.zero_()
        cell.get_parameter("bias_ih")[:14] = torch.tensor([-1e4] * 7 + [1e4] * 7)
        start = LSTMState(torch.randn(3, 7), torch.randn(3, 7))
        _, state = cell(torch.randn(3, 100, 5), start)
    return float((state.c - start.c).abs().max())


@torch.no_grad()
def difference_to_torch() -> float:
    """Step an LSTM, run torch's with the same weights, and compare."""
    ours, theirs = LSTM(5, 7).double(), nn.LSTM(5, 7, batch_first=True).double()
    theirs.load_state_dict({f"{name}_l0": value for name, value in ours.state_dict().items()})
    x = torch.randn(3, 11, 5, dtype=torch.float64)
    steps, state = [], ours.initial_state(3)
    for x_t in x.unbind(1):
        y_t, state = ours.step(x_t, state)
        steps.append(y_t)
    return round(float((torch.stack(steps, 1) - theirs(x)[0]).abs().max()), 12)


def _scores_of_hell(model: RecurrentLanguageModel) -> Tensor:
    """Return the logits ``[4, V]`` after each letter of "hell": h e l o are 0 1 2 3."""
    y, _ = model(torch.tensor([[0, 1, 2, 2]]))
    return cast(Tensor, y)[0]


@torch.no_grad()
def uniform_loss() -> float:
    """Score "hell" -> "ello" with a network that knows nothing."""
    model = RecurrentLanguageModel(4, embedding_size=3, hidden_size=3)
    for parameter in list(model.parameters())[-2:]:
        nn.init.zeros_(parameter)
    logits = _scores_of_hell(model)
    return float(F.cross_entropy(logits, torch.tensor([1, 2, 2, 3]), reduction="sum"))


def learnt_hello() -> str:
    """Learn "hello" and write on from "h", the likeliest letter each time."""
    model = RecurrentLanguageModel(4, embedding_size=4, hidden_size=8)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(100):
        logits = _scores_of_hell(model)
        optimizer.zero_grad()
        F.cross_entropy(logits, torch.tensor([1, 2, 2, 3])).backward()
        optimizer.step()
    token, state, written = torch.tensor([0]), model.initial_state(1), "h"
    for _ in range(4):
        scores, state = model.step(token, state)
        token = cast(Tensor, scores).argmax(dim=-1)
        written += "helo"[int(token)]
    return written


@torch.no_grad()
def column_of_one_hot() -> float:
    """Compare looking up a row with multiplying by one-hot vectors."""
    table = Embedding(5, 3)
    one_hot = F.one_hot(torch.arange(5), 5).float()
    return float((table(torch.arange(5)[None])[0][0] - one_hot @ table.weight).abs().max())


def truncated(num_steps: int) -> float:
    """Return the gradient that a loss sends past a chunk's beginning, the state detached there."""
    cell, x = LSTM(3, 5), torch.randn(1, 2 * num_steps, 3, requires_grad=True)
    _, state = cell(x[:, :num_steps])
    y, _ = cell(x[:, num_steps:], detach(state))
    (gradient,) = torch.autograd.grad(y.sum(), x)
    return float(gradient[:, :num_steps].abs().max())


@torch.no_grad()
def carried() -> float:
    """Compare one pass over 12 steps with chunks of 1, 3 and 4 that carry the state."""
    cell, x = LSTM(3, 5).double(), torch.randn(2, 12, 3, dtype=torch.float64)
    whole, differences = cell(x)[0], []
    for size in (1, 3, 4):
        state, pieces = None, []
        for chunk in x.split(size, dim=1):
            y, state = cell(chunk, None if state is None else detach(state))
            pieces.append(y)
        differences.append((torch.cat(pieces, 1) - whole).abs().max().item())
    return round(max(differences), 12)


def gradient_by_lag() -> float:
    """Compare the loss's gradient at lag 5 with (W^T)^5 g, written out."""
    weight = torch.randn(3, 3, dtype=torch.float64)
    module = _RNN(weight, nonlinearity=torch.Tensor.clone)
    x = torch.zeros(1, 6, 3, dtype=torch.float64)
    norms = loss_gradient_norms(module, x, lambda y: y[:, -1].sum())
    expected = torch.linalg.vector_norm(torch.linalg.matrix_power(weight.T, 5).sum(dim=1))
    return round(float(norms[5] / expected), 12)


def scale_of_kept(p: float) -> float:
    """Return the factor of what dropout keeps."""
    y, _ = Dropout(p).train()(torch.ones(1, 10, 10))
    return float(y.max())


def share_dropped(p: float) -> float:
    """Return the share of a million ones that dropout sets to 0."""
    y, _ = Dropout(p).train()(torch.ones(10, 100, 1000))
    return float((y == 0).double().mean())
