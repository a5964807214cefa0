"""Follow the positions of an input through every operation that torch runs on it."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from unrolled.diagnostics.position_rules import (
    AS_IT_IS,
    FRESH,
    RULES,
    SEVERAL,
    Call,
    elementwise,
    known_of,
)
from unrolled.diagnostics.positions import Positions


class Tracker(TorchDispatchMode):
    """While it is on, remember for every tensor that came of the input what it sees."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.known: dict[int, tuple[Tensor, Positions]] = {}  # the tensor too, to keep its id

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled here, and importing the compiler takes seconds

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.note(func, args, kwargs or {}, result)
        return result

    def positions(self, tensor: Any) -> Positions | None:
        """Return what is known of a tensor; None where it did not come of the input."""
        known = self.known.get(id(tensor))
        return None if known is None else known[1]

    def begin(self, x: Tensor, axes: str) -> None:
        """Take a tensor as the input."""
        self.known[id(x)] = x, Positions.of_input(axes, tuple(x.shape))

    def note(self, func: Any, args: Any, kwargs: dict[str, Any], result: Any) -> None:
        """Work out what the result of an operation sees."""
        tensors = [t for a in args for t in (a if isinstance(a, list | tuple) else [a])]
        if not any(id(tensor) in self.known for tensor in tensors):
            return
        name = func._overloadpacket.__name__
        if name in SEVERAL:
            found = SEVERAL[name](Call(self.positions, args, result))
            for part, positions in zip(result, found, strict=True):
                self.known[id(part)] = part, positions
            return
        first = result[0] if isinstance(result, list | tuple) else result
        if not isinstance(first, Tensor) or name in FRESH:
            return
        bound = _with_defaults(func, args, kwargs)
        same = torch.Tag.pointwise in func.tags or name in AS_IT_IS
        rule = RULES.get(name, elementwise if same else None)
        seen = None if rule is None else rule(Call(self.positions, bound, first))
        if seen is None or seen.shape != tuple(first.shape):
            seen = known_of(tensors, self.positions).everything(tuple(first.shape))
        self.known[id(first)] = first, seen


def _with_defaults(func: Any, args: Any, kwargs: dict[str, Any]) -> list[Any]:
    """Return the arguments of an operation in their order, defaults among them."""
    schema = func._schema.arguments
    rest = [kwargs.get(argument.name, argument.default_value) for argument in schema[len(args) :]]
    return [*args, *rest]
