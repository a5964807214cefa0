"""What the native library does, by torch: its measure, and what runs where there is none."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from unrolled.kernels.program import (
    Block,
    Instruction,
    Kind,
    Op,
    Operand,
    Pointwise,
    Product,
    Program,
)


def run(
    program: Program,
    tensors: Sequence[Tensor | None],
    matrices: Sequence[Tensor],
    counts: Sequence[int],
) -> None:
    """Run a program over all steps, in any floating dtype.

    Shapes: tensors as ``program.Kind`` says; matrices [., .], strided in any way.
    Args:
        program: what one step does.
        tensors: one for each buffer, written in place; None for a TILE or a BETWEEN.
        matrices: what the blocks of the products name.
        counts: active rows of each step, none larger than the one before.
    Example:
        >>> from unrolled.kernels.program import Buffer
        >>> h = Buffer(Kind.ROWS, 2)
        >>> product = Product(Operand(0), (Block(0, 0, 0, 2),), 2, Operand(1))
        >>> keep = Pointwise((Instruction(Op.COPY, 2, Operand(0), (Operand(1),)),))
        >>> state, step = torch.tensor([[1.0, 1.0]]), torch.zeros(1, 2)
        >>> run(Program((h, h), (product, keep)), [state, step], [torch.eye(2) * 2], [1, 1, 1])
        >>> state
        tensor([[8., 8.]])
    """
    if not counts or counts[0] == 0:
        return
    weights = [
        torch.cat([_weight(block, stage.n, matrices) for block in stage.weight])
        for stage in program.stages
        if isinstance(stage, Product)
    ]
    offsets = [0]
    for count in counts:
        offsets.append(offsets[-1] + count)
    for t in reversed(range(len(counts))) if program.reverse else range(len(counts)):
        if counts[t]:
            _step(program, _rows(program, tensors, counts, offsets, t), weights)


def likeliest(logits: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the ``k`` largest of each row, their columns, and the log of a sum of exponentials.

        log_sums = log of the sum over j of exp(logits_j - max(logits))

    The first of equals comes first. Of a row that is no distribution (NaN, +inf, or nothing above
    -inf) the largest or the log is not finite, and the rest is anything.

    Shapes: logits [R, V], k at most V; returns [R, k], [R, k] and [R].
    """
    values, columns = logits.sort(dim=1, descending=True, stable=True)
    log_sums = (logits - values[:, :1]).exp().sum(dim=1).log()
    return values[:, :k], columns[:, :k], log_sums


class Arm(NamedTuple):
    """Hypotheses one token longer than those they come from."""

    parents: Tensor  # [B, M], the column in the step before
    tokens: Tensor  # [B, M]
    scores: Tensor  # [B, M], log-probabilities; -inf for what is no hypothesis


class Extended(NamedTuple):
    """What one step of a beam search leaves behind."""

    live: Arm  # in order of tokens, so that of equals the first is taken
    ended: Arm


def extend(
    following: Tensor, tokens: Tensor, scores: Tensor, stops: Tensor, beam_size: int, num_live: int
) -> Extended:
    """Return the best continuations of a beam's hypotheses.

    All are ranked together, of equals the first hypothesis and of that the first. The best
    K (1 + S) hold at least K that do not stop; of these the first are live. Of the best K those
    that stop have ended, and the others have a score of -inf there.

    Shapes: following and tokens [B, M, k]; scores [B, M]; stops [S]; live [B, num_live] and ended
        [B, K], or [B, 0] if nothing stops, or fewer where there are no more.
    Args:
        following: log-probabilities of the likeliest tokens after each hypothesis; no NaN.
        tokens: these, best first.
        scores: of the hypotheses.
        stops: the tokens that end one.
        beam_size: K.
        num_live: how many go on; those that cannot have a score of -inf.
    """
    totals, each = (following + scores[:, :, None]).flatten(1), tokens.shape[2]
    wanted = min(totals.shape[1], beam_size * (1 + len(stops)))
    totals, places = totals.sort(dim=1, descending=True, stable=True)
    totals, places = totals[:, :wanted], places[:, :wanted]
    parents, tokens = places // each, tokens.flatten(1).gather(1, places)
    stopped = (tokens[..., None] == stops).any(dim=-1)
    num_ended = beam_size if len(stops) else 0
    ended = (parents, tokens, totals.where(stopped, -torch.inf))
    going_on = stopped.byte().argsort(dim=1, stable=True)[:, :num_live]
    live = (parents, tokens, totals.masked_fill(stopped, -torch.inf))
    parents, tokens, totals = (leaf.gather(1, going_on) for leaf in live)
    order = tokens.argsort(dim=1, stable=True)
    order = order.gather(1, parents.gather(1, order).argsort(dim=1, stable=True))
    return Extended(
        Arm(*(leaf.gather(1, order) for leaf in (parents, tokens, totals))),
        Arm(*(leaf[:, :num_ended] for leaf in ended)),
    )


def depthwise(
    frames: Sequence[Tensor],
    weight: Tensor,
    bias: Tensor | None,
    stride: int,
    padding: tuple[int, int],
    *,
    rectifies: bool,
) -> Tensor:
    """Return a depthwise convolution of the newest of a few frames, the oldest first.

        y = sum over t of conv2d(frames_t, weight[:, :, t]) + bias          ReLU(y), if it rectifies

    Shapes: frames [N, C, H, W] each; weight [C, 1, k, kh, kw], k frames; bias [C].
    """
    y = torch.zeros(()) if bias is None else bias[:, None, None]
    for frame, tap in zip(frames, weight.unbind(2), strict=True):
        groups = frame.shape[1]
        y = y + torch.nn.functional.conv2d(frame, tap, None, stride, padding, groups=groups)
    return y.relu() if rectifies else y


def _weight(block: Block, n: int, matrices: Sequence[Tensor]) -> Tensor:
    """Return the part of a product's weight, [k, n], that a block makes."""
    matrix = matrices[block.matrix]
    if block.transposed:
        matrix = matrix.T
        return matrix[block.column : block.column + block.k, block.row : block.row + n]
    return matrix[block.row : block.row + block.k, block.column : block.column + n]


def _rows(
    program: Program,
    tensors: Sequence[Tensor | None],
    counts: Sequence[int],
    offsets: Sequence[int],
    t: int,
) -> list[Tensor]:
    """Return the active rows of step t of every buffer."""
    found = []
    for buffer, tensor in zip(program.buffers, tensors, strict=True):
        if tensor is None:
            like = next(other for other in tensors if other is not None)
            found.append(like.new_empty(counts[t], buffer.width))
            continue
        first = 0
        if buffer.kind == Kind.SEQUENCE:
            first = offsets[t]
        elif buffer.kind == Kind.PREVIOUS and t > 0:
            first = counts[0] + offsets[t - 1]
        one = buffer.kind in (Kind.VECTOR, Kind.TOTAL)
        found.append(tensor.view(-1, buffer.width)[first : first + (1 if one else counts[t])])
    return found


class Stretches(NamedTuple):
    """What happens in ragged rows: every stretch between resets is a row of its own.

    Args:
        counts: by step, stretches that are longer; none of them 0.
        row: by stretch, longest first, the row that it is of.
        begins_anew: by stretch, whether the row was reset there.
        home: by row, its last stretch, or -1.
        places: for each row of each step where it is in ``[B T]``.
        inverse: ``[B T]``, which row of all steps is there, or -1.
        anew: how many begin anew.
        without: how many rows have none.
    """

    counts: tuple[int, ...]
    row: Tensor
    begins_anew: Tensor
    home: Tensor
    places: Tensor
    inverse: Tensor
    anew: int
    without: int


def stretches(lengths: Tensor, reset: Tensor) -> Stretches:
    """Return the stretches of rows ``lengths [B]`` long, ``reset [B, T]``."""
    resets, ends = reset.numpy(), lengths.numpy()
    num_steps = resets.shape[1]
    time = np.arange(num_steps)
    row, start = ((resets | (time == 0)) & (time < ends[:, None])).nonzero()
    is_last = np.append(row[1:] != row[:-1], True)[: len(row)]
    length = np.where(is_last, ends[row], np.append(start[1:], 0)[: len(row)]) - start
    order = np.argsort(-length, kind="stable")
    row, start, length, is_last = row[order], start[order], length[order], is_last[order]
    longest = length[0] if len(length) else 0
    counts = np.searchsorted(-length, -np.arange(longest))  # stretches longer than t
    begins = np.cumsum(counts) - counts
    sequence = np.arange(counts.sum()) - np.repeat(begins, counts)
    places = (row * num_steps + start)[sequence] + np.repeat(np.arange(longest), counts)
    home, inverse = np.full(len(ends), -1), np.full(resets.size, -1)
    home[row[is_last]] = is_last.nonzero()[0]
    inverse[places] = np.arange(len(places))
    anew = resets[row, start]
    return Stretches(
        tuple(counts.tolist()),
        torch.from_numpy(row),
        torch.from_numpy(anew),
        torch.from_numpy(home),
        torch.from_numpy(places),
        torch.from_numpy(inverse),
        anew=int(anew.sum()),
        without=int((home < 0).sum()),
    )


def neighbours(counts: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return where among the states of all steps some are, those before the first step first.

    Args:
        counts: active rows by step, never growing, none of them 0.

    Returns:
        For each row of each step the state before it, and for each sequence its last state.
    """
    steps, rows = np.array(counts), np.arange(counts[0])
    shift = np.append(0, counts[0] - steps[:-1])
    before = np.arange(steps.sum()) + np.repeat(shift, steps)
    begins = counts[0] + np.cumsum(steps) - steps
    last = begins[np.searchsorted(-steps, -rows) - 1] + rows
    return torch.from_numpy(before), torch.from_numpy(last)


def gather(x: Tensor, index: Tensor) -> Tensor:
    """Return rows of ``x [N, ...]``, and zeros where the index is -1."""
    if not len(x):
        return x.new_zeros(len(index), *x.shape[1:])
    mask = (index < 0).view(-1, *(1,) * (x.ndim - 1))
    return x.index_select(0, index.clamp(min=0)).masked_fill(mask, 0)


def _step(program: Program, rows: Sequence[Tensor], weights: Sequence[Tensor]) -> None:
    """Run the stages once."""

    def columns(operand: Operand, n: int) -> Tensor:
        return rows[operand.buffer][:, operand.column : operand.column + n]

    following = iter(weights)
    for stage in program.stages:
        if isinstance(stage, Pointwise):
            for instruction in stage.instructions:
                _instruct(instruction, columns)
            continue
        a, out, weight = columns(stage.a, stage.k), columns(stage.out, stage.n), next(following)
        if stage.init is None:
            torch.mm(a, weight, out=out)
        else:
            out.copy_(torch.addmm(columns(stage.init, stage.n), a, weight))


def _instruct(instruction: Instruction, columns: Callable[[Operand, int], Tensor]) -> None:
    """Run one instruction on all active rows."""
    op, n = instruction.op, instruction.n
    args = [columns(arg, 1 if op == Op.SPREAD else n) for arg in instruction.args]
    out = columns(instruction.out, 1 if op in (Op.ROW_SUM, Op.ROW_MAX) else n)
    if op == Op.TOTAL:
        out += args[0].sum(0, keepdim=True)
    elif op == Op.FILL:
        out.fill_(instruction.value)
    elif op in _WITH_VALUE:
        out.copy_(_WITH_VALUE[op](*args, instruction.value))
    else:
        out.copy_(_FUNCTIONS[op](*args))


def _normalized(a: Tensor, eps: float) -> Tensor:
    return torch.nn.functional.layer_norm(a, a.shape[1:], eps=eps)


def _through_normalized(g: Tensor, x: Tensor, eps: float) -> Tensor:
    y, scale = _normalized(x, eps), (x.var(1, correction=0, keepdim=True) + eps).rsqrt()
    return scale * (g - g.mean(1, keepdim=True) - y * (g * y).mean(1, keepdim=True))


_WITH_VALUE: dict[Op, Callable[..., Tensor]] = {
    Op.SCALE: lambda a, v: a * v,
    Op.OFFSET: lambda a, v: a + v,
    Op.POW: lambda a, v: a**v,
    Op.NORMALIZE: _normalized,
    Op.DNORMALIZE: _through_normalized,
}

_FUNCTIONS: dict[Op, Callable[..., Tensor]] = {
    Op.COPY: lambda a: a,
    Op.NEG: torch.neg,
    Op.ADD: torch.add,
    Op.SUB: torch.sub,
    Op.MUL: torch.mul,
    Op.DIV: torch.div,
    Op.MULADD: lambda a, b, c: torch.addcmul(c, a, b),
    Op.LERP: torch.lerp,
    Op.MAXIMUM: torch.maximum,
    Op.MINIMUM: torch.minimum,
    Op.SIGMOID: torch.sigmoid,
    Op.TANH: torch.tanh,
    Op.RELU: torch.relu,
    Op.EXP: torch.exp,
    Op.LOG: torch.log,
    Op.SQRT: torch.sqrt,
    Op.RSQRT: torch.rsqrt,
    Op.RECIPROCAL: torch.reciprocal,
    Op.ABS: torch.abs,
    Op.SIGN: torch.sign,
    Op.SIN: torch.sin,
    Op.COS: torch.cos,
    Op.ERF: torch.erf,
    Op.LOG1P: torch.log1p,
    Op.EXPM1: torch.expm1,
    Op.GT: torch.gt,
    Op.GE: torch.ge,
    Op.EQ: torch.eq,
    Op.WHERE: lambda a, b, c: torch.where(a != 0, b, c),
    Op.DSIGMOID: lambda a, b: a * b * (1 - b),
    Op.DTANH: lambda a, b: a * (1 - b * b),
    Op.ROW_SUM: lambda a: a.sum(1, keepdim=True),
    Op.ROW_MAX: lambda a: a.amax(1, keepdim=True),
    Op.SPREAD: lambda a: a,  # copy_ repeats the column
}
