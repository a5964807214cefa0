"""What a comparison consists of, whatever the task."""

import pytest

from unrolled.errors import ConfigError
from unrolled.tasks.comparison import Cell, Contest
from unrolled.training.options import TrainingOptions


def contest(models: tuple[str, ...], *, seeds: int = 1, folds: int = 1, first: int = 0) -> Contest:
    return Contest("data", models, seeds, folds, {}, TrainingOptions(seed=first))


def test_seeds_go_on_from_the_first_and_models_of_a_fold_come_together() -> None:
    cells = contest(("a", "b"), seeds=2, folds=2, first=5).cells
    assert cells[:3] == [Cell("a", 5, 0), Cell("b", 5, 0), Cell("a", 5, 1)]
    assert [cell.seed for cell in cells] == [5] * 4 + [6] * 4


@pytest.mark.parametrize(
    ("models", "sizes"),
    [((), {}), (("a", "a"), {}), (("a",), {"seeds": 0}), (("a",), {"folds": 0})],
)
def test_what_is_no_comparison_is_refused(models: tuple[str, ...], sizes: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        contest(models, **sizes)
