"""Models side by side on the same data, whatever the task; what is done is kept."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from unrolled.errors import ConfigError, ReaderError
from unrolled.storage import write_file
from unrolled.tasks.learning import AnyLearning, Show
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import CONFIGURATION, RunFolder

_REQUEST = "comparison.json"


class Cell(NamedTuple):
    """One run of a comparison; folds count from 0."""

    model: str
    seed: int
    fold: int


@dataclass(frozen=True)
class Contest:
    """What is compared, and how; a task adds its own options.

    Args:
        data: as the task takes it.
        models: names.
        seeds: runs of each on the same data, from the seed of ``training`` on.
        folds: parts that test in turn; 1 for the split of the options.
        options: of each model, by its name.
        training: how long and how.
    """

    data: str
    models: tuple[str, ...]
    seeds: int
    folds: int
    options: dict[str, dict[str, Any]]
    training: TrainingOptions

    def __post_init__(self) -> None:
        if not self.models or len(set(self.models)) < len(self.models):
            raise ConfigError("names of models, each once", ", ".join(self.models) or "none")
        if self.seeds < 1 or self.folds < 1:
            raise ConfigError("seeds and folds of at least 1", f"{self.seeds} and {self.folds}")
        unknown = set(self.options) - set(self.models)
        if unknown:
            raise ConfigError(f"options of {', '.join(self.models)}", ", ".join(sorted(unknown)))

    @property
    def cells(self) -> list[Cell]:
        """Every run; all models of a seed and a fold come together."""
        return [
            Cell(model, seed, fold)
            for seed in range(self.training.seed, self.training.seed + self.seeds)
            for fold in range(self.folds)
            for model in self.models
        ]


def figures_of_all(
    contest: Contest,
    out: Path,
    run: Callable[[Cell, Path, Show], dict[str, Any]],
    show: Show,
) -> dict[str, list[dict[str, Any]]]:
    """Return the figures of every run, by the model's name; what was done before is kept.

    Args:
        contest: what is compared.
        out: a folder; one in which the same comparison was begun is gone on with.
        run: does one, in a folder of its own, and returns its figures.
        show: is told how far it is.
    Raises:
        ConfigError: the folder holds another comparison.
    """
    _require_same(contest, out)
    found: dict[str, list[dict[str, Any]]] = {model: [] for model in contest.models}
    for number, cell in enumerate(contest.cells):
        done = number / len(contest.cells)
        words = f"{cell.model}, seed {cell.seed}"
        if contest.folds > 1:
            words += f", fold {cell.fold + 1}"

        def shown(share: float, more: str, done: float = done, words: str = words) -> None:
            show(done + share / len(contest.cells), f"{words}, {more}")

        path = out / f"{cell.model}-seed-{cell.seed}-fold-{cell.fold + 1}"
        found[cell.model].append(_kept(path / "figures.json", cell, run, shown))
    return found


LearningT = TypeVar("LearningT", bound=AnyLearning)


def trained(
    path: Path,
    begin: Callable[[], tuple[LearningT, RunFolder]],
    reopen: Callable[[], tuple[LearningT, RunFolder]],
) -> tuple[LearningT, RunFolder]:
    """Return a run that is finished, begun in its folder or gone on with.

    Raises:
        KeyboardInterrupt: it was stopped.
    """
    learning, folder = reopen() if (path / CONFIGURATION).is_file() else begin()
    if not learning.training.run():
        raise KeyboardInterrupt
    return learning, folder


def _kept(
    path: Path, cell: Cell, run: Callable[[Cell, Path, Show], dict[str, Any]], show: Show
) -> dict[str, Any]:
    """Return the figures of one run, which is done unless it has been."""
    if path.is_file():
        try:
            figures: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except ValueError:
            raise ReaderError(f"the figures of a run in {path}", "damage", "remove it") from None
        return figures
    figures = run(cell, path.parent, show)
    write_file(path, json.dumps(figures, indent=2).encode())
    return figures


def _require_same(contest: Contest, out: Path) -> None:
    """Note what is compared, or make sure that it is what was compared in this folder before."""
    written = json.loads(json.dumps(asdict(contest)))
    path = out / _REQUEST
    if not path.is_file():
        if out.is_dir() and any(out.iterdir()):
            raise ConfigError(f"a new folder for --out, not {out}", "one in use", "name another")
        write_file(path, json.dumps(written, indent=2).encode())
        return
    try:
        before = json.loads(path.read_text("utf-8"))
    except ValueError:
        raise ReaderError(f"the comparison in {path}", "damage") from None
    changed = [key for key in written if before.get(key) != written[key]]
    if changed:
        got = f"other {' and '.join(changed)}"
        raise ConfigError(f"the comparison that was begun in {out}", got, "name another --out")
