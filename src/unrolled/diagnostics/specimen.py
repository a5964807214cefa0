"""A small instance of a named network with an input for it, made from what its class says."""

import inspect
import re
from ast import literal_eval
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.recurrence import Recurrence
from unrolled.registry import build_recurrence, lookup, lookup_recurrence
from unrolled.state import Tree

# Where a class asks for a size and none is given; some cells need input and hidden size alike.
_SIZES: dict[str, int] = {
    "channels": 25,
    "class_count": 10,
    "feature_size": 512,
    "hidden_size": 64,
    "in_channels": 1,
    "input_size": 64,
    "kernel_size": 3,
    "num_classes": 10,
    "out_channels": 25,
    "output_size": 10,
    "vocabulary_size": 65,
}
_AXES = {"H": 16, "W": 16, "L": 49}  # a frame of 16 by 16, a memory of 7 by 7 places
_FEATURES = ("input_size", "in_channels", "in_features", "embed_dim", "feature_size", "num_inputs")

AnyRecurrence = Recurrence[Any, Any, Any, Any]


@dataclass(frozen=True)
class Specimen:
    """A module and what its class was built with.

    Args:
        module: randomly initialised, in ``eval()``.
        options: every option it was built with, the chosen sizes among them.
        chosen: names of the sizes that nobody gave.
    """

    module: AnyRecurrence
    options: dict[str, Any]
    chosen: list[str]


def specimen(name: str, options: dict[str, Any]) -> Specimen:
    """Build a named network, choosing the sizes that its class asks for and ``options`` lacks.

    Raises:
        ConfigError: no such name or option, or a required option whose size is not known here.
    Example:
        >>> specimen("lstm", {"hidden_size": 5}).options
        {'input_size': 64, 'hidden_size': 5}
    """
    lookup_recurrence(name)
    used, chosen = choose_sizes(name, options)
    return Specimen(build_recurrence(name, **used).eval(), used, chosen)


def choose_sizes(
    name: str, options: dict[str, Any], known: dict[str, int] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Return all options of a named network, and the names of those that nobody gave.

    Args:
        name: in the registry.
        options: those that are given.
        known: sizes that settle others, before the usual ones.
    Raises:
        ConfigError: no such name, or a required option whose size is not known here.
    Example:
        >>> choose_sizes("lstm", {"hidden_size": 5})
        ({'input_size': 64, 'hidden_size': 5}, ['input_size'])
    """
    parameters = inspect.signature(lookup(name)).parameters.values()
    required = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    chosen = [key for key in required if key not in options]
    usual = _SIZES | (known or {})
    unknown = [key for key in chosen if key not in usual]
    if unknown:
        raise ConfigError(f"{unknown[0]} for {name!r}", "none", f"pass --set {unknown[0]}=VALUE")
    sizes = {key: usual[key] if key in chosen else options[key] for key in required}
    return sizes | {key: value for key, value in options.items() if key not in sizes}, chosen


def parse_options(pairs: list[str]) -> dict[str, Any]:
    """Read ``KEY=VALUE`` pairs; a value is a Python literal or else a word.

    Raises:
        ConfigError: a pair without "=".
    Example:
        >>> parse_options(["hidden_size=5", "bias=False", "cell=gru"])
        {'hidden_size': 5, 'bias': False, 'cell': 'gru'}
    """
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError("KEY=VALUE, as in hidden_size=64", repr(pair))
        try:
            options[key.strip().replace("-", "_")] = literal_eval(value)
        except (ValueError, SyntaxError):
            options[key.strip().replace("-", "_")] = value
    return options


def example_input(module: AnyRecurrence, num_steps: int, batch_size: int = 1) -> Tree:
    """Draw an input for a module, from what it says that it takes.

    That is the annotation of its ``step`` or ``scan``, such as ``Float[Tensor, "B C"]``, or else
    its docstring's ``Shapes: x [B, T, C] float``, or else what its first part takes.

    Raises:
        ConfigError: nothing says it, or an axis has a size that cannot be found.

    Example:
        >>> from unrolled.cells import ConvLSTM
        >>> example_input(ConvLSTM(3, 5), 7).shape
        torch.Size([1, 7, 3, 16, 16])
    """
    for part in _first_parts(module):
        for method, name in ((part.step, "x_t"), (part.scan, "x")):
            annotation = inspect.signature(method).parameters[name].annotation
            takes_blocks = "*S" in getattr(annotation, "dim_str", "")  # an axis more than a step
            if hasattr(annotation, "_fields") or (
                hasattr(annotation, "dim_str") and not takes_blocks
            ):
                return _draw(annotation, part, [batch_size, num_steps])
        stated = re.search(r"Shapes: x \[([\w, ]+)\] (float|int64)", inspect.getdoc(part) or "")
        if stated:
            axes, kind = stated.groups()
            leading = [batch_size, num_steps]
            return _draw_axes(axes.replace(",", ""), kind == "float", part, leading)
    raise ConfigError(
        'an annotation such as Float[Tensor, "B C"] for the input of step or scan',
        f"none on {type(module).__name__}",
    )


def example_features(module: AnyRecurrence) -> Tensor | None:
    """Draw what a module with ``remember`` makes its context of; None for one that takes none."""
    remember: Any = getattr(module, "remember", None)
    if module.context_type is None or remember is None:
        return None
    annotation = inspect.signature(remember).parameters["features"].annotation
    return _draw_axes(annotation.dim_str, True, module, [1])


def _first_parts(module: nn.Module) -> Iterator[AnyRecurrence]:
    """Go down from a module to the part of a part that its input meets first."""
    first: nn.Module | None = module
    while isinstance(first, Recurrence):
        yield first
        first = next((child for child in first.children() if isinstance(child, Recurrence)), None)


def _draw(annotation: Any, module: AnyRecurrence, leading: list[int]) -> Tree:
    """Draw a tensor, or a NamedTuple of tensors, as the annotation says."""
    if hasattr(annotation, "_fields"):
        fields = annotation.__annotations__
        parts = [_draw(fields[name], module, leading) for name in annotation._fields]
        return cast(Tree, annotation(*parts))
    is_float = any(str(dtype).startswith("float") for dtype in annotation.dtypes)
    return _draw_axes(annotation.dim_str, is_float, module, leading)


def _draw_axes(axes: str, is_float: bool, module: AnyRecurrence, leading: list[int]) -> Tensor:
    """Draw a tensor of ``leading`` sizes and the axes that are named after them."""
    names = [axis for axis in axes.split() if axis not in ("B", "T", "N")]
    shape = [*leading, *(_size(axis, module) for axis in names)]
    if not is_float:
        return torch.randint(2, shape)  # every vocabulary has two tokens
    like = next(module.parameters(), torch.zeros(()))
    return torch.randn(shape, dtype=like.dtype)


def _size(axis: str, module: AnyRecurrence) -> int:
    if axis in _AXES:
        return _AXES[axis]
    sizes = [getattr(module, name) for name in _FEATURES if hasattr(module, name)]
    if axis.startswith("*"):
        return 8
    if not sizes:
        raise ConfigError(
            f"the size of axis {axis} in an attribute such as input_size",
            f"none on {type(module).__name__}",
        )
    return int(sizes[0])
