"""Guards at a glance: a few comparisons tell that a module is as it was when it was looked at."""

from collections.abc import Hashable, Mapping
from operator import is_
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from unrolled.kernels.guards import HOOKS, INTERNAL, Guarded, content, frozen, guard, looked_at

_PLAIN = frozenset({bool, int, float, str, bytes, type(None), torch.dtype, torch.device})


def guarded(module: nn.Module) -> Guarded:
    """Return what ``guard`` does, at once where nothing has changed since it was asked last."""
    last = _glances.get(module)
    if last is None or not last.holds(module):
        last = _glances[module] = _Glance(module)
    return last.guarded


class _Part(NamedTuple):
    """Some values by name: those that cannot change are kept, of the others what ``frozen`` says.

    Nothing that might lead to the module is kept: it would live for ever.
    """

    names: list[str]
    plain: list[str]
    values: list[Any]
    others: list[tuple[str, Hashable]]

    @classmethod
    def of(cls, values: dict[str, Any], left_out: frozenset[str] = frozenset()) -> "_Part":
        seen = {name: value for name, value in values.items() if name not in left_out}
        plain = [name for name, value in seen.items() if _is_plain(value)]
        others = [(name, frozen(value)) for name, value in seen.items() if name not in plain]
        return cls([*values], plain, [seen[name] for name in plain], others)

    def holds(self, values: dict[str, Any]) -> bool:
        return (
            [*values] == self.names
            and all(map(is_, map(values.__getitem__, self.plain), self.values))
            and all(frozen(values[name]) == value for name, value in self.others)
        )


class _Tensors(NamedTuple):
    """The parameters or the buffers of a module, and what may change of a tensor in its place."""

    names: list[str]
    tensors: list[Tensor | None]
    looks: list[tuple[Any, ...]]

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor | None]) -> "_Tensors":
        return cls([*tensors], [*tensors.values()], [*map(_look, tensors.values())])

    def holds(self, tensors: Mapping[str, Tensor | None]) -> bool:
        return (
            [*tensors] == self.names
            and all(map(is_, tensors.values(), self.tensors))
            and [*map(_look, self.tensors)] == self.looks
        )


def _look(tensor: Tensor | None) -> tuple[Any, ...]:
    if tensor is None:
        return ()
    return type(tensor), tensor.shape, tensor.dtype, tensor.device, tensor.requires_grad


class _Outer:
    """What a class takes from outside itself."""

    def __init__(self, cls: type[nn.Module]) -> None:
        self.cls, self.forward, self.step = cls, cls.forward, getattr(cls, "step", None)
        found = looked_at(cast(Hashable, cls))
        self.names = [(values, name, _kept(values.get(name))) for values, name in found.names]
        self.cells = [(cell, _kept(content(cell))) for cell in found.cells]

    def holds(self, cls: type) -> bool:
        return (
            cls is self.cls
            and self.cls.forward is self.forward
            and getattr(cls, "step", None) is self.step
            and all(_is_still(values.get(name), kept) for values, name, kept in self.names)
            and all(_is_still(content(cell), kept) for cell, kept in self.cells)
        )


class _Glance:
    """A module as it was."""

    def __init__(self, module: nn.Module) -> None:
        self.guarded = guard(module)
        self.modules = [
            (
                _Outer(type(inner)),
                _Part.of(vars(inner), INTERNAL),
                _Tensors.of(inner._parameters),
                _Tensors.of(inner._buffers),
            )
            for inner in module.modules()
        ]

    def holds(self, module: nn.Module) -> bool:
        """Tell whether the module is still so; where in doubt, it is not."""
        inner_modules = [*module.modules()]
        if self.guarded.refusal is not None or len(inner_modules) != len(self.modules):
            return False
        for inner, (outer, part, parameters, buffers) in zip(
            inner_modules, self.modules, strict=True
        ):
            own = vars(inner)
            if not (
                outer.holds(type(inner))
                and part.holds(own)
                and parameters.holds(own["_parameters"])
                and buffers.holds(own["_buffers"])
            ):
                return False
            if inner is not module and any(map(own.__getitem__, HOOKS)):
                return False
        return True


_glances: "WeakKeyDictionary[nn.Module, _Glance]" = WeakKeyDictionary()

_Kept = tuple[bool, Any]  # whether it is plain, and then itself, else what ``frozen`` says


def _is_plain(value: Any) -> bool:
    kind = type(value)
    return kind in _PLAIN or (kind is tuple and all(map(_is_plain, value)))


def _kept(value: Any) -> _Kept:
    return (True, value) if _is_plain(value) else (False, frozen(value))


def _is_still(value: Any, kept: _Kept) -> bool:
    is_plain, before = kept
    return value is before if is_plain else frozen(value) == before
