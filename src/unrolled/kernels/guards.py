"""Guards: what a plan took for granted about a module, as a key that changes when that does."""

from collections.abc import Hashable, Iterator
from dataclasses import is_dataclass
from functools import cache
from types import CellType, FunctionType, SimpleNamespace
from typing import Any, NamedTuple, cast
from weakref import ref

import torch
from torch import Tensor, nn

# A bound context is no part of a module: it comes beside x.
INTERNAL = frozenset(vars(nn.Module())) - {"training"} | {"_context"}
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_PLAIN = (bool, int, str, bytes, type(None), type, torch.dtype, torch.device)
_COMMON = frozenset({bool, int, str, type(None)})  # asked first: guards are looked at in every call
_DEPTH = 4  # of lists, dictionaries and objects within one another
_OUTSIDE = (bool, int, float, str, tuple, list, dict, SimpleNamespace)


class _Itself:
    """An object as a key: equal to itself alone, also where another comes to lie at its address."""

    __slots__ = ("_address", "_reference")

    def __init__(
        self, value: object
    ) -> None:  # None, what a dead reference gives, is no such value
        self._address = id(value)
        try:
            self._reference: Any = ref(value)
        except TypeError:  # such as an object with slots: it is kept, so its address stays its own
            self._reference = lambda: value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Itself):
            return NotImplemented
        value = self._reference()
        return self is other or (value is not None and value is other._reference())

    def __hash__(self) -> int:
        return self._address


class Key:
    """Parts that are hashed once, however often they are looked up.

    Args:
        parts: of the key.
    """

    __slots__ = ("_hash", "_parts")

    def __init__(self, parts: tuple[Hashable, ...]) -> None:
        self._parts, self._hash = parts, hash(parts)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Key) and self._parts == other._parts)

    def __hash__(self) -> int:
        return self._hash


class Guarded(NamedTuple):
    """A module as it is now.

    Args:
        statics: its parameters and buffers, each once.
        key: of all that a trace takes for granted; equal keys, equal traces.
        refusal: why it cannot be planned at all, or None.
    """

    statics: list[Tensor]
    key: Key
    refusal: str | None


def guard(module: nn.Module) -> Guarded:
    """Look at a module and all within it."""
    statics: dict[int, tuple[int, Tensor]] = {}
    key: list[Hashable] = []
    refusal = None
    for inner in module.modules():
        own: dict[str, Any] = vars(inner)
        for tensors in (own["_parameters"], own["_buffers"]):
            for name, tensor in tensors.items():
                if tensor is not None:
                    number, _ = statics.setdefault(id(tensor), (len(statics), tensor))
                    key.append((name, number))
                else:
                    key.append((name, None))
        plain = tuple((k, frozen(v)) for k, v in own.items() if k not in INTERNAL)
        key.append((type(inner), plain, _outside(type(inner))))
        if inner is not module and any(own[hooks] for hooks in HOOKS):
            refusal = f"there are hooks on its {type(inner).__name__}"
    tensors = [tensor for _, tensor in statics.values()]
    key += [(tuple(t.shape), t.dtype, t.device.type, t.requires_grad) for t in tensors]
    return Guarded(tensors, Key(tuple(key)), refusal or _refusal_of(tensors))


def static_names(module: nn.Module) -> list[str]:
    """Return the paths of the tensors that ``guard`` calls statics, in its order."""
    names: dict[int, str] = {}
    for path, inner in module.named_modules():
        for tensors in (inner._parameters, inner._buffers):
            for name, tensor in tensors.items():
                if tensor is not None:
                    names.setdefault(id(tensor), f"{path}.{name}" if path else name)
    return list(names.values())


def _refusal_of(tensors: list[Tensor]) -> str | None:
    for tensor in tensors:
        if tensor.device.type != "cpu":
            return f"it is on {tensor.device.type}"
        if type(tensor) not in (Tensor, nn.Parameter):
            return f"a parameter is a {type(tensor).__name__}"
    return None


def frozen(value: Any, depth: int = _DEPTH) -> Hashable:
    """Return a key for a value: the same for equal plain data, and the identity of what is not."""
    kind = type(value)
    if kind in _COMMON:
        return (kind, value)
    if isinstance(value, float):
        return value.hex()  # tells 1.0 from 1 and -0.0 from 0.0, and NaN is itself
    if isinstance(value, _PLAIN):
        return (kind, value)
    if depth and isinstance(value, (tuple, list)):
        return (kind, *(frozen(item, depth - 1) for item in value))
    if depth and isinstance(value, dict):
        return (dict, *((frozen(k, depth - 1), frozen(v, depth - 1)) for k, v in value.items()))
    if depth and hasattr(value, "__dict__") and not isinstance(value, (FunctionType, Tensor)):
        return (_Itself(value), frozen(vars(value), depth - 1))
    return _Itself(value)


class Outside(NamedTuple):
    """What a class's own functions read outside it.

    Args:
        names: global ones of numbers, strings, collections of them, namespaces or dataclasses.
        cells: of closures.

    What the functions that these call read in turn is not followed.
    """

    names: list[tuple[dict[str, Any], str]]
    cells: list[CellType]


def _outside(cls: type[nn.Module]) -> tuple[Hashable, ...]:
    """Return what a class takes from outside itself, and which functions it runs."""
    found = looked_at(cast(Hashable, cls))
    names = [frozen(values.get(name)) for values, name in found.names]
    cells = [frozen(content(cell)) for cell in found.cells]
    return frozen(cls.forward), frozen(getattr(cls, "step", None)), *names, *cells


@cache
def looked_at(cls: Hashable) -> Outside:
    """Return what the functions of a class read outside it."""
    names: dict[tuple[int, str], tuple[dict[str, Any], str]] = {}
    cells: dict[int, CellType] = {}
    for function in _functions(cast(type[nn.Module], cls)):
        values = function.__globals__
        for name in function.__code__.co_names:
            value = values.get(name)
            if isinstance(value, _OUTSIDE) or (is_dataclass(value) and not isinstance(value, type)):
                names[id(values), name] = values, name
        for cell in function.__closure__ or ():
            if not isinstance(content(cell), type):  # `super()` closes over the class itself
                cells[id(cell)] = cell
    return Outside(list(names.values()), list(cells.values()))


def content(cell: CellType) -> Any:
    """Return what a cell of a closure holds, None if nothing yet."""
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _functions(cls: type[nn.Module]) -> Iterator[FunctionType]:
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] in ("torch", "typing") or base is object:
            continue
        for member in vars(base).values():
            function = getattr(member, "__wrapped__", member)
            if isinstance(function, FunctionType):
                yield function
