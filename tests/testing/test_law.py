"""Each check catches its broken twin and lets honest modules pass."""

import pytest
import torch
from torch import nn

from tests.testing import broken
from unrolled.errors import LawError, ShapeError
from unrolled.recurrence import Recurrence, Supports
from unrolled.testing import CHECKS, check_recurrence
from unrolled.testing.case import Case

# broken module -> the check that must be the first to catch it, and a word of its message
TWINS = {
    broken.OutputTimeFirst: ("output", "leading axes [3, 5]"),
    broken.SharesOneZero: ("memory", "the memory of state.sum"),
    broken.GrowingState: ("state", "constant shape"),
    broken.HalfState: ("state", "float16"),
    broken.WrongBlock: ("stride", "y of one block"),
    broken.LimitWithoutReason: ("limits", "a reason in words"),
    broken.WritesItsState: ("purity", "the given state: expected untouched, got written to"),
    broken.KeepsStateInABuffer: ("purity", "buffer last"),
    broken.KeepsItsGraph: ("detach", "backward"),
    broken.LeaksTheFuture: ("causality", "before a NaN at t = 1"),
    broken.MixesRows: ("rows", "row 0 beside garbage"),
    broken.OffByOneAtACut: ("cuts", "cut at"),
    broken.DetachesItsState: ("cuts", "gradient of"),
    broken.StepIsNotScan: ("steps", "y"),
    broken.InPlaceStepForgets: ("steps_in_place", "y"),
    broken.KeepsNotesAboutStates: ("saved_state", "the same bits"),
    broken.ForgetsLengths: ("lengths", "past row 0 of length 0"),
    broken.MasksAfterTheStep: ("padding", "gradient of x, NaN past the lengths"),
    broken.IgnoresReset: ("reset", "reset at t = 0"),
    broken.ResetsByMultiplication: ("reset", "got nan"),
    broken.ResetDropsTheCarriedState: ("reset_and_carry", "cut at"),
    broken.TilesItsContext: ("context", "3 rows to a context row"),
    broken.KeepsWorkOfTheContext: ("context_rows", "of rows [2, 1]"),
    broken.DetachesItsContext: ("context_gradient", "expected a gradient, got none"),
    broken.OrdinaryDropout: ("training", "cut at"),
    broken.ForgetsToSaveItsScale: ("state_dict", "the same bits"),
    broken.SharesItsCopies: ("copy", "the original's"),
    broken.RefusesToMove: ("move", "after .to("),
    broken.WrongBackward: ("gradients", "finite differences"),
}


def check(module: Recurrence) -> None:
    needs_context = module.context_type is not None
    num_steps = 6 if module.stride > 1 else 5
    context = broken.Bias(torch.randn(3, 3)) if needs_context else None
    check_recurrence(module, torch.randn(3, num_steps, 3), context=context)


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.__name__)
def test_a_broken_module_is_caught_by_its_own_check(twin: type[Recurrence]) -> None:
    name, words = TWINS[twin]
    with pytest.raises(LawError) as caught:
        check(twin())
    assert caught.value.check == name, str(caught.value)
    assert words in str(caught.value)


def test_every_check_has_a_broken_twin() -> None:
    assert {name for name, _ in TWINS.values()} == set(CHECKS)


@pytest.mark.parametrize("honest", [broken.Honest, broken.HonestWithContext])
def test_honest_modules_pass(honest: type[Recurrence]) -> None:
    check(honest())


class BatchNorm(Recurrence):
    """Normalises by statistics of the batch in train(), and declares it."""

    supports = Supports(training="statistics are taken over the batch and the chunk")

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)

    def scan(self, x, state):
        return self.norm(x.transpose(1, 2)).transpose(1, 2), state


class UndeclaredBatchNorm(BatchNorm):
    supports = Supports()


class NearestInteger(Recurrence):
    """Has no derivative, and declares it."""

    supports = Supports(gradient="rounding is flat almost everywhere")

    def scan(self, x, state):
        return x.round(), state


def test_a_declared_limit_is_respected() -> None:
    check(BatchNorm())
    check(NearestInteger())


def test_an_undeclared_limit_is_a_fault() -> None:
    with pytest.raises(LawError, match="training: y"):
        check(UndeclaredBatchNorm())


def test_an_error_on_the_way_is_a_fault_of_the_module() -> None:
    class OnlyFiveSteps(broken.Honest):
        def scan(self, x, state):
            if x.shape[1] not in (1, 5):
                raise RuntimeError("five steps, please")
            return super().scan(x, state)

    with pytest.raises(LawError, match="expected an answer, got RuntimeError: five steps, please"):
        check(OnlyFiveSteps())


@pytest.mark.parametrize("seed", range(5))
def test_two_ways_to_cut_cut_everywhere(seed: int) -> None:
    case = Case.of(broken.WrongBlock(), torch.randn(2, 14, 3), None, torch.float32, seed, rounds=2)
    ways = case.ways_to_cut(case.generator())
    assert sorted(place for way in ways for place in way) == [2, 4, 6, 8, 10, 12]
    assert [] not in ways


def test_too_small_an_input_is_refused() -> None:
    with pytest.raises(ShapeError, match="at least 2 rows and 2 steps"):
        check_recurrence(broken.Honest(), torch.randn(1, 5, 3))


def test_the_module_is_left_as_it_was() -> None:
    module = broken.Honest().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    check(module)
    assert module.training
    assert all(torch.equal(module.state_dict()[name], value) for name, value in before.items())
    assert module.weight.grad is None
