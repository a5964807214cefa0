"""Tracing: one step of a cell, as the list of torch's own operations that it came down to.

A trace bakes in whatever is not an argument, so everything that it could hide is refused with a
reason: tensors that came from elsewhere, random numbers, writes in place, decisions on values.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

_aten = torch.ops.aten


Step = Callable[[list[Tensor], list[Tensor]], tuple[list[Tensor], list[Tensor]]]


class UnplannableError(Exception):
    """Why a step cannot be planned; it runs in the ordinary loop instead."""


class Part(IntEnum):
    """What a value depends on, and so how often it must be computed."""

    STATIC = 0  # on parameters and buffers: once a call
    GIVEN = 1  # on what is given to each row for all steps: once a row
    INPUT = 2  # on x too: for all steps at once
    STATE = 3  # on the state too: step by step


@dataclass(eq=False)
class Node:
    """A value of a step: an argument, or what an operation gave.

    Args:
        part: what it depends on.
        shape: with None where it is the batch size.
        dtype: of its elements.
        operation: one of torch's, or None for an argument.
        arguments: of the operation; nodes stand for tensors, ``BATCH`` for the batch size.
        keywords: of the operation.
        index: which of the operation's results, or None if there is just one.
        number: of an argument among those of its part.
    """

    part: Part
    shape: tuple[int | None, ...]
    dtype: torch.dtype
    operation: Any = None
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    index: int | None = None
    number: int = 0

    @property
    def name(self) -> str:
        """The operation's name, such as ``aten.add.Tensor``."""
        return str(self.operation)


class _Batch:
    def __repr__(self) -> str:
        return "B"


BATCH = _Batch()  # stands for the batch size among an operation's arguments


class Trace(NamedTuple):
    """A step: what it gave, from what.

    Args:
        outputs: the leaves of y_t.
        states: the leaves of the state after the step.
        arguments: x_t's leaves, the state's and the statics, by what they are.
    """

    outputs: list[Node]
    states: list[Node]
    arguments: dict[Part, list[Node]]


class _Recorder(TorchDispatchMode):
    """Writes down every operation between the arguments and the results."""

    def __init__(self, nodes: dict[int, Node]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.nodes = nodes
        self.alive: list[Tensor] = []  # an address may be used again once a tensor is gone
        self.calls: list[tuple[Any, Any, Any]] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # the wrapper it would bring imports all of torch._dynamo, a second's work

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Any = (),
        kwargs: Any = None,
    ) -> Any:
        kwargs = kwargs or {}
        _refuse(func, kwargs)
        arguments, keywords = tree_map_only(Tensor, self._node_of, (args, kwargs))
        if func is _aten.detach.default and not is_constant(arguments[0]):
            raise UnplannableError("it cuts the gradient with detach")
        result = func(*args, **kwargs)
        self.calls.append((func, arguments, keywords))
        several = isinstance(result, (tuple, list))
        for index, tensor in enumerate(result if several else [result]):
            if not isinstance(tensor, Tensor):
                raise UnplannableError(f"{func} gives no tensor")
            if id(tensor) in self.nodes:
                raise UnplannableError(f"{func} writes in place")
            self.alive.append(tensor)
            self.nodes[id(tensor)] = Node(
                Part.STATIC,  # until the records of both batch sizes are compared
                tuple(tensor.shape),
                tensor.dtype,
                func,
                tuple(arguments),
                keywords,
                index if several else None,
            )
        return result

    def _node_of(self, tensor: Tensor) -> Node:
        node = self.nodes.get(id(tensor))
        if node is None:
            raise UnplannableError(
                f"it uses a tensor {list(tensor.shape)} that is neither x, state, parameter "
                "nor buffer"
            )
        return node


_CONSTANT = {
    "aten.zeros.default": 0.0,
    "aten.ones.default": 1.0,
    "aten.new_zeros.default": 0.0,
    "aten.new_ones.default": 1.0,
    "aten.zeros_like.default": 0.0,
    "aten.ones_like.default": 1.0,
}


def is_constant(node: Node) -> bool:
    """Tell whether a node is one number throughout."""
    return constant(node) is not None


def constant(node: Node) -> float | None:
    """Return the number that all elements of a node are, if it was made that way."""
    if node.operation is _aten.detach.default:
        return constant(node.arguments[0])
    places = {"aten.full.default": 1, "aten.full_like.default": 1, "aten.new_full.default": 2}
    if node.name in places:
        value = node.arguments[places[node.name]]
        return float(value) if isinstance(value, int | float) else None
    return _CONSTANT.get(node.name)


def _refuse(func: Any, keywords: dict[str, Any]) -> None:
    """Refuse what a trace cannot stand for."""
    if torch.Tag.nondeterministic_seeded in func.tags:
        raise UnplannableError(f"{func} draws random numbers")
    if func in (_aten._local_scalar_dense.default, _aten.equal.default, _aten.is_nonzero.default):
        raise UnplannableError("it decides by a value of a tensor")
    if func._schema.is_mutable or "out" in keywords:
        raise UnplannableError(f"{func} writes in place")


def trace(
    step: Step,
    inputs: Sequence[Tensor],
    states: Sequence[Tensor],
    statics: Sequence[Tensor],
    num_given: int = 0,
) -> Trace:
    """Run a step twice, at two batch sizes, and return what it is made of.

    Args:
        step: from the leaves of x_t ``[B, ...]`` and of the state to those of y_t and of the state.
        inputs: leaves like those of x_t, of any batch size.
        states: leaves like those of the state.
        statics: every tensor that the step may use besides, such as parameters.
        num_given: how many leaves of x, the last ones, are the same at every step.

    Raises:
        UnplannableError: the step does what no trace can stand for.
    """
    _refuse_foreign_gradients(step, inputs, states)
    small, large = (_record(step, inputs, states, statics, size, num_given) for size in (2, 3))
    if len(small.calls) != len(large.calls):
        raise UnplannableError("what it does depends on the batch size")
    _Merger().merge(small, large)
    return Trace(small.outputs, small.states, small.arguments)


class _Record(NamedTuple):
    calls: list[tuple[Any, Any, Any]]
    nodes: list[Node]  # in the order in which they came to be
    outputs: list[Node]
    states: list[Node]
    arguments: dict[Part, list[Node]]


def _record(
    step: Step,
    inputs: Sequence[Tensor],
    states: Sequence[Tensor],
    statics: Sequence[Tensor],
    batch_size: int,
    num_given: int,
) -> _Record:
    # Fresh, distinct tensors: what happens to be one tensor today may be two tomorrow.
    x, state = _fresh(inputs, states, batch_size)
    nodes: dict[int, Node] = {}
    frame, given = x[: len(x) - num_given], x[len(x) - num_given :]
    parts = {Part.STATIC: statics, Part.GIVEN: given, Part.INPUT: frame, Part.STATE: state}
    for part, tensors in parts.items():
        for number, tensor in enumerate(tensors):
            node = Node(part, tuple(tensor.shape), tensor.dtype, number=number)
            nodes.setdefault(id(tensor), node)
    # Without gradients, since autograd adds operations of its own to what it keeps.
    with torch.no_grad(), _Recorder(nodes) as recorder:
        outputs, after = step(x, state)
    try:
        found = [nodes[id(leaf)] for leaf in outputs], [nodes[id(leaf)] for leaf in after]
    except KeyError:
        raise UnplannableError("it returns a tensor that is none of its own") from None
    arguments = {part: [nodes[id(leaf)] for leaf in leaves] for part, leaves in parts.items()}
    return _Record(recorder.calls, list(nodes.values()), *found, arguments)


def _fresh(
    inputs: Sequence[Tensor], states: Sequence[Tensor], batch_size: int
) -> tuple[list[Tensor], list[Tensor]]:
    """Return arguments of the same looks, of numbers that all differ."""
    generator = torch.Generator().manual_seed(0)

    def drawn(leaf: Tensor) -> Tensor:
        shape = (batch_size, *leaf.shape[1:])
        if leaf.is_floating_point():
            return torch.rand(shape, dtype=leaf.dtype, generator=generator)
        return torch.zeros(shape, dtype=leaf.dtype)

    return [drawn(leaf) for leaf in inputs], [drawn(leaf) for leaf in states]


def _refuse_foreign_gradients(
    step: Step, inputs: Sequence[Tensor], states: Sequence[Tensor]
) -> None:
    """Refuse gradients that are not torch's own, those of an autograd.Function."""
    with torch.enable_grad():
        outputs, after = step(*_fresh(inputs, states, 2))
    todo, seen = [leaf.grad_fn for leaf in (*outputs, *after)], set()
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            raise UnplannableError(f"its gradient is its own: {type(node).__name__}")
        todo += [before for before, _ in node.next_functions]


class _Merger:
    """Tells the batch size from other numbers, by comparing two records of the same step."""

    def merge(self, small: _Record, large: _Record) -> None:
        """Make the small record's nodes free of its batch size, and say what each depends on."""
        self.same = dict(zip(map(id, small.nodes), map(id, large.nodes), strict=True))
        freed: dict[int, Any] = {}  # the results of one operation go on sharing its arguments
        alive = [node.arguments for node in small.nodes]  # so that no address is used again
        for one, other, arguments in zip(small.nodes, large.nodes, alive, strict=True):
            if one.operation is not other.operation or one.dtype != other.dtype:
                raise UnplannableError("what it does depends on the batch size")
            found = self._free(arguments, other.arguments)
            one.arguments = freed.setdefault(id(arguments), found)
            one.keywords = self._free(one.keywords, other.keywords)
            shape = self._free(one.shape, other.shape)
            one.shape = tuple(None if size is BATCH else size for size in shape)
            if one.operation is not None:
                needs = max((value.part for value in arguments_of(one)), default=Part.STATIC)
                alone = Part.INPUT if None in one.shape else Part.STATIC
                one.part = alone if needs is Part.STATIC else needs

    def _free(self, one: Any, other: Any) -> Any:
        if isinstance(one, (tuple, list)):
            return type(one)(self._free(a, b) for a, b in zip(one, other, strict=True))
        if isinstance(one, dict):
            return {key: self._free(value, other[key]) for key, value in one.items()}
        if isinstance(one, Node):
            if self.same[id(one)] != id(other):
                raise UnplannableError("what it does depends on the batch size")
            return one
        if type(one) is int and (one, other) == (2, 3):
            return BATCH
        if one is not other and one != other:
            raise UnplannableError(f"a number in it depends on the batch size: {one}, {other}")
        return one


def static_arguments(traced: Trace, statics: Sequence[Tensor]) -> dict[Node, Tensor]:
    """Return the tensors that a step may use besides x and state, by node."""
    return dict(zip(traced.arguments[Part.STATIC], statics, strict=True))


def given_arguments(traced: Trace, given: Sequence[Tensor]) -> dict[Node, Tensor]:
    """Return what is the same at every step, by node."""
    return dict(zip(traced.arguments[Part.GIVEN], given, strict=True))


def arguments_of(node: Node) -> list[Node]:
    """Return the nodes that a node is computed from."""
    found = tree_flatten((node.arguments, node.keywords))[0]
    return [value for value in found if isinstance(value, Node)]


@dataclass(frozen=True)
class _Call:
    """An operation of a recipe.

    Args:
        operation: one of torch's.
        arguments: of it; nodes stand for tensors, ``BATCH`` for the batch size.
        keywords: of it.
        results: nodes, and which of the operation's results they are, None if there is just one.
    """

    operation: Any
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    results: list[tuple[int | None, Node]]


class Recipe:
    """How some nodes of a trace follow from others, as operations in order.

    Args:
        wanted: what is to be computed.
        known: what is there already.

    Attributes:
        reached: what is known in the end.
    """

    def __init__(self, wanted: Iterable[Node], known: Iterable[Node]) -> None:
        self._calls: list[_Call] = []
        self.reached = set(known)
        self._several: dict[tuple[Any, ...], _Call] = {}  # of operations with several results
        for node in wanted:
            self._reach(node)

    def _reach(self, node: Node) -> None:
        if node in self.reached:
            return
        for argument in arguments_of(node):
            self._reach(argument)
        self.reached.add(node)
        key = (node.operation, id(node.arguments))
        call = None if node.index is None else self._several.get(key)
        if call is None:
            call = _Call(node.operation, node.arguments, node.keywords, [])
            self._calls.append(call)
            if node.index is not None:
                self._several[key] = call
        call.results.append((node.index, node))

    def run(self, known: dict[Node, Tensor], batch_size: int) -> None:
        """Add what is wanted, and what is on the way, to what is known; gradients flow as ever."""
        for call in self._calls:
            arguments = [_filled(value, known, batch_size) for value in call.arguments]
            keywords = {k: _filled(value, known, batch_size) for k, value in call.keywords.items()}
            result = call.operation(*arguments, **keywords)
            for index, node in call.results:
                known[node] = result if index is None else result[index]


def _filled(value: Any, known: dict[Node, Tensor], batch_size: int) -> Any:
    if type(value) is Node:
        return known[value]
    if isinstance(value, (tuple, list)):
        return type(value)(_filled(item, known, batch_size) for item in value)
    return batch_size if value is BATCH else value
