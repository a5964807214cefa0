"""A device that is no CPU, for machines without one: real numbers, and a GPU's rules on placement.

``elsewhere`` is a device type of its own, registered as drivers of accelerators register theirs.
A tensor there holds a CPU tensor that computes for it. So autograd, control flow that depends on
data, optimizers and accelerate all run for real, and every operation first asks what CUDA asks:
all tensors of one device, but for a scalar tensor (or indices) on the CPU; and a generator that is
of the device too. (A fake tensor on ``cuda`` has no gradients in a build of torch without CUDA.)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch._decomp import decompositions
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_iter, tree_map
from torch.utils.backend_registration import (
    _DummyPrivateUse1Hook,
    _setup_privateuseone_for_python_backend,
)

NAME = "elsewhere"
_aten = torch.ops.aten
_MOVES = {_aten._to_copy.default, _aten.copy_.default}
_TAKE_CPU_INDICES = {_aten.index.Tensor, _aten.index_put.default, _aten.index_put_.default}
_TAKE_NO_CPU_SCALARS = {
    *(_aten.cat, _aten.stack, _aten.index_select, _aten.index_copy, _aten.index_copy_),
    *(_aten.gather, _aten.scatter, _aten.embedding, _aten.nll_loss_forward),
}
_FACTORIES = (
    *(_aten.empty.memory_format, _aten.empty_strided.default),
    *(_aten.arange.default, _aten.arange.start, _aten.arange.start_step),
    *(_aten.randperm.default, _aten.linspace.default, _aten.eye.default),
)
# torch sends these to kernels of CUDA's own; here they are their formulas.
_LAYERS = {
    "lstm.data": decompositions.lstm_data_impl,
    "gru.data": decompositions.gru_impl_data,
    "rnn_tanh.data": decompositions.rnn_tanh_data,
    "rnn_relu.data": decompositions.rnn_relu_data,
    "lstm.input": decompositions.lstm_impl,
    "gru.input": decompositions.gru_impl,
    "rnn_tanh.input": decompositions.rnn_tanh_input,
    "rnn_relu.input": decompositions.rnn_relu_input,
}


class Elsewhere(Tensor):
    """A tensor elsewhere; ``held`` computes for it."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "Elsewhere":
        made: Elsewhere = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=torch.device(NAME, 0),
        )
        made.held = held
        return made

    def __repr__(self) -> str:  # type: ignore[override]
        return f"elsewhere:{self.held!r}"

    def tolist(self) -> Any:
        """Return what a list of it on the CPU is."""
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Ask whether all are at one place, and compute on what the tensors hold."""
        kwargs = dict(kwargs or {})
        if func not in _MOVES:
            _require_one_place(func, args, kwargs)
        place = torch.device(kwargs["device"]) if kwargs.get("device") else None
        if place is not None and place.type == NAME:
            kwargs["device"] = torch.device("cpu")
        draws = torch.Tag.nondeterministic_seeded in func.tags
        with _driver.drawing() if draws else nullcontext():
            found = func(*_held(args), **_held(kwargs))
        if place is not None and place.type != NAME:
            return found
        if func is _aten.copy_.default and not isinstance(args[0], Elsewhere):
            return args[0]
        for leaf in tree_iter((args, kwargs)):
            if isinstance(leaf, Elsewhere) and leaf.shape != leaf.held.shape:
                raise NotImplementedError(f"{func}: it changes a shape in place")
        made = tree_map(lambda leaf: cls(leaf) if isinstance(leaf, Tensor) else leaf, found)
        return return_and_correct_aliasing(func, args, kwargs, made)


def _require_one_place(func: Any, args: Any, kwargs: dict[str, Any]) -> None:
    if func in _TAKE_CPU_INDICES:
        args = (args[0], *args[2:])
    least = 0 if func.overloadpacket in _TAKE_NO_CPU_SCALARS else 1
    strays = [
        leaf
        for leaf in tree_iter((args, kwargs))
        if isinstance(leaf, Tensor) and not isinstance(leaf, Elsewhere) and leaf.ndim >= least
    ]
    if strays:
        sizes = [list(stray.shape) for stray in strays]
        raise RuntimeError(f"{func}: expected all tensors to be {NAME}, got {sizes} on the CPU")
    generator = kwargs.get("generator")
    if generator is not None and generator.device.type == "cpu":
        raise RuntimeError(f"{func}: expected a generator {NAME}, got one on the CPU")


def _held(tree: Any) -> Any:
    return tree_map(lambda leaf: leaf.held if isinstance(leaf, Elsewhere) else leaf, tree)


def _factory(operator: Any) -> Callable[..., Tensor]:
    def make(*args: Any, **kwargs: Any) -> Tensor:
        return Elsewhere(operator(*args, **kwargs | {"device": torch.device("cpu")}))

    return make


def _copy_from(source: Tensor, target: Tensor, *_: bool) -> Tensor:
    _held(target).copy_(_held(source))
    return target


class _Driver:
    """What torch asks the module of a device: there is one, and it has a generator of its own."""

    def __init__(self) -> None:
        self.is_there = False
        self.random_state = torch.Generator().manual_seed(0).get_state()

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return self.is_there

    def device_count(self) -> int:
        return 1

    def current_device(self) -> int:
        return 0

    def set_device(self, device: Any) -> None:
        pass

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        self.random_state = torch.Generator().manual_seed(seed).get_state()

    def get_rng_state(self, *_: Any) -> Tensor:
        return self.random_state

    def set_rng_state(self, state: Tensor, *_: Any) -> None:
        self.random_state = state

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Let torch's generator on the CPU stand in for the device's."""
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self.random_state)
            yield
            self.random_state = torch.get_rng_state()


class _Hooks(_DummyPrivateUse1Hook):
    """What torch's core asks: whether the machine has the device."""

    def is_available(self) -> bool:
        return _driver.is_there


@contextmanager
def plugged_in() -> Iterator[None]:
    """Let the machine have the device; without, it is one that torch knows and nobody has."""
    _driver.is_there = True
    try:
        yield
    finally:
        _driver.is_there = False


def _register() -> tuple[_Driver, torch.library.Library]:
    driver, library = _Driver(), torch.library.Library("aten", "IMPL")
    _setup_privateuseone_for_python_backend(NAME, backend_module=driver, hook=_Hooks())
    for operator in _FACTORIES:
        library.impl(operator, _factory(operator), "PrivateUse1")
    for name, formula in _LAYERS.items():
        library.impl(name, formula, "AutogradPrivateUse1")
    library.impl("_copy_from", _copy_from, "PrivateUse1")
    return driver, library  # which are to live as long as this module


_driver, _library = _register()
