"""The one owner of a state that changes."""

import json
from pathlib import Path
from typing import Any, Generic, cast

import torch
from torch import Tensor

from unrolled.context import for_rows
from unrolled.errors import ConfigError, ReaderError, ShapeError, StateError
from unrolled.fused import Stepper, Stepping
from unrolled.kernels.trace import UnplannableError
from unrolled.layers.prepared import PreparedStepper
from unrolled.recurrence import ContextT, InputT, OutputT, Recurrence, StateT
from unrolled.state import (
    Tree,
    describe_rows,
    device_of,
    from_named_leaves,
    leaves,
    map_leaves,
    named_leaves,
    replace_leaves,
    select_rows,
    where_rows,
)
from unrolled.storage import load_tensors, save_tensors
from unrolled.streaming.rows import rows_go_alone, step_rows

Looks = tuple[torch.Size, torch.dtype, torch.device]
_STATE = "state."


class Stream(Generic[StateT, InputT, OutputT, ContextT]):
    """The one owner of a state that changes: a module driven frame by frame, without gradients.

        y_t = stream.push(x_t)        the same y_t as module(x)[0][:, t]

    One stream or many side by side: each row of the first frame opens a stream. A step that can be
    planned is one native call on buffers that stay where they are, with the weights of the moment
    of the first frame: they are frozen for the life of the stream, and ``is_native`` says so. On a
    CPU every row of pictures gets what it would get alone, to the bit.

    Shapes: x_t [B, ...] (or a block [B, stride, ...]) without the time axis; y_t likewise.
    Args:
        module: any ``Recurrence`` in eval(); a context is bound before, by ``module.given``.
    Raises:
        ConfigError: the module is in train().
    Source: none; the protocol's ``step_`` in a loop.
    Example:
        >>> from unrolled.cells import LSTM
        >>> stream = Stream(LSTM(3, 5).eval())
        >>> for _ in range(4):
        ...     y_t = stream.push(torch.ones(2, 3))
        >>> y_t.shape, stream.steps
        (torch.Size([2, 5]), tensor([4, 4]))
    """

    def __init__(self, module: Recurrence[StateT, InputT, OutputT, ContextT]) -> None:
        if module.training:
            raise ConfigError("a module in eval()", "one in train()", "call module.eval() first")
        self.module = module
        self._state: StateT  # with the first frame
        self._frame: dict[str, list[Any]] = {}  # what a row of a frame looks like
        self._looks: Looks | None = None  # of a frame of all rows, where it is one tensor
        self._stepper: Stepping | None = None  # with the first frame, if the step can be planned
        self._steps = torch.zeros(0, dtype=torch.int64)
        self._pushed = 0  # frames of all streams that are not yet counted in _steps
        self._restart = torch.zeros(0, dtype=torch.bool)
        self._restarts = False  # whether any of _restart is set; a tensor is slow to ask

    @property
    def steps(self) -> Tensor:
        """How many frames (or blocks) each stream has taken since its last reset, ``[B]``."""
        return (self._steps + self._pushed).masked_fill(self._restart, 0)

    @property
    def is_native(self) -> bool:
        """Whether steps are native calls, with weights frozen when the stream began."""
        return self._stepper is not None

    @property
    def state(self) -> StateT:
        """A copy of the present state; ``StateError`` before the first frame."""
        if not self._frame:
            raise StateError("a stream that has begun", "no frame yet", "push one first")
        return map_leaves(torch.clone, self._now)

    @property
    def _now(self) -> StateT:
        return self._state if self._stepper is None else cast(StateT, self._stepper.state)

    def push(self, x_t: InputT, *, rows: Tensor | None = None) -> OutputT:
        """Take the next frame of every stream, or of streams ``rows [M]`` alone.

        Raises:
            ShapeError: the frame differs in shape or dtype from the first, or in its rows.
            StateError: ``rows`` before every stream has had its first frame.
        """
        # A native step takes microseconds, and so does a walk through a tree, or turning gradients
        # off: most frames are one tensor, and no graph begins at a step that is no operation.
        is_like_last = (
            rows is None and not self._restarts and _looks(x_t) == self._looks is not None
        )
        if is_like_last and isinstance(self._stepper, Stepper):
            return self._advance(x_t)
        with torch.no_grad():
            return self._advance(x_t) if is_like_last else self._push(x_t, rows)

    def _push(self, x_t: InputT, rows: Tensor | None) -> OutputT:
        if not self._frame:
            if rows is not None:
                raise StateError("a first frame for every stream", "one for some rows")
            self._open(x_t)
        self._check_frame(x_t, len(self._steps) if rows is None else len(rows))
        if rows is not None:
            return self._push_rows(x_t, rows)
        if self._restarts:
            self._steps, self._pushed = self.steps, 0
            self._put(_fresh_where(self.module, self._restart, x_t, self._now))
            self._restart.fill_(False)
            self._restarts = False
        return self._advance(x_t)

    def _advance(self, x_t: InputT) -> OutputT:
        self._pushed += 1
        if self._stepper is not None:
            return cast(OutputT, self._stepper(x_t))
        y_t, self._state = _step(self.module, x_t, self._state)
        return y_t

    def _push_rows(self, x_t: InputT, rows: Tensor) -> OutputT:
        rows = rows.cpu()  # where streams are counted
        module = self.module
        if module.has_context():
            module = for_rows(module, rows, len(self._steps))
        state = _fresh_where(module, self._restart[rows], x_t, select_rows(self._now, rows))
        if isinstance(self._stepper, PreparedStepper):
            y_t = cast(OutputT, self._stepper.take_rows(cast(Tensor, x_t), rows.tolist(), state))
        else:
            y_t, state = _step(module, x_t, state)
            map_leaves(lambda a, b: a.index_copy_(0, rows.to(a.device), b), self._now, state)
        self._steps, self._pushed = self.steps, 0
        self._steps[rows] += 1
        self._restart[rows] = False
        return y_t

    def reset(self, rows: Tensor | None = None) -> None:
        """Begin anew before the next frame, in every stream or in ``rows [M]``."""
        self._restart[slice(None) if rows is None else rows.cpu()] = True
        self._restarts = True

    def save(self, path: str | Path) -> None:
        """Write the stream as it stands, in mid-sequence."""
        tensors = {_STATE + name: leaf for name, leaf in named_leaves(self.state).items()}
        tensors |= {"steps": self.steps, "restart": self._restart}
        metadata = {"frame": json.dumps(self._frame), "module": type(self.module).__name__}
        save_tensors(Path(path), tensors, metadata)

    def load(self, path: str | Path, *, device: torch.device | str | None = None) -> None:
        """Go on where a saved stream of the same module stood, with the same next answer.

        Args:
            path: of the file, whichever device the stream was on.
            device: of the frames to come; None for that of the module's parameters.
        Raises:
            ReaderError: the file is missing or damaged.
            StateError: it belongs to a module of another kind or size.
        """
        tensors, metadata = load_tensors(Path(path))
        if not {"frame", "module"} <= metadata.keys() or not {"steps", "restart"} <= tensors.keys():
            raise ReaderError(f"a saved stream at {path}", "another safetensors file")
        steps, restart = tensors.pop("steps"), tensors.pop("restart")
        frame, device = json.loads(metadata["frame"]), device or device_of(self.module)
        blank = {
            name: torch.zeros(len(steps), *shape, dtype=getattr(torch, dtype), device=device)
            for name, (shape, dtype) in frame.items()
        }
        saved = {name.removeprefix(_STATE): leaf for name, leaf in tensors.items()}
        x_t = cast(InputT, from_named_leaves(blank))
        self._begin(x_t, replace_leaves(self.module.state_like(x_t), saved))
        self._steps, self._restart, self._frame = steps, restart, frame
        self._looks = _looks(x_t)
        self._pushed, self._restarts = 0, bool(restart.any())

    def _open(self, x_t: InputT) -> None:
        batch_size = leaves(x_t)[0].shape[0]
        self._begin(x_t, self.module.state_like(x_t))
        self._frame, self._looks = describe_rows(named_leaves(x_t)), _looks(x_t)
        self._steps = torch.zeros(batch_size, dtype=torch.int64)
        self._restart = torch.zeros(batch_size, dtype=torch.bool)

    def _begin(self, x_t: InputT, state: StateT) -> None:
        try:
            self._stepper = self.module.stepper(x_t, state)
        except UnplannableError:
            self._stepper = None
            # A clone: step_ writes into the state, and a module may hand out one that it keeps.
            self._state = map_leaves(torch.clone, state)

    def _put(self, state: StateT) -> None:
        """Take a state over; a stepper's stays where it is."""
        if self._stepper is None:
            self._state = state
        else:
            self._stepper.put(state)

    def _check_frame(self, x_t: InputT, num_rows: int) -> None:
        named = named_leaves(x_t)
        if describe_rows(named) != self._frame or any(len(x) != num_rows for x in named.values()):
            got = {name: (list(x.shape), str(x.dtype)) for name, x in named.items()}
            raise ShapeError(f"a frame of {num_rows} rows like the first, {self._frame}", str(got))


def _step(
    module: Recurrence[StateT, InputT, OutputT, ContextT], x_t: InputT, state: StateT
) -> tuple[OutputT, StateT]:
    if rows_go_alone(module, x_t):
        return step_rows(module, x_t, state)
    return module.step_(x_t, state)


def _fresh_where(
    module: Recurrence[StateT, InputT, OutputT, ContextT],
    restart: Tensor,
    x_t: InputT,
    state: StateT,
) -> StateT:
    if not restart.any():
        return state
    return where_rows(restart.to(leaves(x_t)[0].device), module.state_like(x_t), state)


def _looks(x_t: Tree) -> Looks | None:
    """Return what two frames of one tensor each must have in common."""
    return (x_t.shape, x_t.dtype, x_t.device) if isinstance(x_t, Tensor) else None
