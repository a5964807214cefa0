"""One bad number never spreads: not into weights, not into moments, not into a checkpoint.

    python -m acceptance.bad_numbers [--injections 100]

NaN, infinities and 1e30 are put into loss, gradients, inputs and weights at random steps. The run
must stop before the update with weights and moments as they were and name the step and the place;
a huge but finite number may also be survived, with everything finite. The broken twin looks at the
loss alone.
"""

import argparse
import math
import random
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from acceptance.verdict import conclude
from unrolled.cells import LSTM
from unrolled.errors import NumericsError
from unrolled.layers import Linear, Serial
from unrolled.training import checkpoints, loop
from unrolled.training.loop import Progress, Training
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder
from unrolled.training.truncated_bptt import Chunk

PLACES = ("loss", "gradient", "input", "weight")
VALUES = (math.nan, math.inf, -math.inf, 1e30)
STEPS = 12
NAMED = "loss|weight|input|output|gradient|the norm|model"  # where it may be said to be


class Windows(Sequence[Chunk]):
    """Three windows of random numbers, with a bad one in one of them if asked for."""

    def __init__(self) -> None:
        self.x, self.target = torch.randn(3, 4, 5, 3), torch.randn(3, 4, 5, 2)

    def __len__(self) -> int:
        return 3

    def __getitem__(self, number: Any) -> Any:
        return Chunk(self.x[number], self.target[number], number)


def main() -> int:
    """Run the proof and its broken twin."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--injections", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began, generator = time.monotonic(), random.Random(options.seed)
    failures: list[str] = []
    stopped = 0
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(options.injections):
            place, value = PLACES[number % 4], VALUES[number // 4 % 4]
            fault, was_stopped = inject(Path(scratch) / str(number), place, value, generator)
            stopped += was_stopped
            failures += [f"{value} in {place}: {fault}"] if fault else []
        checkpoints.require_finite = lambda *_: None
        loop.nn.utils.clip_grad_norm_ = lambda *_: torch.ones(())  # type: ignore[assignment]
        twin, _ = inject(Path(scratch) / "twin", "gradient", math.nan, generator)
    return conclude(
        "bad_numbers",
        options.injections,
        failures,
        began=began,
        figures={"stopped": stopped, "survived_finite": options.injections - stopped, "twin": twin},
        control_failed=bool(twin),
        exercised=stopped >= options.injections // 2,
    )


def inject(path: Path, place: str, value: float, generator: random.Random) -> tuple[str, bool]:
    """Train with one bad number; return what was wrong with the outcome, and if it stopped."""
    torch.manual_seed(generator.randrange(2**30))
    model, data = Serial(LSTM(3, 7), Linear(7, 2)), Windows()
    bad_step = generator.randrange(2, STEPS)
    snapshots: list[dict[str, Tensor]] = []

    def report(progress: Progress) -> None:
        if progress.step == bad_step and progress.loss is not None:
            bad(place, value, model, data)
        snapshots.append(standing(training))

    def loss_of(y: Tensor, target: Tensor) -> Tensor:
        loss = ((y - target) ** 2).mean()
        return loss + value if place == "loss" and training.counters.step >= bad_step else loss

    folder = RunFolder.new(path, "proof", {}, keep=1)
    options = TrainingOptions(max_steps=STEPS, epochs=100, checkpoint_seconds=0, keep=1)
    training = Training(model, data, loss_of, lambda _: 1.0, options, folder=folder, report=report)
    try:
        training.run()
        message = ""
    except NumericsError as error:
        message = str(error)
    return verdict(training, folder, snapshots[-1], message, value), bool(message)


def bad(place: str, value: float, model: Serial, data: Windows) -> None:
    """Put the number where it belongs."""
    weight = next(model.parameters())
    if place == "gradient":
        weight.register_hook(lambda gradient: gradient.index_fill(0, torch.tensor([1]), value))
    elif place == "input":
        data.x[:, 2, 3, 1] = value
    elif place == "weight":
        with torch.no_grad():
            weight[3, 1] = value


def standing(training: Training) -> dict[str, Tensor]:
    """Return copies of weights and moments."""
    found = {name: p.detach().clone() for name, p in training.model.named_parameters()}
    for index, moments in training.optimizer.state_dict()["state"].items():
        found |= {f"{index}.{key}": torch.as_tensor(v).clone() for key, v in moments.items()}
    return found


def verdict(
    training: Training, folder: RunFolder, before: dict[str, Tensor], message: str, value: float
) -> str:
    """Return what is wrong, or nothing."""
    checkpoint, faults = folder.checkpoints.load()
    if checkpoint is None or faults:
        return "the last finite checkpoint is gone"
    if not all(
        bool(t.isfinite().all()) for t in checkpoint.tensors.values() if t.is_floating_point()
    ):
        return "a checkpoint is not finite"
    after = standing(training)
    if not message:
        finite = all(bool(tensor.isfinite().all()) for tensor in after.values())
        return "" if finite and math.isfinite(value) else "it was not noticed"
    if not re.search(rf"step \d+, got .+ in ({NAMED})", message):
        return f"step and place are not named: {message}"
    if any(not torch.equal(after[k].nan_to_num(), v.nan_to_num()) for k, v in before.items()):
        return "weights or moments were changed"
    return ""


if __name__ == "__main__":
    sys.exit(main())
