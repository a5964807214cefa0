"""What the result of each of torch's operations sees of an input, from what its arguments see."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from torch import Tensor

from unrolled.diagnostics.positions import SEEN, Part, Positions

Known: TypeAlias = Callable[[Any], Positions | None]
Rule: TypeAlias = Callable[["Call"], Positions | None]


class Call(NamedTuple):
    """One operation: what is known of tensors, its arguments in their order, what came of it.

    Args:
        positions: returns what is known of a tensor; None where it did not come of the input.
        args: the arguments, defaults among them.
        result: a tensor, or several.
    """

    positions: Known
    args: Any
    result: Any


def known_of(tensors: list[Any], positions: Known) -> Positions:
    """Return the positions of the first tensor that has any."""
    return next(p for tensor in tensors if (p := positions(tensor)) is not None)


def elementwise(call: Call) -> Positions | None:
    """What acts on each number alone, one tensor or several of them broadcast."""
    found: Positions | None = None
    for tensor in call.args:
        mine = call.positions(tensor)
        if mine is not None and tensor.shape == call.result.shape:
            found = mine if found is None else found.join(mine)
    for tensor in call.args:
        mine = call.positions(tensor)
        if found is not None and mine is not None and tensor.shape != call.result.shape:
            found = found.join(mine)
    return found


def _view(call: Call) -> Positions | None:
    mine = call.positions(call.args[0])
    return None if mine is None else mine.view(tuple(call.result.shape))


def _permute(call: Call) -> Positions | None:
    mine = call.positions(call.args[0])
    return None if mine is None else mine.with_axes([mine.axes[d] for d in call.args[1]])


def _transpose(call: Call) -> Positions | None:
    mine = call.positions(call.args[0])
    if mine is None:
        return None
    axes, (first, second) = list(mine.axes), (call.args[1:3] if len(call.args) > 2 else (0, 1))
    axes[first], axes[second] = axes[second], axes[first]
    return mine.with_axes(axes)


def _unsqueeze(call: Call) -> Positions | None:
    mine = call.positions(call.args[0])
    if mine is None:
        return None
    axes = list(mine.axes)
    axes.insert(call.args[1] % call.result.ndim, ())
    return mine.with_axes(axes)


def _expand(call: Call) -> Positions | None:
    mine = call.positions(call.args[0])
    if mine is None:
        return None
    axes = [()] * (call.result.ndim - len(mine.axes)) + list(mine.axes)
    grown = [
        axis if size == then else (*axis, Part("C", size))
        for axis, size, then in zip(
            axes,
            call.result.shape,
            [1] * (call.result.ndim - len(mine.axes)) + list(mine.shape),
            strict=True,
        )
    ]
    return mine.with_axes(grown)


def _select(call: Call) -> Positions | None:
    mine = call.positions(call.args[0])
    if mine is None:
        return None
    axis = call.args[1] % len(mine.axes)
    fields, parts = dict(mine.fields), mine.axes[axis]
    labels = [part for part in parts if part.label in SEEN]
    if len(labels) > 1 or (labels and len([p for p in parts if p.size > 1]) > 1):
        return None
    for part in labels:
        fields[part.label] = fields[part.label].at(call.args[2] % part.size)
    axes = mine.axes[:axis] + mine.axes[axis + 1 :]
    return Positions(axes, fields, mine.lengths)


def _slice(call: Call) -> Positions | None:
    mine = call.positions(call.args[0])
    if mine is None:
        return None
    axis, first, _, step = (
        call.args[1] % call.result.ndim,
        call.args[2] or 0,
        call.args[3],
        call.args[4],
    )
    size = call.args[0].shape[axis]
    first = max(first + size, 0) if first < 0 else first
    return mine.slide(axis, call.result.shape[axis], 1, step, -first, 1)


def _pad(call: Call) -> Positions | None:
    mine = call.positions(call.args[0])
    for number, before in enumerate(call.args[1][::2]):
        axis = call.result.ndim - 1 - number
        if mine is not None:
            size, after = call.args[0].shape[axis], call.args[1][2 * number + 1]
            if before or after:
                mine = mine.slide(axis, size + before + after, 1, 1, before, 1)
    return mine


def _convolution(call: Call) -> Positions | None:
    mine, kernel = call.positions(call.args[0]), call.args[1].shape[2:]
    if mine is None or call.args[6]:  # a transposed one has no window that moves over its input
        return None
    mine = mine.contract(1, (Part("C", call.result.shape[1]),))
    strides, paddings, dilations = (_each(value, len(kernel)) for value in call.args[3:6])
    for n, size in enumerate(kernel):
        axis = n + 2
        mine = mine.slide(
            axis, call.result.shape[axis], size, strides[n], paddings[n], dilations[n]
        )
    return mine


def _pool(call: Call, dilation: Any = 1) -> Positions | None:
    mine = call.positions(call.args[0])
    if mine is None:
        return None
    count = {"1": 1, "2": 2, "3": 3}.get(str(_spatial(call.args[1])), call.result.ndim - 2)
    kernel = _each(call.args[1], count)
    strides, paddings = _each(call.args[2] or kernel, count), _each(call.args[3], count)
    dilations = _each(dilation, count)
    for n in range(count):
        axis = call.result.ndim - count + n
        mine = mine.slide(
            axis, call.result.shape[axis], kernel[n], strides[n], paddings[n], dilations[n]
        )
    return mine


def _max_pool(call: Call) -> Positions | None:
    return _pool(call, call.args[4])


def _adaptive_pool(call: Call) -> Positions | None:
    mine = call.positions(call.args[0])
    for number in range(len(call.args[1])):
        axis = call.result.ndim - len(call.args[1]) + number
        size, left = call.args[0].shape[axis], call.result.shape[axis]
        if mine is None or size % left:
            return None
        mine = mine.slide(axis, left, size // left, size // left, 0, 1)
        if left == 1:
            mine = _settled(mine, axis)
    return mine


def _reduce(call: Call) -> Positions | None:
    mine = call.positions(call.args[0])
    if mine is None:
        return None
    given = (
        call.args[1]
        if len(call.args) > 1 and call.args[1] not in (None, [])
        else range(len(mine.axes))
    )
    dims = [given] if isinstance(given, int) else list(given)
    dims = [dim % len(mine.axes) for dim in dims]
    for axis in dims:
        labels = tuple(Part(p.label, 1) for p in mine.axes[axis] if p.label in SEEN)
        mine = mine.contract(axis, labels)
    if call.result.ndim == len(mine.axes):
        return mine
    return mine.with_axes([axis for n, axis in enumerate(mine.axes) if n not in dims])


def _product(call: Call) -> Positions | None:
    """A matrix of rows times one that did not come of the input."""
    factors = [arg for arg in call.args if isinstance(arg, Tensor)][-2:]
    left, right = map(call.positions, factors)
    if left is None or right is not None:
        return None
    return left.contract(len(left.axes) - 1, (Part("C", call.result.shape[-1]),))


def _addmm(call: Call) -> Positions | None:
    made = _product(call)
    added = call.positions(call.args[0])
    return made if made is None or added is None else made.join(added)


def _normalise(call: Call) -> Positions | None:
    """What has a mean over the last axes taken off."""
    mine = call.positions(call.args[0])
    if mine is None:
        return None
    whole = mine
    for axis in range(call.result.ndim - len(call.args[1]), call.result.ndim):
        whole = whole.contract(axis, mine.axes[axis])
    return whole


def _softmax(call: Call) -> Positions | None:
    mine = call.positions(call.args[0])
    axis = call.args[1] % call.result.ndim
    return None if mine is None else mine.contract(axis, mine.axes[axis])


def _cat(call: Call) -> Positions | None:
    tensors, axis = call.args[0], call.args[1] % call.result.ndim
    known = [(number, p) for number, t in enumerate(tensors) if (p := call.positions(t))]
    number, main = max(known, key=lambda item: item[1].shape[axis])  # the rest is an edge
    if any(part.label in SEEN for part in main.axes[axis]):
        before = sum(tensor.shape[axis] for tensor in tensors[:number])
        return main.slide(axis, call.result.shape[axis], 1, 1, before, 1)
    parts = [positions for _, positions in known]
    if call.result.shape[axis] == len(tensors) == len(parts):
        return _side_by_side(parts, axis, main.axes[:axis] + main.axes[axis + 1 :])
    for other in parts:
        main = main.join(other)
    axes = list(main.axes)
    axes[axis] = (Part("C", call.result.shape[axis]),)
    return main.with_axes(axes)


def _stack(call: Call) -> Positions | None:
    known = [p for tensor in call.args[0] if (p := call.positions(tensor)) is not None]
    if len(known) != len(call.args[0]):
        return None
    return _side_by_side(known, call.args[1] % call.result.ndim, known[0].axes)


def _side_by_side(
    known: list[Positions], axis: int, others: tuple[tuple[Part, ...], ...]
) -> Positions:
    """Steps side by side again: an axis of time, where each sees another stretch of it."""
    joined = known[0]
    for other in known[1:]:
        joined = joined.join(other)
    fields = dict(joined.fields)
    gone = [label for label in fields if joined.size_of(label) is None]
    moving = [label for label in gone if len({p.fields[label] for p in known}) > 1]
    label = moving[0] if len(moving) == 1 else "C"
    axes = (*others[:axis], (Part(label, len(known)),), *others[axis:])
    if label in fields:
        steps = [p.fields[label] for p in known]
        jumps = {
            (later.start - step.start, later.stop - step.stop) for step, later in pairwise(steps)
        }
        start, stop = next(iter(jumps))
        if len(jumps) == 1 and start == stop:  # else some step looks back on all before it
            fields[label] = fields[label]._replace(
                start=steps[0].start, stop=steps[0].stop, jump=start
            )
    return Positions(axes, fields, joined.lengths)


def _chunks(call: Call) -> list[Positions]:
    """Pieces of an axis, one after the other."""
    mine = known_of([call.args[0]], call.positions)
    axis = (call.args[2] if len(call.args) > 2 else 0) % len(mine.axes)
    found, first = [], 0
    for piece in call.result:
        found.append(mine.slide(axis, piece.shape[axis], 1, 1, -first, 1))
        first += piece.shape[axis]
    return found


def _unbind(call: Call) -> list[Positions]:
    mine, axis = known_of([call.args[0]], call.positions), call.args[1] if len(call.args) > 1 else 0
    found = []
    for number, piece in enumerate(call.result):
        selected = _select(Call(call.positions, [call.args[0], axis, number], piece))
        found.append(selected or mine.everything(tuple(piece.shape)))
    return found


def _settled(positions: Positions, axis: int) -> Positions:
    """Say of an axis of one position that there is no other."""
    fields = dict(positions.fields)
    for part in positions.axes[axis]:
        if part.label in fields:
            fields[part.label] = fields[part.label].at(0)
    return Positions(positions.axes, fields, positions.lengths)


def _each(value: Any, count: int) -> list[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * count if len(values) == 1 else values


def _spatial(value: Any) -> int:
    return 0 if isinstance(value, int) else len(value)


# Operations that torch does not call pointwise, though each number comes of its own place.
AS_IT_IS = {
    "_native_batch_norm_legit_no_training",
    "_to_copy",
    "alias",
    "clone",
    "contiguous",
    "cudnn_batch_norm",
    "detach",
    "lift_fresh",
    "native_batch_norm",
    "native_dropout",
}
# Operations that look at a tensor's size alone.
FRESH = {"empty_like", "full_like", "new_empty", "new_full", "new_ones", "new_zeros"}
FRESH |= {"ones_like", "rand_like", "randn_like", "zeros_like"}
RULES: dict[str, Rule] = {
    **dict.fromkeys(("view", "_unsafe_view", "reshape", "_reshape_alias", "squeeze"), _view),
    **dict.fromkeys(("transpose", "t"), _transpose),
    **dict.fromkeys(("convolution", "_convolution", "cudnn_convolution"), _convolution),
    **dict.fromkeys(("max_pool2d_with_indices", "max_pool3d_with_indices"), _max_pool),
    **dict.fromkeys(("avg_pool2d", "avg_pool3d"), _pool),
    **dict.fromkeys(
        (
            "_adaptive_avg_pool2d",
            "_adaptive_avg_pool3d",
            "adaptive_max_pool2d",
            "adaptive_max_pool3d",
        ),
        _adaptive_pool,
    ),
    **dict.fromkeys(("mean", "sum", "amax", "max", "logsumexp"), _reduce),
    **dict.fromkeys(("mm", "bmm"), _product),
    **dict.fromkeys(("_softmax", "_log_softmax"), _softmax),
    "addmm": _addmm,
    "cat": _cat,
    "constant_pad_nd": _pad,
    "expand": _expand,
    "native_layer_norm": _normalise,
    "permute": _permute,
    "select": _select,
    "slice": _slice,
    "stack": _stack,
    "unsqueeze": _unsqueeze,
}
SEVERAL: dict[str, Callable[[Call], list[Positions]]] = {
    **dict.fromkeys(("split", "split_with_sizes"), _chunks),
    "unbind": _unbind,
}
