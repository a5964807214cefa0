"""Lowering: from values to a program, stage by stage, with a place for every number."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from unrolled.kernels.adjoint import levels_of
from unrolled.kernels.graph import Leaf, Value, in_order
from unrolled.kernels.program import (
    Buffer,
    Instruction,
    Kind,
    Op,
    Operand,
    Pointwise,
    Product,
    Program,
    Stage,
)


@dataclass
class Layout:
    """The buffers of a program in the making, and what is where.

    Args:
        buffers: all of them.
        places: of given values, of products, and of what must be in a place of its own.
    """

    buffers: list[Buffer] = field(default_factory=list)
    places: dict[Value, Operand] = field(default_factory=dict)

    def add(self, kind: Kind, width: int) -> Operand:
        """Add a buffer, and return its first column."""
        self.buffers.append(Buffer(kind, width))
        return Operand(len(self.buffers) - 1)

    def put(self, value: Value, place: Operand) -> None:
        """Say where a value is, and of columns side by side where each of them is.

        What is given, or has a place already, stays there.
        """
        self.places.setdefault(value, place)
        if value.kind is Leaf.CONCAT:
            column = place.column
            for part in value.args:
                if part.is_computed and part not in self.places:
                    self.places[part] = Operand(place.buffer, column)
                column += part.width


def lower(
    layout: Layout,
    wanted: list[tuple[Value, Operand]],
    *,
    totals: Iterable[tuple[Value, Operand]] = (),
    given: set[Value],
    last: Iterable[int] = (),
    reverse: bool = False,
) -> Program:
    """Return the program that computes what is wanted.

    Args:
        layout: with the places of what is given and of products; scratch is added to it.
        wanted: values, and where they must end up.
        totals: values whose sum over rows and steps is wanted, and where.
        given: values that are there before a step.
        last: buffers whose old numbers are needed to the end, and so are written last.
        reverse: the program runs from the last step to the first.
    """
    return _Lowering(layout, wanted, list(totals), given, set(last)).program(reverse)


class _Lowering:
    def __init__(
        self,
        layout: Layout,
        wanted: list[tuple[Value, Operand]],
        totals: list[tuple[Value, Operand]],
        given: set[Value],
        last: set[int],
    ) -> None:
        self.layout, self.totals, self.given, self.last = layout, totals, given, last
        self.num_own = len(layout.buffers)
        self.roots = [value for value, _ in [*wanted, *totals]]
        self.order = in_order(self.roots, given)
        self.levels = levels_of(self.roots, given)
        self.end = max(self.levels.values(), default=0)
        self.users: dict[Value, list[Value]] = {value: [] for value in self.order}
        for value in self.order:
            if value not in given:
                for arg in value.args:
                    self.users[arg].append(value)
        self.segments = self._latest_segments()
        self.kept = {value for value, place in wanted if place.buffer in self.last}
        self.copies = self._place(wanted)
        self.absorbed = self._absorbed({value for value, _ in [*wanted, *totals]})

    def program(self, reverse: bool) -> Program:
        """Return the stages: arithmetic and products by turns."""
        stages: list[Stage] = []
        for segment in range(self.end + 1):
            instructions = self._instructions(segment)
            if instructions:
                stages.append(Pointwise(tuple(_share_tiles(instructions, self.layout.buffers))))
            stages += self._products(segment + 1)
        return _without_unused(
            Program(tuple(self.layout.buffers), tuple(stages), reverse), self.num_own
        )

    def _latest_segments(self) -> dict[Value, int]:
        """Compute everything as late as possible, near to where it is used."""
        segments: dict[Value, int] = {}
        for value in reversed(self.order):
            segment = self.end
            for user in self.users[value]:
                product = user.kind is Leaf.PRODUCT
                segment = min(segment, self.levels[user] - 1 if product else segments[user])
            segments[value] = segment
        return segments

    def _place(self, wanted: list[tuple[Value, Operand]]) -> list[tuple[Value, Operand]]:
        """Choose where each value is computed, and return what must be copied from there."""
        places, copies = self.layout.places, []
        for value in reversed(self.order):
            if value.kind is not Leaf.PRODUCT or value in self.given:
                continue
            if value not in places:
                places[value] = self.layout.add(Kind.BETWEEN, value.width)
            for start in value.args[1:]:  # it and what it begins from share their place
                product = start.kind is Leaf.PRODUCT and start not in self.roots
                made = start.is_computed or product
                if made and start not in places and len(self.users[start]) == 1:
                    places[start] = places[value]
        for value, place in sorted(wanted, key=lambda item: item[0].kind is not Leaf.CONCAT):
            whole = value.kind is Leaf.CONCAT and value not in self.given
            if place.buffer in self.last or value in places or not (value.is_computed or whole):
                copies.append((value, place))
            else:
                self.layout.put(value, place)
        for value in reversed(self.order):  # columns side by side come after what uses them
            if value not in self.given and (value.is_computed or value.kind is Leaf.CONCAT):
                if value not in places:
                    self.layout.put(value, self.layout.add(self._kind(value), value.width))
                elif value.kind is Leaf.CONCAT:
                    self.layout.put(value, places[value])
        return copies

    def _kind(self, value: Value) -> Kind:
        """Numbers that a product reads, or a later segment, must outlive their own."""
        own = self.segments[value]
        parts = [p for p in value.args if p.is_computed] if value.kind is Leaf.CONCAT else []
        stays = all(self.segments[p] == own and not self._outlives(p, own) for p in parts)
        return Kind.TILE if stays and not self._outlives(value, own) else Kind.BETWEEN

    def _outlives(self, value: Value, segment: int) -> bool:
        if value in self.kept and segment < self.end:
            return True
        for user in self.users[value]:
            if user.kind is Leaf.PRODUCT or self.segments[user] > segment:
                return True
            if user.kind is Leaf.SLICE and self._outlives(user, segment):
                return True
        return False

    def _absorbed(self, kept: set[Value]) -> dict[Value, Value]:
        """Return sums that are computed together with the product of numbers in them."""
        found = {}
        for value in self.order:
            if value.kind is Op.ADD and value not in self.given:
                for arg in value.args:
                    alone = arg.kind is Op.MUL and self.users[arg] == [value]
                    if alone and arg not in self.given and arg not in kept and self._is_tile(arg):
                        found[value] = arg
                        break
        return found

    def _is_tile(self, value: Value) -> bool:
        return self.layout.buffers[self.layout.places[value].buffer].kind is Kind.TILE

    def operand(self, value: Value) -> Operand:
        """Return where a value is."""
        if value in self.layout.places:
            return self.layout.places[value]
        assert value.kind is Leaf.SLICE, value
        base = self.operand(value.args[0])
        return Operand(base.buffer, base.column + value.number)

    def _instructions(self, segment: int) -> list[Instruction]:
        inside = set(self.absorbed.values())
        found: list[Instruction] = []
        for value in self.order:
            if self.segments[value] != segment or value in self.given or value in inside:
                continue
            if value.is_computed:
                found.append(self._computed(value))
            elif value.kind is Leaf.CONCAT:
                found += self._side_by_side(value)
        totals = [(v, p) for v, p in self.totals if self._ready(v) == segment]
        found += [Instruction(Op.TOTAL, v.width, p, (self.operand(v),)) for v, p in totals]
        return found + self._copied(segment)

    def _computed(self, value: Value) -> Instruction:
        assert isinstance(value.kind, Op)
        op, args = value.kind, value.args
        if value in self.absorbed:
            product = self.absorbed[value]
            other = args[1 - args.index(product)]
            op, args = Op.MULADD, (*product.args, other)
        operands = tuple(self.operand(arg) for arg in args)
        n = args[0].width if op in (Op.ROW_SUM, Op.ROW_MAX) else value.width
        return Instruction(op, n, self.operand(value), operands, value.value)

    def _side_by_side(self, value: Value) -> list[Instruction]:
        place, found = self.operand(value), []
        column = place.column
        for part in value.args:
            here = Operand(place.buffer, column)
            if self.operand(part) != here:
                found.append(Instruction(Op.COPY, part.width, here, (self.operand(part),)))
            column += part.width
        return found

    def _ready(self, value: Value) -> int:
        """Return the first segment at whose end a wanted value is there to be read."""
        if value.is_computed or value.kind is Leaf.CONCAT:
            return self.end if value in self.given else self.segments[value]
        return self.end

    def _copied(self, segment: int) -> list[Instruction]:
        """Copy what is wanted in a second place; what overwrites old numbers, at the very end."""
        early = [
            (v, p)
            for v, p in self.copies
            if p.buffer not in self.last and self._ready(v) == segment
        ]
        found = [Instruction(Op.COPY, v.width, p, (self.operand(v),)) for v, p in early]
        if segment != self.end:
            return found
        late = [(v, p) for v, p in self.copies if p.buffer in self.last]
        sources = []
        for value, place in late:
            source = self.operand(value)
            if source.buffer in self.last and source != place:  # it may be overwritten before
                kept = self.layout.add(Kind.TILE, value.width)
                found.append(Instruction(Op.COPY, value.width, kept, (source,)))
                source = kept
            sources.append(source)
        for (value, place), source in zip(late, sources, strict=True):
            if source != place:
                found.append(Instruction(Op.COPY, value.width, place, (source,)))
        return found

    def _products(self, level: int) -> list[Product]:
        found = []
        for value in self.order:
            if (
                value.kind is Leaf.PRODUCT
                and value not in self.given
                and self.levels[value] == level
            ):
                a, *init = value.args
                start = self.operand(init[0]) if init else None
                found.append(
                    Product(self.operand(a), value.blocks, value.width, self.operand(value), start)
                )
        return sorted(found, key=lambda product: (product.out.buffer, product.out.column))


def _share_tiles(instructions: list[Instruction], buffers: list[Buffer]) -> list[Instruction]:
    """Let scratch be used again as soon as nothing reads it any more."""
    last_use: dict[int, int] = {}
    for place, instruction in enumerate(instructions):
        for operand in (instruction.out, *instruction.args):
            if buffers[operand.buffer].kind is Kind.TILE:
                last_use[operand.buffer] = place
    free: dict[int, list[int]] = {}
    now: dict[int, int] = {}
    shared = []
    for place, instruction in enumerate(instructions):
        args = tuple(Operand(now.get(a.buffer, a.buffer), a.column) for a in instruction.args)
        dying = {a.buffer for a in instruction.args if last_use.get(a.buffer) == place}
        in_place = instruction.op not in (Op.ROW_SUM, Op.ROW_MAX, Op.SPREAD)
        if in_place:
            _release(dying, now, free, buffers, instruction)
        out = instruction.out
        if out.buffer in last_use and out.buffer not in now:
            ready = free.get(buffers[out.buffer].width, [])
            now[out.buffer] = ready.pop() if ready else out.buffer
        shared.append(
            replace(
                instruction, out=Operand(now.get(out.buffer, out.buffer), out.column), args=args
            )
        )
        for buffer in dying:
            if buffer in now:
                free.setdefault(buffers[buffer].width, []).append(now.pop(buffer))
        if last_use.get(out.buffer) == place and out.buffer in now:
            free.setdefault(buffers[out.buffer].width, []).append(now.pop(out.buffer))
    return shared


def _release(
    dying: set[int],
    now: dict[int, int],
    free: dict[int, list[int]],
    buffers: list[Buffer],
    instruction: Instruction,
) -> None:
    """Free the scratch of arguments that may be overwritten while they are read."""
    for operand in instruction.args:
        whole = operand.column == instruction.out.column == 0
        same = buffers[operand.buffer].width == instruction.n
        if operand.buffer in dying and operand.buffer in now and whole and same:
            free.setdefault(buffers[operand.buffer].width, []).append(now.pop(operand.buffer))


def _without_unused(program: Program, num_kept: int) -> Program:
    """Leave out scratch that nothing uses."""
    used = {operand.buffer for stage in program.stages for operand in _operands(stage)}
    kept = [b for b in range(len(program.buffers)) if b < num_kept or b in used]
    new = {old: number for number, old in enumerate(kept)}
    stages = tuple(_renamed(stage, new) for stage in program.stages)
    return Program(tuple(program.buffers[b] for b in kept), stages, program.reverse)


def _operands(stage: Stage) -> list[Operand]:
    if isinstance(stage, Product):
        return [stage.a, stage.out, *([stage.init] if stage.init else [])]
    return [o for instruction in stage.instructions for o in (instruction.out, *instruction.args)]


def _renamed(stage: Stage, new: dict[int, int]) -> Stage:
    def rename(operand: Operand) -> Operand:
        return Operand(new[operand.buffer], operand.column)

    if isinstance(stage, Product):
        init = rename(stage.init) if stage.init else None
        return replace(stage, a=rename(stage.a), out=rename(stage.out), init=init)
    return Pointwise(
        tuple(
            replace(i, out=rename(i.out), args=tuple(map(rename, i.args)))
            for i in stage.instructions
        )
    )
