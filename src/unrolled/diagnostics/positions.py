"""Which positions of the input a position of a map sees: arithmetic on the axes of time and place.

Every axis of a tensor is a product of parts, and a part is called after the axis of the input that
its positions lie on: T, H or W. Other parts are B, the rows, and C, the features.
"""

from dataclasses import dataclass, replace
from math import prod
from typing import NamedTuple

SEEN = ("T", "H", "W")  # the axes on which a receptive field is stated


class Part(NamedTuple):
    """A factor of an axis: T, H, W, B or C, and how many positions it has."""

    label: str
    size: int


class Field(NamedTuple):
    """Position i of a map sees the input from start + i jump to stop + i jump, both included.

    A jump of 0 says that there is no i: the same stretch for all that is left of the axis. Nothing
    before ``first`` and after ``last`` is seen: there the input ends, or a window left a rest.
    """

    start: int
    stop: int
    jump: int
    first: int
    last: int

    @classmethod
    def whole(cls, length: int) -> "Field":
        """Return the field of what may see every position of an input."""
        return cls(0, length - 1, 0, 0, length - 1)

    @property
    def size(self) -> int:
        """Positions of the input that one of the map sees, padding among them.

        Where one stretch is left, what it has of the input counts.
        """
        first, last = self.seen()
        return self.stop - self.start + 1 if self.jump else last - first + 1

    def window(
        self, positions: int, kernel_size: int, stride: int, padding: int, dilation: int
    ) -> "Field":
        """Return the field after a window has moved over the axis, to so many positions."""
        start = self.start - padding * self.jump
        stop = self.stop + ((kernel_size - 1) * dilation - padding) * self.jump
        jump = self.jump * stride
        last = stop + (positions - 1) * jump
        return Field(start, stop, jump, max(self.first, start), min(self.last, last))

    def every(self, positions: int) -> "Field":
        """Return the field of something that is made of all positions."""
        stop = self.stop + (positions - 1) * self.jump
        return Field(self.start, stop, 0, self.first, self.last)

    def at(self, position: int) -> "Field":
        """Return the field of one position."""
        shift = position * self.jump
        return Field(self.start + shift, self.stop + shift, 0, self.first, self.last)

    def seen(self, position: int = 0) -> tuple[int, int]:
        """Return the first and the last position of the input that a position sees."""
        shift = position * self.jump
        return max(self.start + shift, self.first), min(self.stop + shift, self.last)

    def join(self, other: "Field") -> "Field":
        """Return the field of what sees whatever either sees, side by side."""
        first, last = min(self.first, other.first), max(self.last, other.last)
        if self.jump != other.jump:
            return Field(first, last, 0, first, last)
        start, stop = min(self.start, other.start), max(self.stop, other.stop)
        return Field(start, stop, self.jump, first, last)


@dataclass(frozen=True)
class Positions:
    """What the axes of a tensor mean, and what its positions see.

    Args:
        axes: the parts of each axis, outermost first.
        fields: what is seen along T, H and W, of those that the input has.
        lengths: how long the input is along each.
    """

    axes: tuple[tuple[Part, ...], ...]
    fields: dict[str, Field]
    lengths: dict[str, int]

    @classmethod
    def of_input(cls, axes: str, shape: tuple[int, ...]) -> "Positions":
        """Begin: every position of the input sees itself.

        Example:
            >>> Positions.of_input("BTCHW", (1, 16, 3, 9, 9)).fields["T"]
            Field(start=0, stop=0, jump=1, first=0, last=15)
        """
        parts = tuple((Part(label, size),) for label, size in zip(axes, shape, strict=True))
        lengths = {label: size for label, size in zip(axes, shape, strict=True) if label in SEEN}
        fields = {label: Field(0, 0, 1, 0, length - 1) for label, length in lengths.items()}
        return cls(parts, fields, lengths)

    @property
    def shape(self) -> tuple[int, ...]:
        """The tensor's shape."""
        return tuple(prod(part.size for part in axis) for axis in self.axes)

    def size_of(self, label: str) -> int | None:
        """Return how many positions there are along T, H or W; None where the axis is gone."""
        sizes = [part.size for axis in self.axes for part in axis if part.label == label]
        return prod(sizes) if sizes else None

    def with_axes(self, axes: list[tuple[Part, ...]] | tuple[tuple[Part, ...], ...]) -> "Positions":
        """Return the same fields with other axes."""
        return replace(self, axes=tuple(axes))

    def contract(self, axis: int, into: tuple[Part, ...]) -> "Positions":
        """Return what is made of all of an axis: a product with a matrix, or a mean."""
        fields = dict(self.fields)
        for part in self.axes[axis]:
            if part.label in fields:
                fields[part.label] = fields[part.label].every(part.size)
        axes = [into if number == axis else parts for number, parts in enumerate(self.axes)]
        return Positions(tuple(axes), fields, self.lengths)

    def slide(
        self, axis: int, size: int, kernel_size: int, stride: int, padding: int, dilation: int
    ) -> "Positions":
        """Return what a window makes that moves along an axis, ``size`` positions of it."""
        parts = [part for part in self.axes[axis] if part.label in SEEN]
        if len(parts) > 1:
            return self.contract(axis, (Part("C", size),))
        fields, label = dict(self.fields), parts[0].label if parts else "C"
        if label in fields:
            fields[label] = fields[label].window(size, kernel_size, stride, padding, dilation)
        axes = [(Part(label, size),) if n == axis else parts for n, parts in enumerate(self.axes)]
        return Positions(tuple(axes), fields, self.lengths)

    def view(self, shape: tuple[int, ...]) -> "Positions":
        """Return the same positions under another shape of as many numbers."""
        fields, axes = dict(self.fields), []
        parts = [part for axis in self.axes for part in axis]
        for size in shape:
            axis: list[Part] = []
            while prod(part.size for part in axis) < size or (not axis and _leads(parts, size)):
                axis.append(_take(parts, size // prod(part.size for part in axis), fields))
            axes.append(tuple(axis))
        if parts and axes:
            axes[-1] += tuple(parts)  # axes of one position that the new shape leaves out
        return Positions(tuple(axes), fields, self.lengths)

    def everything(self, shape: tuple[int, ...]) -> "Positions":
        """Return what may depend on every position: the honest answer for what is not known."""
        fields = {label: Field.whole(length) for label, length in self.lengths.items()}
        return Positions(tuple((Part("C", size),) for size in shape), fields, self.lengths)

    def join(self, other: "Positions") -> "Positions":
        """Return what sees whatever either of them sees, on these axes."""
        fields = {label: field.join(other.fields[label]) for label, field in self.fields.items()}
        return Positions(self.axes, fields, self.lengths)


def _leads(parts: list[Part], size: int) -> bool:
    return size == 1 and bool(parts) and parts[0].size == 1


def _take(parts: list[Part], size: int, fields: dict[str, Field]) -> Part:
    """Take the next part, or the outer factor of it, off the list."""
    label, whole = parts.pop(0)
    if whole <= size:
        return Part(label, whole)
    inner = whole // size
    parts.insert(0, Part("C", inner))
    if label in fields:  # the outer position sees what its inner ones see together
        fields[label] = fields[label].window(size, inner, inner, 0, 1)
    return Part(label, size)
