"""One step of a recurrence as a file that runs without this library."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError, ContextError, NumericsError
from unrolled.recurrence import Recurrence
from unrolled.state import Tree, leaves, map_leaves, named_leaves
from unrolled.storage import save_tensors, write_file

FORMATS = {".pt2": "torch", ".onnx": "onnx"}
_NUM_STEPS = 5  # of the check
_TOLERANCE = 1e-5  # relative; the law's for a step against the whole

Run = Callable[[list[Tensor]], list[Tensor]]


class Exported(NamedTuple):
    """What was written, and how far it is from the module.

    Args:
        path: the file of the step.
        state_path: the file of the initial state, a row of every leaf, by the names in ``inputs``.
        inputs: names, in order: of the leaves of x_t, then of the state.
        outputs: names, in order: of the leaves of y_t, then of the next state.
        difference: the largest over a few steps, relative to the largest value of the tensor.
    """

    path: Path
    state_path: Path
    inputs: list[str]
    outputs: list[str]
    difference: float


class _Flat(nn.Module):
    """A step over leaves, which is all that a file knows of trees."""

    def __init__(self, module: Recurrence[Any, Any, Any, Any], x_t: Tree, state: Tree) -> None:
        super().__init__()
        self.module, self.x_t, self.state = module, x_t, state

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        following = iter(given)
        x_t = map_leaves(lambda _: next(following), self.x_t)
        state = map_leaves(lambda _: next(following), self.state)
        y_t, after = self.module.step(x_t, state)
        # A state that passes through must still be an output of its own.
        taken = {id(tensor) for tensor in given}
        return tuple(
            leaf.clone() if id(leaf) in taken else leaf for leaf in (*leaves(y_t), *leaves(after))
        )


def export_step(
    module: Recurrence[Any, Any, Any, Any],
    x_t: Tree,
    path: str | Path,
    *,
    format: str | None = None,
) -> Exported:
    """Write a module's step as a file that maps x_t and a state to y_t and the next state.

        y_t, state = step(x_t, state)         inputs "x", "state.h"; outputs "y", "next_state.h"

    A tree's leaves are named by their paths, as ``named_leaves`` does. The batch is left open.
    The initial state lies beside, in a .safetensors file of the same name. What was written is
    read again and run for a few steps beside the module before it takes its place.

    Shapes: x_t [B, ...] without the time axis, or a block [B, stride, ...]; only its look matters,
        and of tokens the values, which the check repeats.
    Args:
        module: any ``Recurrence`` in eval().
        x_t: a frame.
        path: of the file, in a folder that exists.
        format: "torch", for ``torch.export.load``, or "onnx"; None asks the ending of ``path``.
    Raises:
        ConfigError: another ending or format, a module in train(), a step that cannot be exported,
            or the packages of the extra ``onnx`` are missing.
        ContextError: the module takes a context, for which a file has no place.
        NumericsError: the file computes something else than the module.
    Source: none; torch.export and torch.onnx do the work.
    Example:
        >>> import tempfile
        >>> import onnxruntime
        >>> from safetensors.numpy import load_file
        >>> from unrolled.cells import GRU
        >>> path = Path(tempfile.mkdtemp()) / "step.onnx"
        >>> exported = export_step(GRU(3, 5).eval(), torch.zeros(1, 3), path)
        >>> step = onnxruntime.InferenceSession(path)
        >>> state = load_file(exported.state_path)
        >>> for frame in torch.ones(4, 1, 3).numpy():
        ...     y, h = step.run(["y", "next_state.h"], {"x": frame, **state})
        ...     state = {"state.h": h}
        >>> y.shape
        (1, 5)
    """
    path = Path(path)
    format = _format_of(path, format)
    _check_module(module)
    x_t = map_leaves(lambda leaf: leaf[:1].detach(), x_t)
    with torch.no_grad():
        state = module.state_like(x_t)
        y_t, _ = module.step(x_t, state)
    states = _names("state", state)
    inputs, outputs = (
        [*_names("x", x_t), *states],
        [*_names("y", y_t), *_names("next_state", state)],
    )
    beside = path.with_suffix(".safetensors")
    difference = _write_checked(_Flat(module, x_t, state), path, format, inputs, outputs)
    first = dict(zip(states, leaves(state), strict=True))
    save_tensors(beside, first, {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs)})
    return Exported(path, beside, inputs, outputs, difference)


def _format_of(path: Path, format: str | None) -> str:
    if format is None:
        format = FORMATS.get(path.suffix)
        if format is None:
            raise ConfigError(f"a path that ends in {' or '.join(FORMATS)}", path.name)
    if format not in FORMATS.values():
        raise ConfigError(f"a format among {', '.join(FORMATS.values())}", repr(format))
    if not path.parent.is_dir():
        raise ConfigError(f"a folder at {path.parent}", "none")
    return format


def _check_module(module: Recurrence[Any, Any, Any, Any]) -> None:
    if module.training:
        raise ConfigError("a module in eval()", "one in train()", "call module.eval() first")
    for inner in module.modules():
        if isinstance(inner, Recurrence) and inner.context_type is not None:
            got = f"{type(inner).__name__}, which takes a {inner.context_type.__name__}"
            raise ContextError("a module that needs no context", got)


def _names(root: str, tree: Tree) -> list[str]:
    return [f"{root}.{path}" if path else root for path in named_leaves(tree)]


def _write_checked(
    flat: _Flat, path: Path, format: str, inputs: list[str], outputs: list[str]
) -> float:
    """Write a step if it is right, and return its difference from the module."""
    with TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        draft = Path(folder) / path.name
        difference = _difference(flat, _write(flat, draft, format, inputs, outputs))
        if not difference <= _TOLERANCE:
            raise NumericsError(
                f"the exported step to differ by at most {_TOLERANCE:.0e}", f"{difference:.1e}"
            )
        write_file(path, draft.read_bytes())
    return difference


def _write(flat: _Flat, path: Path, format: str, inputs: list[str], outputs: list[str]) -> Run:
    """Write a step, and return what runs the file."""
    # Two rows to trace with: torch takes an axis of one for an axis that is always one.
    given = tuple(leaf.repeat_interleave(2, 0) for leaf in (*leaves(flat.x_t), *leaves(flat.state)))
    batch = torch.export.Dim("batch", min=1)
    write = _write_onnx if format == "onnx" else _write_torch
    with _silence(), torch.no_grad():
        try:
            program = torch.export.export(
                flat, given, dynamic_shapes={"given": tuple({0: batch} for _ in given)}
            )
        except Exception as error:
            raise _untraceable(flat, error) from error
        return write(program, path, inputs, outputs)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep from the caller what the exporters say of their own insides."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _untraceable(flat: _Flat, error: Exception) -> ConfigError:
    first_line = next((line for line in str(error).splitlines() if line.strip()), "")
    name = type(flat.module).__name__
    return ConfigError(f"a step of {name} that torch.export can trace", first_line.strip())


def _write_torch(
    program: torch.export.ExportedProgram, path: Path, inputs: list[str], outputs: list[str]
) -> Run:
    names = json.dumps({"inputs": inputs, "outputs": outputs})
    torch.export.save(program, path, extra_files={"names.json": names})
    loaded = torch.export.load(path).module()
    return lambda given: list(loaded(*given))


def _write_onnx(
    program: torch.export.ExportedProgram, path: Path, inputs: list[str], outputs: list[str]
) -> Run:
    try:
        import onnxruntime
        import onnxscript  # noqa: F401 (torch's exporter imports it)
    except ImportError as error:
        raise ConfigError(
            "onnx, onnxruntime and onnxscript", f"{error}", "pip install 'unrolled[onnx]'"
        ) from error
    written = torch.onnx.export(
        program, input_names=inputs, output_names=outputs, dynamo=True, verbose=False
    )
    assert written is not None
    written.save(path)
    session = onnxruntime.InferenceSession(path)
    return lambda given: [
        torch.from_numpy(array)
        for array in session.run(
            outputs, {name: t.numpy() for name, t in zip(inputs, given, strict=True)}
        )
    ]


@torch.no_grad()
def _difference(flat: _Flat, run: Run) -> float:
    """Return how far a file is from the step, at most, over steps of one row and of several."""
    generator = torch.Generator().manual_seed(0)  # not torch's own, whose draws are the user's
    differences = [0.0]
    for batch_size in (1, 3):
        first = [leaf.repeat_interleave(batch_size, 0) for leaf in leaves(flat.state)]
        ours, theirs = first, first
        for _ in range(_NUM_STEPS):
            frame = [_drawn(leaf, batch_size, generator) for leaf in leaves(flat.x_t)]
            wanted, got = list(flat(*frame, *ours)), run([*frame, *theirs])
            differences += [_farthest(a, b) for a, b in zip(got, wanted, strict=True)]
            num_outputs = len(wanted) - len(first)
            ours, theirs = wanted[num_outputs:], got[num_outputs:]
    return max(differences)


def _drawn(leaf: Tensor, batch_size: int, generator: torch.Generator) -> Tensor:
    rows = leaf.repeat_interleave(batch_size, 0)
    if not leaf.is_floating_point():
        return rows
    return torch.randn(rows.shape, generator=generator).to(rows)


def _farthest(got: Tensor, wanted: Tensor) -> float:
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        return float("inf")
    if not wanted.numel():
        return 0.0
    difference = (got.double() - wanted.double()).abs().max()
    return float(difference / wanted.double().abs().max().clamp_min(1e-3))
