"""Guards: what a plan took for granted about a module, as a key that changes when that does."""

from collections.abc import Hashable, Iterator
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

_INTERNAL = frozenset(vars(nn.Module())) - {"training"}
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_PLAIN = (bool, int, str, bytes, type(None), type, torch.dtype, torch.device)
_DEPTH = 4  # of lists, dictionaries and objects within one another


class Guarded(NamedTuple):
    """A module as it is now.

    Args:
        statics: its parameters and buffers, each once.
        key: of all that a trace takes for granted; equal keys, equal traces.
        refusal: why it cannot be planned at all, or None.
    """

    statics: list[Tensor]
    key: Hashable
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
        plain = tuple((k, frozen(v)) for k, v in own.items() if k not in _INTERNAL)
        key.append((type(inner), plain, _outside(type(inner))))
        if inner is not module and any(own[hooks] for hooks in _HOOKS):
            refusal = f"there are hooks on its {type(inner).__name__}"
    tensors = [tensor for _, tensor in statics.values()]
    key += [(tuple(t.shape), t.dtype, t.device.type, t.requires_grad) for t in tensors]
    return Guarded(tensors, tuple(key), refusal or _refusal_of(tensors))


def _refusal_of(tensors: list[Tensor]) -> str | None:
    for tensor in tensors:
        if tensor.device.type != "cpu":
            return f"it is on {tensor.device.type}"
        if type(tensor) not in (Tensor, nn.Parameter):
            return f"a parameter is a {type(tensor).__name__}"
    return None


def frozen(value: Any, depth: int = _DEPTH) -> Hashable:
    """Return a key for a value: the same for equal plain data, and the identity of what is not."""
    if isinstance(value, float):
        return value.hex()  # tells 1.0 from 1 and -0.0 from 0.0, and NaN is itself
    if isinstance(value, _PLAIN):
        return (type(value), value)
    if depth and isinstance(value, (tuple, list)):
        return (type(value), *(frozen(item, depth - 1) for item in value))
    if depth and isinstance(value, dict):
        return (dict, *((frozen(k, depth - 1), frozen(v, depth - 1)) for k, v in value.items()))
    if depth and hasattr(value, "__dict__") and not isinstance(value, (FunctionType, Tensor)):
        return (id(value), frozen(vars(value), depth - 1))
    return id(value)


def _outside(cls: type[nn.Module]) -> tuple[Hashable, ...]:
    """Return the values of plain names outside a class that its functions use."""
    return tuple(frozen(value) for value in _names_outside(cls).values())


def _names_outside(cls: type[nn.Module]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for function in _functions(cast(Hashable, cls)):
        for name in function.__code__.co_names:
            value = function.__globals__.get(name)
            if isinstance(value, (bool, int, float, str)):
                found[f"{function.__qualname__}.{name}"] = value
        for number, cell in enumerate(function.__closure__ or ()):
            content = _content(cell)
            if not isinstance(content, type):
                found[f"{function.__qualname__}.{number}"] = content
    return found


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


@cache
def _functions(cls: Hashable) -> tuple[FunctionType, ...]:
    return tuple(_own_functions(cast(type[nn.Module], cls)))


def _own_functions(cls: type[nn.Module]) -> Iterator[FunctionType]:
    for base in cls.__mro__:
        if base.__module__.startswith("torch.") or base is object:
            continue
        for member in vars(base).values():
            function = getattr(member, "__wrapped__", member)
            if isinstance(function, FunctionType):
                yield function
