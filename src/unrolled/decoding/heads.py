"""A model without its last layer, whose logits are then looked through while they are computed."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, cast

from torch import Tensor, nn

from unrolled import fused
from unrolled.decoding.steps import AnyRecurrence, Steps
from unrolled.errors import ShapeError
from unrolled.kernels.likeliest import PackedHead, serves
from unrolled.layers import Linear, Serial
from unrolled.recurrence import Recurrence
from unrolled.state import map_leaves, named_leaves, state_dtype

# A prompt is read in chunks, so that what a model says to a long one need not all be there at once.
CHUNK = 256


@dataclass(frozen=True)
class Head:
    """The linear layer at the end of a model; its weights are frozen when it is first used.

    Args:
        layer: ``logits = features @ weight^T + bias``.
    """

    layer: nn.Linear | Linear

    @cached_property
    def packed(self) -> PackedHead:
        """The weights as the native library wants them."""
        return PackedHead(self.layer.weight, self.layer.bias)

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits after all."""
        return nn.functional.linear(features, self.layer.weight, self.layer.bias)


class Unspoken(NamedTuple):
    """Logits ``[R, V]`` that are not computed yet."""

    features: Tensor  # [R, D]
    head: Head

    @property
    def shape(self) -> tuple[int, int]:
        """R and V."""
        return len(self.features), self.head.layer.weight.shape[0]


@dataclass(frozen=True)
class Speaker:
    """A model in the loop of a search.

    Args:
        model: as it is, or without its last layer.
        head: that layer, if it was taken off.
        steps: how the model takes a step.
    """

    model: AnyRecurrence
    head: Head | None
    steps: Steps = field(default_factory=Steps)

    @classmethod
    def of(cls, model: AnyRecurrence) -> "Speaker":
        """Take the last layer off if it can be: a plain linear one, in float32 on a CPU."""
        name = _name_of_head(model)
        layer = model._modules[name] if name is not None else None
        if name is None or not _is_plain(layer) or fused.unfit_now() is not None:
            return cls(model, None)
        return cls(_with(model, name, _Passed()), Head(cast(nn.Linear, layer)))

    def rows(self, index: Tensor) -> "Speaker":
        """Return the same for rows ``index [M]`` of every bound context."""
        return Speaker(self.model.rows(index), self.head)

    def read(self, prompt: Tensor, state: Any) -> tuple[Tensor | Unspoken, Any]:
        """Return what follows ``prompt [B, P]``; of all but its last token no logits are made."""
        _, num_steps, state = self.model._begin(prompt, state)
        for chunk in prompt[:, :-1].split(CHUNK, dim=1) if num_steps > 1 else ():
            _, state = self.model(chunk, state)
        return self.step(prompt[:, -1], map_leaves(Tensor.clone, state))

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor | Unspoken, Any]:
        """Return what follows ``tokens [R]``; the state is the decoder's, to overwrite."""
        y_t, state = self.steps(self.model, tokens, state)
        said = getattr(y_t, "logits", y_t)
        if not isinstance(said, Tensor) or said.ndim != 2:
            raise not_logits("y_t", y_t, "[B, V]")
        if self.head is None:
            return said.to(state_dtype(said.dtype)), state
        return Unspoken(said, self.head), state


def not_logits(name: str, y: Any, axes: str) -> ShapeError:
    """Return the error for a model that says something else."""
    parts = ", ".join(f"{k or name} {list(v.shape)}" for k, v in named_leaves(y).items())
    return ShapeError(f"{name} to be logits {axes}, or to have a field logits", parts)


class _Passed(Recurrence[tuple[()]]):
    """Stands where the last layer was, among layers and among torch's modules alike."""

    def step(self, x_t: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        return x_t, state

    def __call__(self, x: Tensor, *state: tuple[()]) -> Any:
        return (x, *state) if state else x


def _name_of_head(model: AnyRecurrence) -> str | None:
    """Return the name of the layer whose output the model returns as it is, if it says so.

    A subclass that has its own ``step`` may do more with it: then it must say so itself.
    """
    cls = type(model)
    if model.stride > 1 or {"step", "step_", "scan"} & vars(model).keys():
        return None
    if isinstance(model, Serial):
        plain = cls.step is Serial.step and cls.step_ is Serial.step_
        return list(model._modules)[-1] if plain else None
    maker = _maker(cls, "output_layer")
    own = {_maker(cls, name) for name in ("step", "step_")} - {Recurrence}
    return cls.output_layer if own == {maker} else None


def _maker(cls: type, name: str) -> type:
    """Return the class that a class has an attribute from."""
    return next(base for base in cls.__mro__ if name in vars(base))


def _is_plain(layer: object) -> bool:
    """Tell whether a layer is a linear one, no hook looks at it, and the library takes it."""
    if type(layer) not in (nn.Linear, Linear):
        return False
    assert isinstance(layer, nn.Linear | Linear)
    hooked = layer._forward_hooks or layer._forward_pre_hooks or "forward" in vars(layer)
    return not hooked and serves(layer.weight) and (layer.bias is None or serves(layer.bias))


def _with(model: AnyRecurrence, name: str, layer: nn.Module) -> AnyRecurrence:
    """Return a copy of a model, its tensors shared, with another layer in one place."""
    copied = object.__new__(type(model))
    vars(copied).update(vars(model))
    copied._modules = {**model._modules, name: layer}
    return copied
