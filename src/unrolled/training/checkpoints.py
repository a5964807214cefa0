"""Checkpoints: written whole or not at all, verified when read, the last good one always kept."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from unrolled.errors import ReaderError
from unrolled.storage import load_tensors, save_tensors
from unrolled.training.numerics import require_finite

_MANIFEST = "manifest"


@dataclass(frozen=True)
class Checkpoint:
    """A run at one step.

    Args:
        tensors: weights, moments, carried states, random states, by name.
        manifest: the counters, as JSON can hold them.
    """

    tensors: dict[str, Tensor]
    manifest: dict[str, Any]


class CheckpointFolder:
    """The checkpoints of a run, ``step-N.safetensors``.

    Args:
        path: the folder; it appears with the first checkpoint.
        keep: how many are kept.
    """

    def __init__(self, path: Path, keep: int) -> None:
        self.path = path
        self.keep = keep

    def save(self, step: int, checkpoint: Checkpoint) -> None:
        """Write a checkpoint durably, and only then remove the oldest beyond ``keep``.

        Raises:
            NumericsError: a tensor is not finite; nothing is written and nothing removed.
        """
        require_finite(checkpoint.tensors, f"the checkpoint of step {step}")
        metadata = {_MANIFEST: json.dumps(checkpoint.manifest)}
        save_tensors(self.path / f"step-{step}.safetensors", checkpoint.tensors, metadata)
        for old in self.files()[: -self.keep]:
            old.unlink()

    def load(self) -> tuple[Checkpoint | None, list[ReaderError]]:
        """Return the newest good checkpoint, if any, and what was wrong with newer ones."""
        faults: list[ReaderError] = []
        for path in reversed(self.files()):
            try:
                tensors, metadata = load_tensors(path)
                return Checkpoint(tensors, json.loads(metadata[_MANIFEST])), faults
            except ReaderError as error:
                faults.append(error)
            except (KeyError, ValueError):
                faults.append(ReaderError(f"a checkpoint in {path}", "another safetensors file"))
        return None, faults

    def files(self) -> list[Path]:
        """Return the checkpoints there are, oldest first."""
        found = {
            int(match[1]): path
            for path in self.path.glob("step-*.safetensors")
            if (match := re.fullmatch(r"step-(\d+)\.safetensors", path.name))
        }
        return [found[step] for step in sorted(found)]
