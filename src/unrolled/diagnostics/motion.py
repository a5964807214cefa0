"""Does a network use motion? Its accuracy when the frames no longer tell what moves, or how."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError, ShapeError

WAYS = ("in order", "shuffled", "reversed", "frozen", "single frame")


@dataclass(frozen=True)
class MotionDiagnosis:
    """How many clips of each class are right, for each way of showing the frames.

    Args:
        class_names: K names, in the order of the logits.
        counts: clips of each class.
        right: for each of ``WAYS``, how many of them; None where the network refuses such clips.
    """

    class_names: tuple[str, ...]
    counts: tuple[int, ...]
    right: dict[str, tuple[int, ...] | None]

    def accuracy(self, way: str) -> float | None:
        """Return the share of all clips that is right, or None."""
        found = self.right[way]
        return None if found is None else sum(found) / sum(self.counts)

    def class_accuracy(self, way: str, name: str) -> float | None:
        """Return the share of a class that is right; None where there are no clips, or no way."""
        index, found = self.class_names.index(name), self.right[way]
        count = self.counts[index]
        return None if found is None or not count else found[index] / count

    def lost(self, way: str) -> float | None:
        """Return how much of the accuracy in order is lost in this way; below 0 if it gains."""
        whole, part = self.accuracy("in order"), self.accuracy(way)
        return None if whole is None or part is None else whole - part

    def rows(self) -> list[tuple[str, int, tuple[float | None, ...]]]:
        """Return (class, clips, accuracy for each of ``WAYS``), all classes together last."""
        classes = [
            (name, count, tuple(self.class_accuracy(way, name) for way in WAYS))
            for name, count in zip(self.class_names, self.counts, strict=True)
        ]
        together = tuple(self.accuracy(way) for way in WAYS)
        return [*classes, ("all", sum(self.counts), together)]

    def table(self) -> str:
        """Return it as a Markdown table, in percent.

        Example:
            >>> right = {"in order": (4,), "shuffled": (3,), "reversed": (1,), "frozen": (2,)}
            >>> found = MotionDiagnosis(("left",), (4,), right | {"single frame": None})
            >>> print(found.table().splitlines()[-1])
            | all | 4 | 100.0 | 75.0 | 25.0 | 50.0 | - |
        """
        lines = [f"| class | clips | {' | '.join(WAYS)} |", "|---|" + "---:|" * (len(WAYS) + 1)]
        for name, count, shares in self.rows():
            cells = ["-" if share is None else f"{share:.1%}".rstrip("%") for share in shares]
            lines.append(f"| {name} | {count} | {' | '.join(cells)} |")
        return "\n".join(lines)

    def figures(self) -> dict[str, Any]:
        """Return it for a report."""
        keys = ["clips", *(way.replace(" ", "_") for way in WAYS)]
        found = {
            name: dict(zip(keys, (count, *shares), strict=True))
            for name, count, shares in self.rows()
        }
        return {"all": found.pop("all"), "classes": found}


@torch.no_grad()
def diagnose_motion(
    classify: Callable[[Tensor], Tensor],
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    class_names: Sequence[str],
    seed: int = 0,
) -> MotionDiagnosis:
    """Measure what a network's accuracy owes to the order of the frames, and to their motion.

        in order        frames 0, 1, ... T - 1
        shuffled        a permutation drawn for each clip
        reversed        frames T - 1, ... 0
        frozen          the middle frame T times
        single frame    the middle frame once

    A network that ignores the order loses exactly nothing when frames are shuffled or reversed;
    one that needs motion falls to chance when they are frozen. What has no time axis to speak of
    may refuse a single frame (``ShapeError`` or ``ConfigError``): it then has no figure.

    Shapes: clips [B, T, ...], labels [B] int, logits [B, K].
    Args:
        classify: clips to logits, such as a module in eval(); a stream's caller decides which of
            its logits count.
        batches: clips and their labels; read once.
        class_names: K names.
        seed: of the permutations.
    Raises:
        ConfigError: there are no clips.
        ShapeError: the logits are not [B, K].
    Source: Huang et al. 2018, "What makes a video a video"; Sevilla-Lara et al. 2019,
        arXiv:1907.08340 (frames shuffled). Differs: reversed and frozen frames as well.
    Example:
        >>> mean = lambda clips: clips.mean(dim=1)  # of "frames" that are logits already
        >>> clips, labels = torch.eye(3)[:, None].repeat(1, 4, 1), torch.arange(3)
        >>> diagnose_motion(mean, [(clips, labels)], class_names="abc").lost("shuffled")
        0.0
    """
    generator = torch.Generator().manual_seed(seed)
    size = len(class_names)
    counts = torch.zeros(size, dtype=torch.int64)
    right: dict[str, Tensor | None] = {way: torch.zeros_like(counts) for way in WAYS}
    for clips, labels in batches:
        counts += torch.bincount(labels.cpu(), minlength=size)
        for way, shown in _shown(clips, generator).items():
            found = right[way]
            logits = None if found is None else _logits(classify, shown, way)
            if found is None or logits is None:
                right[way] = None
                continue
            if logits.shape != (len(clips), size):
                raise ShapeError(f"logits [B={len(clips)}, K={size}]", f"{list(logits.shape)}")
            hits = labels[logits.argmax(dim=1).to(labels.device) == labels]
            found += torch.bincount(hits.cpu(), minlength=size)
    if not counts.sum():
        raise ConfigError("clips to diagnose", "none")
    return MotionDiagnosis(
        tuple(class_names),
        tuple(counts.tolist()),
        {way: None if found is None else tuple(found.tolist()) for way, found in right.items()},
    )


def _shown(clips: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """Return the clips in each of ``WAYS``."""
    B, T = clips.shape[:2]
    orders = torch.stack([torch.randperm(T, generator=generator) for _ in range(B)])
    rows = torch.arange(B)[:, None]
    middle = clips[:, T // 2 : T // 2 + 1]
    ways = (clips, clips[rows, orders], clips.flip(1), middle.expand_as(clips), middle)
    return dict(zip(WAYS, ways, strict=True))


def _logits(classify: Callable[[Tensor], Tensor], clips: Tensor, way: str) -> Tensor | None:
    try:
        return classify(clips)
    except (ShapeError, ConfigError):
        if way != "single frame":
            raise
        return None
