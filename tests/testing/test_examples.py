"""The table of examples: every public module, in every check, in both precisions."""

import doctest
import gc
import importlib
import inspect
import pkgutil
import weakref

import jaxtyping
import pytest
import torch

import unrolled
from tests.kernels.machines import choose
from unrolled import cells, fused
from unrolled.recurrence import Recurrence
from unrolled.state import Tree, leaves, map_leaves, named_leaves, state_dtype
from unrolled.testing import check_recurrence
from unrolled.testing.case import Case, call
from unrolled.testing.examples import EXAMPLES, Example

BY_NAME = {example.name: example for example in EXAMPLES}


def parts_of(example: Example) -> tuple[Recurrence, Tree, Tree | None]:
    module, x = example.build(), example.x()
    return module, x, example.context(module, len(x)) if example.context else None


def case_of(example: Example, dtype: torch.dtype) -> Case:
    return Case.of(*parts_of(example), dtype)


def check_all(name: str, dtype: torch.dtype, *, seed: int) -> None:
    module, x, context = parts_of(BY_NAME[name])
    check_recurrence(module, x, context=context, dtypes=(dtype,), seed=seed, rounds=2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", BY_NAME)
def test_law(name: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    if dtype == torch.float64:  # shapes are those of float32, where every annotation is checked
        monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    check_all(name, dtype, seed=int(dtype == torch.float64))  # other cuts, lengths and resets


def with_bases(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    return [*tensors, *(tensor._base for tensor in tensors if tensor._base is not None)]


@pytest.mark.parametrize("name", BY_NAME)
def test_what_a_call_made_goes_with_it(name: str) -> None:
    """A cycle would keep all tensors of a call until Python looks for garbage."""
    case = case_of(BY_NAME[name], torch.float32)

    def learn() -> list[weakref.ref[torch.Tensor]]:
        bound, made = case.module, []
        if case.context is not None:
            context = map_leaves(torch.clone, case.context)
            bound, made = bound.given(context), leaves(context)
        y, _ = call(bound, case.x)
        given = {id(leaf) for leaf in with_bases(leaves(case.x))}  # y may be x
        made += [leaf for leaf in with_bases(leaves(y)) if id(leaf) not in given]
        loss = sum(leaf.sum() for leaf in leaves(y))
        if isinstance(loss, torch.Tensor) and loss.requires_grad:
            loss.backward()
        return [weakref.ref(tensor) for tensor in made]

    learn()  # what is made once and kept
    gc.disable()
    try:
        assert not any(reference() is not None for reference in learn())
    finally:
        gc.enable()


def is_planned(example: Example) -> bool:
    case = case_of(example, torch.float32)
    call(case.bound, case.x)
    return any(how.startswith("planned") for how in fused.answers(case.bound).values())


PLANNED = [name for name in BY_NAME if is_planned(BY_NAME[name])]  # float64 never is


@pytest.mark.skipif(not PLANNED, reason="there is no native library: all ran in the loop above")
def test_every_cell_with_rows_for_a_state_is_planned() -> None:
    looped = {"ConvRNN", "ConvLSTM", "ConvGRU"}  # their states are maps, not rows
    assert {name for name in cells.__all__ if not name.endswith("State")} - looped <= {
        type(BY_NAME[name].build()).__name__ for name in PLANNED
    }


@pytest.mark.parametrize("name", PLANNED)
def test_law_without_the_native_library(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    choose("none", monkeypatch)
    check_all(name, torch.float32, seed=2)


@pytest.mark.parametrize("name", BY_NAME)
def test_low_precision_keeps_a_float32_state(name: str) -> None:
    case = case_of(BY_NAME[name], torch.bfloat16)
    y, state = call(case.bound, case.x)
    for leaf in named_leaves(y).values():
        assert leaf.dtype == torch.bfloat16
    for leaf in named_leaves(state).values():
        assert leaf.dtype in (state_dtype(torch.bfloat16), torch.int64)


def is_base(cls: type) -> bool:
    return cls is Recurrence or inspect.isabstract(cls)


def public_recurrences() -> list[type]:
    found = set()
    for info in pkgutil.walk_packages(unrolled.__path__, "unrolled."):
        if info.name.endswith("__main__") or info.name.startswith("unrolled.testing"):
            continue
        for name, cls in inspect.getmembers(importlib.import_module(info.name), inspect.isclass):
            is_ours = cls.__module__.startswith("unrolled") and not name.startswith("_")
            if is_ours and issubclass(cls, Recurrence) and not is_base(cls):
                found.add(cls)
    return sorted(found, key=lambda cls: cls.__name__)


def missing_examples(classes: list[type], examples: list[Example]) -> list[str]:
    covered = {type(example.build()) for example in examples}
    return [cls.__name__ for cls in classes if cls not in covered]


def test_every_public_module_has_an_example() -> None:
    assert missing_examples(public_recurrences(), EXAMPLES) == []


def test_a_missing_example_is_noticed() -> None:
    class Forgotten(Recurrence):
        def scan(self, x, state):
            return x, state

    assert missing_examples([*public_recurrences(), Forgotten], EXAMPLES) == ["Forgotten"]


@pytest.mark.parametrize("cls", public_recurrences(), ids=lambda cls: cls.__name__)
def test_docstring_names_shapes_and_source_and_its_example_runs(cls: type) -> None:
    text = inspect.getdoc(cls) or ""
    for part in ("Shapes:", "Source:", "Example:"):
        assert part in text, f"{cls.__name__}'s docstring has no {part!r}"
    home = vars(importlib.import_module(cls.__module__))
    (example,) = doctest.DocTestFinder(recurse=False).find(cls, cls.__name__, globs=dict(home))
    assert example.examples, f"{cls.__name__}'s example has no >>> line"
    assert doctest.DocTestRunner().run(example).failed == 0
