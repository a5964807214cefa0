"""The core of a plan: the part of a step that waits for the step before, as programs.

Forward, it computes states and what leaves the step; trained, it keeps the states and what each
product gave, and recomputes the rest on the way back. The gradients of weights are one product
each over all steps.
"""

from collections.abc import Container
from dataclasses import dataclass, field
from functools import cached_property

from unrolled.kernels.adjoint import Gradients, differentiate, fold
from unrolled.kernels.graph import Graph, Leaf, Value, base_of, in_order, uses_of, waiting
from unrolled.kernels.groups import Group, groups_of, is_stored
from unrolled.kernels.lifting import Lifted
from unrolled.kernels.lowering import Layout, lower
from unrolled.kernels.program import Kind, Op, Operand, Pointwise, Program


@dataclass
class Run:
    """A program, and which of its buffers is what.

    Buffers are numbers of the program's; scratch is what no field names.

    Args:
        program: what is run.
        previous: by state, the state before the step, or None if it is updated in place.
        states: by state, the state after the step, or in place.
        inputs: by input, or None if none of it is needed.
        vectors: by vector, or None.
        emitted: by emitted value; going back, their gradients.
        groups: by left factor, what its products gave; going back, the gradients of that.
        saved: what is kept besides, one buffer for all.
        factors: going back, left factors that must be kept, by number of the group.
        input_gradients: going back, by input; a group's buffer where that is the same.
        totals: going back, by vector, the sum of its gradients.
        products: going back, by group what its products gave.
    """

    program: Program
    previous: list[int | None] = field(default_factory=list)
    states: list[int] = field(default_factory=list)
    inputs: list[int | None] = field(default_factory=list)
    vectors: list[int | None] = field(default_factory=list)
    emitted: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    saved: int | None = None
    factors: dict[int, int] = field(default_factory=dict)
    input_gradients: list[int | None] = field(default_factory=list)
    totals: list[int | None] = field(default_factory=list)
    products: list[int] = field(default_factory=list)


class Core:
    """The part of a step that depends on the state.

    Args:
        lifted: that part as values.
        alone: one step is run at a time, and weights come from far.
    """

    def __init__(self, lifted: Lifted, *, alone: bool = False) -> None:
        self.graph: Graph = lifted.graph
        roots = fold(self.graph, [*lifted.states, *lifted.emitted], all_apart=alone)
        self.states = roots[: len(lifted.states)]
        self.emitted = roots[len(lifted.states) :]
        self.state_widths = [value.width for value in self.states]
        self.order = in_order(roots)
        late = waiting(roots)
        self.groups = groups_of([value for value in self.order if value in late])
        #: products that wait for no state
        self.early = [v for v in self.order if v.kind is Leaf.PRODUCT and v not in late]
        self.num_inputs, self.num_vectors = len(lifted.inputs), len(lifted.vectors)
        #: the inputs and vectors that are used, by number
        self.inputs, self.vectors = self._leaves(Leaf.INPUT), self._leaves(Leaf.VECTOR)
        self._backward: dict[tuple[bool, ...], Run] = {}

    def describe(self) -> str:
        """Say in words what a step is, once planned."""
        groups = [*groups_of(self.early), *self.groups]
        products = [
            f"{product.args[0].width} x {product.width}"
            for group in groups
            for product in group.products
        ]
        programs = self.training.program, self.backward(self.inputs).program
        forward, back = map(_instructions, programs)
        kept = sum(group.width for group in self.groups) + sum(self.state_widths)
        kept += sum(value.width for value in self._kept[0])
        kept += sum(value.width for value in self._kept[1])
        plural = "s" if len(products) > 1 else ""
        return (
            f"{len(products)} product{plural} in the loop ({', '.join(products)}), {forward} "
            f"instructions forward and {back} back, {kept:,} numbers kept of a step for training"
        )

    def _leaves(self, kind: Leaf) -> dict[int, Value]:
        return {value.number: value for value in self.order if value.kind is kind}

    @cached_property
    def inference(self) -> Run:
        """The program that keeps nothing."""
        return self._forward([], training=False)

    @cached_property
    def in_place(self) -> Run:
        """The program of one step, which writes states over and emits beside them."""
        return self._forward([], training=False, in_place=True)

    @cached_property
    def training(self) -> Run:
        """The program that keeps what ``backward`` needs."""
        return self._forward(self._kept[0], training=True)

    def _forward(self, kept: list[Value], *, training: bool, in_place: bool = False) -> Run:
        layout, run = Layout(), Run(Program((), ()))
        wanted: list[tuple[Value, Operand]] = []
        states = self._leaves(Leaf.STATE)
        last = []
        for number, value in enumerate(self.states):
            if training or (value in self.emitted and not in_place):
                before = layout.add(Kind.PREVIOUS, value.width)
                after = layout.add(Kind.SEQUENCE, value.width)
                run.previous.append(before.buffer)
            else:
                before = after = layout.add(Kind.ROWS, value.width)
                last.append(after.buffer)
                run.previous.append(None)
            run.states.append(after.buffer)
            if number in states:
                layout.put(states[number], before)
            wanted.append((value, after))
        self._give(layout, run, self.inputs, self.vectors)
        for value in self.emitted:
            if value in self.states and not in_place:
                run.emitted.append(run.states[self.states.index(value)])
            else:
                place = layout.add(Kind.SEQUENCE, value.width)
                run.emitted.append(place.buffer)
                wanted.append((value, place))
        for group in self.groups:
            place = layout.add(Kind.SEQUENCE if training else Kind.BETWEEN, group.width)
            run.groups.append(place.buffer)
            _side_by_side(layout, group.products, place)
        if kept:
            place = layout.add(Kind.SEQUENCE, sum(value.width for value in kept))
            run.saved = place.buffer
            for value, here in _spread_out(kept, place):
                if value.kind is Leaf.PRODUCT:
                    layout.put(value, here)
                else:
                    wanted.append((value, here))
        given = {value for value in self.order if value.is_given}
        run.program = lower(layout, wanted, given=given, last=last)
        return run

    def _give(
        self, layout: Layout, run: Run, inputs: dict[int, Value], vectors: dict[int, Value]
    ) -> None:
        """Place what is computed before the loop."""
        for number in range(self.num_inputs):
            run.inputs.append(None)
            if number in inputs:
                place = layout.add(Kind.SEQUENCE, inputs[number].width)
                layout.put(inputs[number], place)
                run.inputs[number] = place.buffer
        for number in range(self.num_vectors):
            run.vectors.append(None)
            if number in vectors:
                place = layout.add(Kind.VECTOR, vectors[number].width)
                layout.put(vectors[number], place)
                run.vectors[number] = place.buffer

    @cached_property
    def _gradients(self) -> Gradients:
        graph = self.graph
        seeds = [
            (value, graph.leaf(Leaf.STATE_GRADIENT, number, value.width))
            for number, value in enumerate(self.states)
        ]
        seeds += [
            (value, graph.leaf(Leaf.GRADIENT, number, value.width))
            for number, value in enumerate(self.emitted)
        ]
        return differentiate(graph, seeds)

    @cached_property
    def _returned(self) -> list[Value]:
        """All values that the backward program must compute."""
        factors = self._gradients.products
        found = [joined for _, joined in factors.values()]
        found += [value for value in self._gradients.given.values() if value is not None]
        return found + [factor for factor in factors if not is_stored(factor)]

    @cached_property
    def learnt(self) -> list[Group]:
        """The products that a gradient reaches; going back, groups are these."""
        factors = self._gradients.products
        return [Group(factor, products) for factor, (products, _) in factors.items()]

    @cached_property
    def _kept(self) -> tuple[list[Value], set[Value]]:
        """What going back needs as copies, and inputs that it needs whole.

        Copies are columns of inputs, and what products gave that begin from no state.
        """
        products = {value for value in self.order if value.kind is Leaf.PRODUCT}
        uses = uses_of(self._returned)
        reached = set(in_order(self._returned, products))
        copies, whole = [], set()
        for leaf in [*self.inputs.values(), *self.early]:
            if leaf not in reached:
                continue
            own = [use for use in uses[leaf] if use in reached and use not in products]
            slices = [use for use in own if use.kind is Leaf.SLICE]
            if len(slices) == len(own) and sum(use.width for use in set(slices)) < leaf.width:
                copies += list(dict.fromkeys(slices))
            elif leaf.is_given:
                whole.add(leaf)
            else:
                copies.append(leaf)
        return copies, whole

    @cached_property
    def kept_inputs(self) -> set[int]:
        """Which inputs going back needs, as numbers or as left factors of products."""
        factors = [base_of(group.factor) for group in self.learnt]
        whole = [*self._kept[1], *(leaf for leaf in factors if leaf.kind is Leaf.INPUT)]
        return {leaf.number for leaf in whole}

    def backward(self, wanted_inputs: Container[int]) -> Run:
        """Return the program that goes back, with the gradients of some inputs."""
        key = tuple(number in wanted_inputs for number in range(self.num_inputs))
        if key not in self._backward:
            self._backward[key] = self._make_backward(wanted_inputs)
        return self._backward[key]

    def _make_backward(self, wanted_inputs: Container[int]) -> Run:
        layout, run = Layout(), Run(Program((), ()))
        gradients, states = self._gradients, self._leaves(Leaf.STATE)
        copies, whole = self._kept
        wanted: list[tuple[Value, Operand]] = []
        for number, width in enumerate(self.state_widths):
            before = layout.add(Kind.PREVIOUS, width)
            place = layout.add(Kind.ROWS, width)
            run.previous.append(before.buffer)
            run.states.append(place.buffer)
            layout.put(self.graph.leaf(Leaf.STATE_GRADIENT, number, width), place)
            found = gradients.given.get(states[number]) if number in states else None
            if number in states:
                layout.put(states[number], before)
            wanted.append((found or self.graph.fill(0.0, width), place))
        inputs = {leaf.number: leaf for leaf in whole}
        self._give(layout, run, inputs, self.vectors)
        for number, value in enumerate(self.emitted):
            place = layout.add(Kind.SEQUENCE, value.width)
            run.emitted.append(place.buffer)
            layout.put(self.graph.leaf(Leaf.GRADIENT, number, value.width), place)
        for group in self.groups:
            place = layout.add(Kind.SEQUENCE, group.width)
            run.products.append(place.buffer)
            _side_by_side(layout, group.products, place)
        if copies:
            place = layout.add(Kind.SEQUENCE, sum(value.width for value in copies))
            run.saved = place.buffer
            _side_by_side(layout, copies, place)
        totals = self._place_gradients(layout, run, wanted, wanted_inputs)
        given = set(layout.places)
        run.program = lower(
            layout, wanted, totals=totals, given=given, last=run.states, reverse=True
        )
        return run

    def _place_gradients(
        self,
        layout: Layout,
        run: Run,
        wanted: list[tuple[Value, Operand]],
        wanted_inputs: Container[int],
    ) -> list[tuple[Value, Operand]]:
        """Place the gradients of products, inputs and vectors; return the sums that are wanted."""
        gradients, placed = self._gradients, dict[Value, int]()

        def buffer_of(gradient: Value) -> int:
            if gradient not in placed:
                place = layout.add(Kind.SEQUENCE, gradient.width)
                placed[gradient] = place.buffer
                wanted.append((gradient, place))
            return placed[gradient]

        for number, group in enumerate(self.learnt):
            run.groups.append(buffer_of(gradients.products[group.factor][1]))
            if not is_stored(group.factor):
                place = layout.add(Kind.SEQUENCE, group.factor.width)
                run.factors[number] = place.buffer
                wanted.append((group.factor, place))
        run.input_gradients = [None] * self.num_inputs
        for number, leaf in self.inputs.items():
            found = gradients.given.get(leaf)
            if found is not None and number in wanted_inputs:
                run.input_gradients[number] = buffer_of(found)
        run.totals = [None] * self.num_vectors
        totals: list[tuple[Value, Operand]] = []
        for number, leaf in self.vectors.items():
            found = gradients.given.get(leaf)
            if found is not None:
                place = layout.add(Kind.TOTAL, found.width)
                run.totals[number] = place.buffer
                parts = list(found.args) if found.kind is Leaf.CONCAT else [found]
                totals += [(v, p) for v, p in _spread_out(parts, place) if v.kind is not Op.FILL]
        return totals


def _instructions(program: Program) -> int:
    return sum(len(stage.instructions) for stage in program.stages if isinstance(stage, Pointwise))


def _spread_out(values: list[Value], place: Operand) -> list[tuple[Value, Operand]]:
    """Return a place for each value, side by side."""
    found, column = [], place.column
    for value in values:
        found.append((value, Operand(place.buffer, column)))
        column += value.width
    return found


def _side_by_side(layout: Layout, values: list[Value], place: Operand) -> None:
    for value, here in _spread_out(values, place):
        layout.put(value, here)
