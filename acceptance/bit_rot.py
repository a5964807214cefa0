"""A checkpoint that was damaged on disk is seen, named, and the one before it is used.

    python -m acceptance.bit_rot [--scale 1.0]

Single bits are flipped, ends cut off and blocks swapped in the newest of two checkpoints. Each
damage must be detected, or be harmless: the loaded tensors and counters are then the same. The
broken twin reads without checksums.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load

from acceptance.small_run import open_or_begin
from acceptance.verdict import conclude
from unrolled.training.checkpoints import Checkpoint, CheckpointFolder


def main() -> int:
    """Run the proof and its broken twin."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began, generator = time.monotonic(), random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        learning, folder = open_or_begin(Path(scratch) / "run", 6)
        learning.training.run()
        checkpoints = folder.checkpoints
        path = checkpoints.files()[-1]
        good, original = path.read_bytes(), checkpoints.load()[0]
        failures: list[str] = []
        counts = {"detected": 0, "harmless": 0, "silent_without_checksums": 0}
        damages = [
            *[("flip", flip(good, generator)) for _ in range(round(2000 * options.scale))],
            *[
                ("cut", good[: generator.randrange(len(good))])
                for _ in range(round(500 * options.scale))
            ],
            *[("swap", swap(good, generator)) for _ in range(round(200 * options.scale))],
        ]
        for kind, damaged in damages:
            path.write_bytes(damaged)
            counts["silent_without_checksums"] += silently_wrong(damaged, good)
            outcome = judge(checkpoints, original, path)
            if outcome in counts:
                counts[outcome] += 1
            else:
                failures.append(f"{kind}: {outcome}")
    return conclude(
        "bit_rot",
        len(damages),
        failures,
        began=began,
        figures={**counts, "bytes": len(good)},
        control_failed=counts["silent_without_checksums"] > 0,
        exercised=counts["detected"] > 0.8 * len(damages),
    )


def judge(checkpoints: CheckpointFolder, original: Checkpoint, path: Path) -> str:
    """Say what became of a damage: detected, harmless, or what went wrong."""
    found, faults = checkpoints.load()
    if faults:
        if found is None or found.manifest["step"] >= original.manifest["step"]:
            return "the checkpoint before it was not used"
        return "detected" if path.name in str(faults[0]) else f"not named: {faults[0]}"
    same = found is not None and found.manifest == original.manifest
    same = same and found.tensors.keys() == original.tensors.keys()
    if same and all(torch.equal(found.tensors[k], v) for k, v in original.tensors.items()):
        return "harmless"
    return "loaded with wrong numbers"


def flip(data: bytes, generator: random.Random) -> bytes:
    """Flip one bit."""
    place = generator.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << generator.randrange(8)]) + data[place + 1 :]


def cut(data: bytes, generator: random.Random) -> bytes:
    """Cut the end off."""
    return data[: generator.randrange(len(data))]


def swap(data: bytes, generator: random.Random) -> bytes:
    """Exchange two blocks of 64 bytes that differ."""
    while True:
        a, b = sorted(generator.sample(range(0, len(data) - 64, 64), 2))
        if data[a : a + 64] != data[b : b + 64]:
            return (
                data[:a] + data[b : b + 64] + data[a + 64 : b] + data[a : a + 64] + data[b + 64 :]
            )


def silently_wrong(damaged: bytes, good: bytes) -> bool:
    """Say whether a reader without checksums would hand out other numbers and not notice."""
    try:
        found, wanted = load(damaged), load(good)
    except (SafetensorError, json.JSONDecodeError, UnicodeDecodeError, KeyError, ValueError):
        return False
    return found.keys() != wanted.keys() or not all(
        torch.equal(found[name], tensor) for name, tensor in wanted.items()
    )


if __name__ == "__main__":
    sys.exit(main())
