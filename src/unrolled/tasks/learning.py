"""What runs of all tasks have: a model, a loop, notices; and how they show how far they are."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from torch import nn

from unrolled.diagnostics import count_parameters
from unrolled.tasks.loading import Chunks, loading_share
from unrolled.training.loop import Progress, Training

Show: TypeAlias = Callable[[float, str], None]  # the share that is done, and a few words on it


class AnyModel(Protocol):
    """A model of any task."""

    @property
    def network(self) -> nn.Module:
        """What learns."""

    @property
    def model(self) -> dict[str, Any]:
        """Its name in the registry, None for a module from Python, and its options."""


class AnyLearning(Protocol):
    """A run of any task, ready to begin or to go on."""

    @property
    def model(self) -> AnyModel:
        """What learns."""

    @property
    def training(self) -> Training:
        """The loop."""

    @property
    def notices(self) -> list[str]:
        """What the caller should know, a sentence each."""


def silence(_: float, __: str) -> None:
    """Show nothing."""


def show_progress(show: Show) -> Callable[[Progress], None]:
    """Return what the loop reports to: it shows the share that is done, and the last loss."""
    words = ""

    def report(progress: Progress) -> None:
        nonlocal words
        if progress.loss is not None:
            words = f"{progress.loss:.3f} nats"
        show(progress.share, words)

    return report


def run_figures(
    learning: AnyLearning, chunks: Chunks, *, used: int, rejected: int
) -> dict[str, Any]:
    """Return the figures of a run that do not depend on what it learns.

    Args:
        learning: the run.
        chunks: that it learns from.
        used: samples of the data.
        rejected: samples that could not be used.
    """
    counters = learning.training.counters
    return {
        "used": used,
        "rejected": rejected,
        "total": used + rejected,
        "parameters": count_parameters(learning.model.network),
        "steps": counters.step,
        "skipped": counters.skipped,
        "seconds": counters.seconds,
        "loader_share": loading_share(chunks, counters.seconds),
    }
