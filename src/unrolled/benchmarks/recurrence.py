"""How fast cells are: ours, and one that the library has never seen, against torch.nn and loops."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

import unrolled
from unrolled import cells
from unrolled.benchmarks.timing import gemm_gflops, side_by_side
from unrolled.context import repeat_rows
from unrolled.recurrence import Recurrence
from unrolled.streaming import Stream

Show = Callable[[float, str], None]


@dataclass(frozen=True)
class Shape:
    """Sizes of one measurement."""

    steps: int
    batch: int
    inputs: int
    hidden: int

    def __str__(self) -> str:
        return f"{self.steps}, {self.batch}, {self.inputs}, {self.hidden}"


SHAPES = (
    Shape(25, 1, 65, 100),
    Shape(50, 50, 65, 128),
    Shape(100, 32, 256, 256),
    Shape(200, 1, 256, 256),
    Shape(500, 16, 64, 64),
    Shape(100, 64, 512, 512),
    Shape(16, 8, 2048, 512),
)
CELLS = ("LSTM", "GRU", "RNN", "PeepholeLSTM", "CIFG", "MUT1", "LayerNormLSTM", "Unseen")
_PEERS = {"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN}


class _Unseen(Recurrence[Tensor]):
    """A cell as a user would write it, with ordinary layers, which the library does not know.

        a, b, c = W [x, h]                    y = h' = (1 - b) h + b tanh(c + relu(a) h)

    Shapes: x [B, T, C]; state [B, D]; y [B, T, D].
    Source: none.
    Example:
        >>> _Unseen(3, 5)(torch.zeros(2, 7, 3))[0].shape
        torch.Size([2, 7, 5])
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.gates = nn.Linear(input_size + hidden_size, 3 * hidden_size)

    def initial_state(self, batch_size: int) -> Tensor:
        """Return zeros."""
        return self.zeros(batch_size, self.hidden_size)

    def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Mix what was with what is proposed."""
        a, b, c = self.gates(torch.cat([x_t, h], dim=1)).chunk(3, dim=1)
        h = torch.lerp(h, torch.tanh(c + torch.relu(a) * h), torch.sigmoid(b))
        return h, h


class _Seen(NamedTuple):
    vector: Tensor


class _Seeing(_Unseen):
    """The same cell, bound to a vector for every row or for some rows together.

        a, b, c = W [x, h] + V v

    Shapes: context _Seen(vector [N, H]), H the hidden size; else as ``_Unseen``.
    Source: none.
    Example:
        >>> cell = _Seeing(3, 5).given(_Seen(torch.zeros(2, 5)))
        >>> cell(torch.zeros(4, 7, 3))[0].shape
        torch.Size([4, 7, 5])
    """

    context_type = _Seen

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.seen = nn.Linear(hidden_size, 3 * hidden_size, bias=False)

    def step(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Mix what was with what is proposed, both with a view to the vector."""
        seen = self.seen(repeat_rows(self.context.vector, len(x_t)))
        a, b, c = (self.gates(torch.cat([x_t, h], dim=1)) + seen).chunk(3, dim=1)
        h = torch.lerp(h, torch.tanh(c + torch.relu(a) * h), torch.sigmoid(b))
        return h, h


def measure(
    names: tuple[str, ...] = CELLS,
    shapes: tuple[Shape, ...] = SHAPES,
    *,
    rounds: int = 7,
    show: Show = lambda *_: None,
) -> dict[str, Any]:
    """Measure cells at shapes: padded, ragged, with a context, one step, first calls, memory.

    Args:
        names: of cells; Unseen is a cell of this benchmark's own.
        shapes: T, B, input size, hidden size.
        rounds: turns that each has; medians are returned.
        show: is told how far it is.

    Returns:
        Rows of figures: GFLOP/s by the products alone, and ratios of times.
    """
    rows, parts = [], len(shapes) * len(names)
    for place, shape in enumerate(shapes):
        for number, name in enumerate(names):
            done = (place * len(names) + number) / parts
            show(done, f"{name} at {shape}")
            rows.append(_padded(name, shape, rounds))
    ragged = [_ragged(name, shape, rounds) for shape in shapes for name in ("LSTM", "GRU")]
    return {
        "threads": torch.get_num_threads(),
        "gemm_gflops": gemm_gflops(),
        "gemm_gflops_one_thread": gemm_gflops(1),
        "padded": rows,
        "ragged": ragged,
        "context": [_with_context(shape, rounds) for shape in shapes],
        "one_step": [_one_step(name, rounds) for name in names],
        "first_call_seconds": {name: _first_call(name) for name in names},
        "kept_of_a_step": {name: _kept(name) for name in names},
    }


def build(name: str, input_size: int, hidden_size: int) -> Recurrence[Any]:
    """Return a cell by its name, with a projection of x where it needs one."""
    if name == "Unseen":
        return _Unseen(input_size, hidden_size)
    cls: Callable[..., Recurrence[Any]] = getattr(cells, name)
    if name.startswith("MUT") and input_size != hidden_size:
        return cls(input_size, hidden_size, project=True)
    return cls(input_size, hidden_size)


def _weights(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.ndim == 2 and min(p.shape) > 4)


def _padded(name: str, shape: Shape, rounds: int) -> dict[str, Any]:
    torch.manual_seed(0)
    cell, lstm = build(name, shape.inputs, shape.hidden), nn.LSTM(shape.inputs, shape.hidden)
    x = torch.randn(shape.batch, shape.steps, shape.inputs)
    x_torch = x.transpose(0, 1).contiguous()
    state = cell.initial_state(shape.batch)
    peers: dict[str, tuple[nn.Module, Callable[[Tensor], Tensor], Tensor]] = {
        "ours": (cell, lambda x: cell(x)[0], x),
        "loop": (cell, lambda x: _loop(cell, x, state), x),
        "nn.LSTM": (lstm, lambda x: lstm(x)[0], x_torch),
    }
    if name in _PEERS:
        same = _PEERS[name](shape.inputs, shape.hidden)
        peers["nn"] = (same, lambda x: same(x)[0], x_torch)
    calls = {f"{who} training": partial(_train, *how) for who, how in peers.items()}
    calls |= {f"{who} forward": partial(_forward, *how[1:]) for who, how in peers.items()}
    seconds = side_by_side(calls, rounds=rounds)
    return {"cell": name, "shape": str(shape), **_rates(seconds, cell, lstm, peers, shape)}


def _rates(
    seconds: dict[str, float],
    cell: nn.Module,
    lstm: nn.Module,
    peers: dict[str, Any],
    shape: Shape,
) -> dict[str, float]:
    found = {"gemm_gflops": gemm_gflops()}
    for what, factor in (("training", 3), ("forward", 1)):
        for who in peers:
            flops = 2 * factor * _weights(lstm if who == "nn.LSTM" else cell)
            rate = flops * shape.steps * shape.batch / seconds[f"{who} {what}"] / 1e9
            found[f"{who} {what} gflops"] = rate
            found[f"{who} {what} milliseconds"] = 1e3 * seconds[f"{who} {what}"]
    return found


def _loop(cell: Recurrence[Any], x: Tensor, state: Any) -> Tensor:
    """Run a cell as one would without the library: step by step."""
    outputs = []
    for x_t in x.unbind(1):
        y_t, state = cell.step(x_t, state)
        outputs.append(y_t)
    return torch.stack(outputs, dim=1)


def _train(module: nn.Module, forward: Callable[[Any], Tensor], x: Any) -> None:
    module.zero_grad()
    forward(x).sum().backward()


@torch.no_grad()
def _forward(forward: Callable[[Any], Tensor], x: Any) -> None:
    forward(x)


def _ragged(name: str, shape: Shape, rounds: int) -> dict[str, Any]:
    """Lengths uniform from T / 2 to T: ours by lengths and packed, torch.nn's packed."""
    torch.manual_seed(0)
    cell = build(name, shape.inputs, shape.hidden)
    same, ours = _PEERS[name](shape.inputs, shape.hidden), None
    ours = getattr(unrolled.nn, name)(shape.inputs, shape.hidden)
    x = torch.randn(shape.batch, shape.steps, shape.inputs)
    lengths = torch.randint(shape.steps // 2, shape.steps + 1, (shape.batch,))
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)

    def data(module: nn.Module, sequence: PackedSequence) -> Tensor:
        found: Tensor = module(sequence)[0].data
        return found

    seconds = side_by_side(
        {
            "padded": partial(_train, cell, lambda x: cell(x)[0], x),
            "lengths": partial(_train, cell, lambda x: cell(x, lengths=lengths)[0], x),
            "packed": partial(_train, ours, partial(data, ours), packed),
            "nn packed": partial(_train, same, partial(data, same), packed),
        },
        rounds=rounds,
    )
    share = lengths.sum().item() / (shape.batch * shape.steps)
    return {
        "cell": name,
        "shape": str(shape),
        "valid_share": share,
        "time_over_valid_share": seconds["lengths"] / seconds["padded"] / share,
        "times_faster_than_nn_packed": seconds["nn packed"] / seconds["packed"],
        **{f"{who} milliseconds": 1e3 * value for who, value in seconds.items()},
    }


def _with_context(shape: Shape, rounds: int) -> dict[str, Any]:
    """Every two rows share a vector, where there are two."""
    torch.manual_seed(0)
    vector = torch.randn(max(1, shape.batch // 2), shape.hidden)
    cell = _Seeing(shape.inputs, shape.hidden).given(_Seen(vector))
    x, state = torch.randn(shape.batch, shape.steps, shape.inputs), cell.initial_state(shape.batch)
    seconds = side_by_side(
        {
            "ours": partial(_train, cell, lambda x: cell(x)[0], x),
            "loop": partial(_train, cell, lambda x: _loop(cell, x, state), x),
        },
        rounds=rounds,
    )
    return {
        "shape": str(shape),
        "vectors": len(vector),
        "times_faster_than_loop": seconds["loop"] / seconds["ours"],
        **{f"{who} milliseconds": 1e3 * value for who, value in seconds.items()},
    }


@torch.no_grad()
def _one_step(name: str, rounds: int, hidden: int = 256) -> dict[str, Any]:
    torch.manual_seed(0)
    cell = build(name, hidden, hidden).eval()
    lstm, x_t = nn.LSTM(hidden, hidden).eval(), torch.randn(1, hidden)
    stream, state = Stream(cell), cell.initial_state(1)
    matrix = torch.randn(hidden, 4 * hidden)
    seconds = side_by_side(
        {
            "stream": lambda: stream.push(x_t),
            "step": lambda: cell.step(x_t, state),
            "nn.LSTM": lambda: lstm(x_t[None]),
            "one product": lambda: x_t @ matrix,
        },
        rounds=max(rounds, 15),
    )
    return {
        "cell": name,
        **{f"{who} microseconds": 1e6 * value for who, value in seconds.items()},
        "share_of_nn.LSTM": seconds["stream"] / seconds["nn.LSTM"],
    }


def _first_call(name: str) -> float:
    """Return the seconds that the first call of a new cell takes beyond the second."""
    cell = build(name, 29, 31)
    x = torch.randn(2, 8, 29)
    begin = time.perf_counter()
    cell(x)
    middle = time.perf_counter()
    cell(x)
    return 2 * middle - begin - time.perf_counter()


def _kept(name: str, shape: Shape = SHAPES[2]) -> float:
    """Return how many tensors [B, H] training keeps of each step, x and the weights left out."""
    kept = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.numel()
        return tensor

    cell = build(name, shape.inputs, shape.hidden)
    x = torch.randn(shape.batch, shape.steps, shape.inputs)
    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        cell(x)
    weights = sum(p.numel() for p in cell.parameters())
    return (kept - x.numel() - weights) / (shape.batch * shape.hidden * shape.steps)
