"""The run that the proofs abuse: a small language model with dropout, saved at every step."""

from pathlib import Path
from typing import Any

from unrolled.readers.text import hash_text
from unrolled.storage import checksum
from unrolled.tasks.language.model import Learning
from unrolled.tasks.language.run import begin, reopen
from unrolled.training.run_folder import RunFolder
from unrolled.world import narrate


def request(folder: Path, steps: int, **training: Any) -> dict[str, Any]:
    """Return what such a run is asked for; its text is written beside ``folder``."""
    text = folder.parent / "story.txt"
    if not text.exists():
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(narrate(60).text)
    return {
        "data": str(text),
        "model": "lstm",
        "options": {"hidden_size": 11, "embedding_size": 5, "num_layers": 2, "dropout": 0.2},
        "reading": {},
        "training": {
            "max_steps": steps,
            "epochs": 10**6,
            "batch_size": 4,
            "window": 16,
            "checkpoint_seconds": 0,
            "threads": 1,
            "keep": 2,
            **training,
        },
    }


def open_or_begin(folder: Path, steps: int) -> tuple[Learning, RunFolder]:
    """Take the run up where it stands, or begin it."""
    if (folder / "config.yaml").exists():
        return reopen(folder, lambda *_: None)
    return begin(folder, request(folder, steps), lambda *_: None)


def fingerprint(folder: RunFolder) -> dict[str, str]:
    """Return a hash of all that a run came to: every tensor of its last checkpoint, and its log."""
    checkpoint, faults = folder.checkpoints.load()
    if checkpoint is None or faults:
        raise RuntimeError(f"no good last checkpoint: {faults}")
    found = {name: checksum(tensor) for name, tensor in sorted(checkpoint.tensors.items())}
    counters = {k: v for k, v in checkpoint.manifest.items() if k != "seconds"}
    found["manifest"] = hash_text(str(counters))
    found["log"] = hash_text((folder.path / "metrics.jsonl").read_text())
    return found
