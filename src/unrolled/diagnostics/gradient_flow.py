"""How gradients travel back through time: the norm of every Jacobian by its lag."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.state import Tree, detach, first_step, leaves, map_leaves, select_rows, time_steps

_MAX_STATE = 4096  # numbers in a state; a Jacobian has their square
_SLOPES = {"tanh": 1.0, "sigmoid": 0.25, "linear": 1.0, "relu": 1.0}


@dataclass(frozen=True)
class RecurrentMatrix:
    """One square block of a cell's ``weight_hh``.

    Args:
        block: its place among the blocks, 0 for a plain recurrent network.
        spectral_norm: the largest singular value, lambda_1 in Pascanu et al.
        spectral_radius: the largest modulus of an eigenvalue.
    """

    block: int
    spectral_norm: float
    spectral_radius: float


def jacobian_norms(
    module: Recurrence[Any, Any, Any, Any],
    x: Tree,
    state: Tree | None = None,
    *,
    norm: Literal["spectral", "frobenius"] = "spectral",
) -> Tensor:
    """Return the norm of d s_T / d s_(T - lag) for lag = 0 ... T, s all float leaves of the state.

        J_0 = 1        J_(lag + 1) = J_lag (d s_(T - lag) / d s_(T - lag - 1))

    The first row of x is followed. A step's Jacobian is read off one backward pass of ``step``
    over n equal rows, n the numbers in a state, each row asked for one output: rows are
    independent, so this holds for any module that keeps the law.

    Shapes: x [B, T, ...]; state for B rows; the result [T / stride + 1].
    Args:
        module: a recurrence whose state has float leaves.
        x: the input.
        state: where to begin; None for the initial state.
        norm: "spectral", the largest singular value, or "frobenius".
    Raises:
        ConfigError: the state has no float leaves, or more than 4,096 numbers.
    Source: Pascanu et al. 2013, arXiv:1211.5063, eq. 5.
    Example:
        >>> from unrolled.cells import LSTM
        >>> jacobian_norms(LSTM(3, 5), torch.randn(1, 7, 3)).shape
        torch.Size([8])
    """
    row = torch.zeros(1, dtype=torch.int64)
    blocks = time_steps(select_rows(x, row), module.stride)
    with torch.no_grad():
        if state is None:
            state = module.state_like(first_step(x, module.stride))
        states = [select_rows(state, row)]
        size = _num_floats(states[0], type(module).__name__)
        for x_t in blocks[:-1]:
            states.append(module.step(x_t, states[-1])[1])
    order = 2 if norm == "spectral" else "fro"
    product = torch.eye(size, dtype=_floats(states[0])[0].dtype)
    norms = [torch.linalg.matrix_norm(product, ord=order)]
    for x_t, before in zip(reversed(blocks), reversed(states), strict=True):
        product = product @ _step_jacobian(module, x_t, before, size)
        norms.append(torch.linalg.matrix_norm(product, ord=order))
    return torch.stack(norms)


def loss_gradient_norms(
    module: Recurrence[Any, Any, Any, Any],
    x: Tree,
    loss_of: Callable[[Any], Tensor],
    state: Tree | None = None,
) -> Tensor:
    """Return the norm of d loss / d s_(T - lag) for lag = 0 ... T, over all float leaves and rows.

    Shapes: x [B, T, ...]; the result [T / stride + 1].
    Args:
        module: a recurrence whose state has float leaves.
        x: the input.
        loss_of: gives a scalar from y ``[B, T / stride, ...]``.
        state: where to begin; None for the initial state.
    Raises:
        ConfigError: the state has no float leaves.
    Example:
        >>> from unrolled.cells import LSTM
        >>> norms = loss_gradient_norms(LSTM(3, 5), torch.randn(2, 7, 3), lambda y: y[:, -1].sum())
        >>> norms.shape
        torch.Size([8])
    """
    state = module.state_like(first_step(x, module.stride)) if state is None else state
    _require_floats(state, type(module).__name__)
    state = map_leaves(_with_gradient, detach(state))
    states, outputs = [state], []
    for x_t in time_steps(x, module.stride):
        y_t, state = module.step(x_t, state)
        states.append(state)
        outputs.append(y_t)
    loss = loss_of(map_leaves(lambda *row: torch.stack(row, dim=1), *outputs))
    return _squared_norms([loss], states, None).sqrt().flip(0)


def gradient_gains(
    module: Recurrence[Any, Any, Any, Any],
    x: Tree,
    state: Tree | None = None,
    *,
    num_directions: int = 16,
    seed: int = 0,
) -> Tensor:
    """Return what is left of a gradient at s_T when it has gone back to s_(T - lag), lag = 0 ... T.

        gain_lag = sqrt(mean_k ||v_k J_lag||^2) / sqrt(mean_k ||v_k||^2),   v_k ~ N(0, 1)

    J_lag = d s_T / d s_(T - lag), s all float leaves of the state. The gain estimates
    ||J_lag||_F / ||1||_F, what an average direction keeps, in one backward pass however large the
    state is; ``jacobian_norms`` computes the norm itself. The first row of x is followed.

    Shapes: x [B, T, ...]; state for B rows; the result [T / stride + 1].
    Args:
        module: a recurrence whose state has float leaves.
        x: the input.
        state: where to begin; None for the initial state.
        num_directions: how many v are drawn.
        seed: of the draws.
    Raises:
        ConfigError: the state has no float leaves.
    Source: Hutchinson 1990, the trace of J J' by random vectors.
    Example:
        >>> from unrolled.cells import LSTM
        >>> gradient_gains(LSTM(3, 5), torch.randn(1, 7, 3)).shape
        torch.Size([8])
    """
    if state is None:
        state = module.state_like(first_step(x, module.stride))
    _require_floats(state, type(module).__name__)
    rows = torch.zeros(num_directions, dtype=torch.int64)
    state = map_leaves(_with_gradient, select_rows(detach(state), rows))
    states = [state]
    for x_t in time_steps(select_rows(x, rows), module.stride):
        # Copies, because a leaf may be made of another of the same step, as an LSTM's h is of c:
        # the copies are the state as a cut would hand it on, each leaf free of the others.
        state = map_leaves(torch.clone, module.step(x_t, state)[1])
        states.append(state)
    generator = torch.Generator().manual_seed(seed)
    last = _floats(state)
    directions = [torch.randn(leaf.shape, generator=generator, dtype=leaf.dtype) for leaf in last]
    squares = _squared_norms(last, states, directions)
    return (squares / squares[-1]).sqrt().flip(0)


def recurrent_matrices(module: Recurrence[Any, Any, Any, Any]) -> list[RecurrentMatrix]:
    """Return norm and radius of each block of ``weight_hh [k D, D]``, such as an LSTM's four.

    Raises:
        ConfigError: the module has no such matrix.

    Example:
        >>> from unrolled.cells import LSTM
        >>> [matrix.block for matrix in recurrent_matrices(LSTM(3, 5))]
        [0, 1, 2, 3]
    """
    weight = getattr(module, "weight_hh", None)
    if not isinstance(weight, Tensor) or weight.ndim != 2 or weight.shape[0] % weight.shape[1]:
        raise ConfigError("a module with a recurrent matrix weight_hh", type(module).__name__)
    return [
        RecurrentMatrix(
            number,
            torch.linalg.matrix_norm(block, ord=2).item(),
            torch.linalg.eigvals(block).abs().max().item(),
        )
        for number, block in enumerate(weight.detach().split(weight.shape[1]))
    ]


def gradient_bound(spectral_norm: float, max_lag: int, *, nonlinearity: str = "tanh") -> Tensor:
    """Return the bound (gamma lambda_1)^lag on the norm of d h_T / d h_(T - lag), lag = 0 ... max.

        h' = phi(W_hh h + W_ih x + b)       gamma = max |phi'|: tanh 1, sigmoid 1/4

    lambda_1 < 1 / gamma is sufficient for gradients to vanish; lambda_1 > 1 / gamma is only
    necessary for them to explode: the bound then grows, and the gradient need not.

    Args:
        spectral_norm: lambda_1, the largest singular value of W_hh.
        max_lag: the last lag.
        nonlinearity: "tanh", "sigmoid", "relu" or "linear".
    Raises:
        ConfigError: another nonlinearity.
    Source: Pascanu et al. 2013, arXiv:1211.5063, §2.1, eq. 6-7.
    Example:
        >>> gradient_bound(2.0, 3, nonlinearity="sigmoid")
        tensor([1.0000, 0.5000, 0.2500, 0.1250], dtype=torch.float64)
    """
    if nonlinearity not in _SLOPES:
        raise ConfigError(f"a nonlinearity among {', '.join(_SLOPES)}", repr(nonlinearity))
    base = torch.tensor(_SLOPES[nonlinearity] * spectral_norm, dtype=torch.float64)
    return base ** torch.arange(max_lag + 1, dtype=torch.float64)


def _step_jacobian(
    module: Recurrence[Any, Any, Any, Any], x_t: Tree, state: Tree, size: int
) -> Tensor:
    """Return d s' / d s of one step, ``[n, n]``: row i of a batch of n gives row i."""
    rows = torch.zeros(size, dtype=torch.int64)
    before = map_leaves(_with_gradient, select_rows(detach(state), rows))
    with torch.enable_grad():
        _, after = module.step(select_rows(x_t, rows), before)
    asked = torch.eye(size, dtype=_floats(after)[0].dtype)
    widths = [leaf[0].numel() for leaf in _floats(after)]
    pairs = zip(asked.split(widths, dim=1), _floats(after), strict=True)
    found = torch.autograd.grad(
        _floats(after),
        _floats(before),
        [part.reshape(leaf.shape) for part, leaf in pairs],
        allow_unused=True,
        materialize_grads=True,
    )
    return torch.cat([gradient.flatten(1) for gradient in found], dim=1)


def _floats(tree: Tree) -> list[Tensor]:
    return [leaf for leaf in leaves(tree) if leaf.is_floating_point()]


def _with_gradient(leaf: Tensor) -> Tensor:
    return leaf.clone().requires_grad_(leaf.is_floating_point())


def _squared_norms(
    outputs: list[Tensor], states: list[Tree], directions: list[Tensor] | None
) -> Tensor:
    """Return the squared norm of the gradient by each of the states, over leaves and rows."""
    wanted = [leaf for tree in states for leaf in _floats(tree)]
    found = torch.autograd.grad(
        outputs, wanted, directions, allow_unused=True, materialize_grads=True
    )
    squares = torch.stack([gradient.square().sum() for gradient in found])
    return squares.view(len(states), -1).sum(dim=1)


def _require_floats(state: Tree, name: str) -> None:
    if not _floats(state):
        raise ConfigError("a state with float leaves", f"none in that of {name}")


def _num_floats(state: Tree, name: str) -> int:
    _require_floats(state, name)
    size = sum(leaf[0].numel() for leaf in _floats(state))
    if size > _MAX_STATE:
        raise ConfigError(
            f"a state of at most {_MAX_STATE:,} numbers",
            f"{size:,} in that of {name}",
            "take a smaller hidden size or frame, or estimate with gradient_gains",
        )
    return size
