"""Programs run by the native library, in float32 on CPUs."""

import ctypes
import os
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple, NoReturn

import torch
from torch import Tensor

from unrolled.errors import ConfigError, DtypeError, ShapeError
from unrolled.kernels.calls import (
    Call,
    DepthwiseCall,
    ExtendCall,
    GatherCall,
    LikeliestCall,
    ProgramHeader,
    Source,
    StretchesCall,
    load,
)
from unrolled.kernels.encode import STAGE_BYTES, Encoded, encoded
from unrolled.kernels.library import CHOICE
from unrolled.kernels.program import Block, Kind, Product, Program

ISAS = ("generic", "avx2", "avx512")  # in the library's numbering
SPLITS = ("automatic", "rows", "columns")


class Packed(NamedTuple):
    """A program's weights in panels, valid as long as the matrices do not change.

    Args:
        program: whose.
        weights: the panels.
        encoding: the checked program.
        header: the library's view of it.
        isa: the instruction set whose panels these are.
    """

    program: Program
    weights: Tensor
    encoding: Encoded
    header: ctypes.Structure
    isa: int


@cache  # to look into the environment takes as long as a small product
def available() -> str | None:
    """Return the instruction set in use, "avx512", "avx2" or "generic"; None without the library.

    The environment variable UNROLLED_ISA, read once, names one of them, or "none".

    Raises:
        ConfigError: UNROLLED_ISA is no such name, or this machine has not that set.
    """
    return _chosen(os.environ.get(CHOICE, ""))


@cache
def _chosen(asked: str) -> str | None:
    if asked == "none" or (library := load()) is None:
        return None
    best = library.unrolled_best_isa()
    if not asked:
        return ISAS[best]
    if asked not in ISAS[: best + 1]:
        has = ", ".join((*ISAS[: best + 1], "none"))
        raise ConfigError(f"one of {has} in UNROLLED_ISA", repr(asked), "unset it for the best")
    return asked


def pack(program: Program, matrices: Sequence[Tensor], threads: int | None = None) -> Packed:
    """Copy the blocks of a program's weights into panels.

    Args:
        program: whose products name the blocks.
        matrices: float32, two axes, strided in any way.
        threads: how many at most; torch's number if None.
    Raises:
        ConfigError: there is no native library, or a block lies outside its matrix.
        DtypeError: a matrix is not float32.
    """
    path = _path()
    encoding = encoded(program, path.lanes)
    weights = torch.empty(encoding.packed_floats, dtype=torch.float32)
    places = tuple((m.data_ptr(), m.stride(), m.shape, m.dtype, m.is_cpu) for m in matrices)
    found = encoding.laid_out.get(places)
    if found is None:
        blocks = _sources(program, encoding, matrices)
        found = (Source * len(blocks))(*blocks), _header(program, encoding)
        encoding.laid_out.clear()  # of what lay elsewhere; other threads hold what they found
        encoding.laid_out[places] = found
    sources, header = found
    threads = threads or torch.get_num_threads()
    path.library.unrolled_pack(path.isa, sources, len(sources), weights.data_ptr(), threads)
    return Packed(program, weights, encoding, header, path.isa)


def pack_matrix(matrix: Tensor) -> Tensor:
    """Copy a whole matrix ``[k, n]`` into the panels that ``likeliest`` multiplies by."""
    path = _path()
    k, n = matrix.shape
    packed = torch.empty(-(-n // path.lanes) * path.lanes * k, dtype=torch.float32)
    source = Source(matrix.data_ptr(), *matrix.stride(), 0, k, k, n, 0)
    path.library.unrolled_pack(path.isa, source, 1, packed.data_ptr(), torch.get_num_threads())
    return packed


def likeliest(call: LikeliestCall) -> None:
    """Fill the arrays that a call names."""
    path = _path()
    if path.library.unrolled_likeliest(path.isa, call):
        raise MemoryError("no memory for a tile of logits")


def extend(call: ExtendCall) -> None:
    """Fill the arrays that a call names."""
    if _path().library.unrolled_extend(call):
        raise MemoryError("no memory for a few hypotheses")


def stretches(call: StretchesCall) -> int:
    """Fill the arrays that a call names, and return how many stretches there are."""
    count: int = _path().library.unrolled_stretches(call)
    if count < 0:
        raise MemoryError("no memory for where stretches begin")
    return count


def neighbours(counts: tuple[int, ...], before: Tensor, last: Tensor) -> None:
    """Fill the tensors that ``naive.neighbours`` returns."""
    given = _steps(counts).counts, len(counts), before.data_ptr(), last.data_ptr()
    _path().library.unrolled_neighbours(*given)


def gather(call: GatherCall) -> None:
    """Fill the rows that a call names."""
    _path().library.unrolled_gather(call)


def depthwise(call: DepthwiseCall) -> None:
    """Fill the array that a call names."""
    path = _path()
    path.library.unrolled_depthwise(path.isa, call)


def run(
    program: Program,
    packed: Packed,
    tensors: Sequence[Tensor | None],
    counts: Sequence[int],
    threads: int | None = None,
    split: str = "automatic",
) -> None:
    """Run a program over all steps, as ``naive.run`` does.

    Args:
        program: what one step does.
        packed: its weights.
        tensors: one for each buffer, float32, contiguous, written in place; None for scratch.
        counts: active rows of each step, none larger than the one before.
        threads: how many at most; torch's number if None.
        split: of the work between threads, by "rows" or by "columns"; else by its shape.
    Raises:
        ConfigError: the weights were packed for another program, or an unknown ``split``.
        DtypeError: a tensor is not float32, or not on the CPU.
        ShapeError: a tensor has not the size that its buffer needs, or the counts grow.
    """
    prepare(program, packed, tensors, counts, threads, split)()


def prepare(
    program: Program,
    packed: Packed,
    tensors: Sequence[Tensor | None],
    counts: Sequence[int],
    threads: int | None = None,
    split: str = "automatic",
) -> "Prepared":
    """Check everything that ``run`` is given, and return the run, to be made again and again."""
    if packed.program is not program:
        raise ConfigError("weights of this program", "another's", "pack the matrices for it")
    if split not in SPLITS:
        raise ConfigError(f"a split of {', '.join(SPLITS)}", repr(split))
    steps = _steps(tuple(counts))
    pointers = _pointers(packed.encoding, tensors, steps)
    call = Call(
        ctypes.addressof(packed.header),
        packed.weights.data_ptr(),
        ctypes.addressof(pointers),
        ctypes.addressof(steps.counts),
        len(steps.counts),
        threads or torch.get_num_threads(),
        SPLITS.index(split),
        0,
    )
    alive = (packed, steps, *tensors)
    return Prepared(_path().library.unrolled_run, packed.isa, call, pointers, alive)


class _Steps(NamedTuple):
    """The active rows of each step as the library reads them, of the first one, and of all."""

    counts: ctypes.Array[ctypes.c_int64]
    batch: int
    total: int


@lru_cache(maxsize=64)
def _steps(counts: tuple[int, ...]) -> _Steps:
    if counts and (counts[-1] < 0 or sorted(counts, reverse=True) != [*counts]):
        raise ShapeError("counts that never grow, none below 0", f"{[*counts[:8]]}")
    first = counts[0] if counts else 0
    return _Steps((ctypes.c_int64 * len(counts))(*counts), first, sum(counts))


class Prepared:
    """A run of a program over buffers that stay where they are."""

    def __init__(
        self,
        function: Callable[..., int],
        isa: int,
        call: Call,
        pointers: ctypes.Array[ctypes.c_void_p],
        alive: tuple[Any, ...],
    ) -> None:
        self._function, self._isa, self._call = function, isa, ctypes.byref(call)
        self._pointers = pointers
        self._alive = call, alive  # the library reads what these own

    def put(self, number: int, tensor: Tensor) -> None:
        """Use another tensor as a buffer, as large as the one before; its owner keeps it alive."""
        self._pointers[number] = tensor.data_ptr()

    def __call__(self) -> None:
        """Run it."""
        if self._function(self._isa, self._call):
            raise MemoryError("no memory for the scratch of a program")


class _Path(NamedTuple):
    """The library, the number of an instruction set, and how many floats its vectors hold."""

    library: ctypes.CDLL
    isa: int
    lanes: int


def _path() -> _Path:
    name = available()
    if name is None:
        raise ConfigError("the native library", "none", "use kernels.naive, or install a compiler")
    return _path_of(name)


@cache
def _path_of(name: str) -> _Path:
    library, isa = load(), ISAS.index(name)
    assert library is not None
    return _Path(library, isa, library.unrolled_lanes(isa))


def _header(program: Program, encoding: Encoded) -> ProgramHeader:
    return ProgramHeader(
        encoding.buffers,
        encoding.stages,
        encoding.instructions,
        encoding.products,
        len(program.buffers),
        len(encoding.stages) // STAGE_BYTES,
        program.reverse,
        encoding.scratch_floats,
        encoding.total_numbers,
        encoding.between_floats,
    )


def _sources(program: Program, encoding: Encoded, matrices: Sequence[Tensor]) -> list[Source]:
    sources = []
    products = [stage for stage in program.stages if isinstance(stage, Product)]
    for product, place in zip(products, encoding.weight_places, strict=True):
        first, total_k = 0, product.k
        for block in product.weight:
            matrix = _block(block, product.n, matrices)
            strides = matrix.stride()
            sources.append(
                Source(matrix.data_ptr(), *strides, first, block.k, total_k, product.n, place)
            )
            first += block.k
    return sources


def _block(block: Block, n: int, matrices: Sequence[Tensor]) -> Tensor:
    """Return a block as the rows of the weight that it makes, [k, n]."""
    rows, columns = (n, block.k) if block.transposed else (block.k, n)
    if not 0 <= block.matrix < len(matrices):
        raise ConfigError(f"one of {len(matrices)} matrices", str(block.matrix))
    matrix = matrices[block.matrix]
    if matrix.dtype != torch.float32 or matrix.device.type != "cpu":
        raise DtypeError("float32 matrices on the CPU", f"{matrix.dtype} on {matrix.device}")
    if (
        matrix.ndim != 2
        or min(block.row, block.column) < 0
        or block.row + rows > matrix.shape[0]
        or block.column + columns > matrix.shape[1]
    ):
        raise ConfigError(
            f"a block within matrix {block.matrix}, {tuple(matrix.shape)}",
            f"[{block.row}:{block.row + rows}, {block.column}:{block.column + columns}]",
        )
    part = matrix[block.row : block.row + rows, block.column : block.column + columns]
    return part.T if block.transposed else part


def _pointers(
    encoding: Encoded, tensors: Sequence[Tensor | None], steps: _Steps
) -> ctypes.Array[ctypes.c_void_p]:
    """Return where the tensors lie, each of the size that its buffer needs."""
    if len(tensors) != len(encoding.sizes):
        raise ShapeError(f"{len(encoding.sizes)} tensors", str(len(tensors)))
    places: list[int | None] = []
    for shape, tensor in zip(_shapes(encoding, steps.batch, steps.total), tensors, strict=True):
        if shape is None:
            places.append(None)
        elif (
            tensor is None
            or tensor.numel() != shape[0] * shape[1]
            or tensor.dtype is not torch.float32
            or not tensor.is_cpu
            or not tensor.is_contiguous()
        ):
            _complain(len(places), tensor, shape)
        else:
            places.append(tensor.data_ptr())
    return _array_of(len(tensors))(*places)


def _shapes(encoding: Encoded, batch: int, total: int) -> list[tuple[int, int] | None]:
    """Return the rows and columns of every buffer, None for scratch."""
    found = encoding.shapes.get((batch, total))
    if found is None:
        rows = {
            Kind.SEQUENCE.value: total,
            Kind.PREVIOUS.value: batch + total,
            Kind.ROWS.value: batch,
            Kind.VECTOR.value: 1,
            Kind.TOTAL.value: 1,
        }
        found = [(rows[kind], width) if kind in rows else None for kind, width in encoding.sizes]
        encoding.shapes.clear()
        encoding.shapes[batch, total] = found
    return found


@cache
def _array_of(count: int) -> type[ctypes.Array[ctypes.c_void_p]]:
    """Return a type that takes longer to make than what is made of it."""
    return ctypes.c_void_p * count


def _complain(number: int, tensor: Tensor | None, shape: tuple[int, int]) -> NoReturn:
    """Say what is wrong with the tensor of a buffer."""
    if tensor is None or tensor.numel() != shape[0] * shape[1]:
        got = "None" if tensor is None else str(list(tensor.shape))
        raise ShapeError(f"{list(shape)} for buffer {number}", got)
    if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
        raise DtypeError("float32 tensors on the CPU", f"{tensor.dtype} on {tensor.device}")
    raise ShapeError(f"a contiguous tensor for buffer {number}", "strides", "copy it first")
