"""Strangers' files run nothing: every way in, against files that were made to do harm.

    python -m acceptance.hostile_files [--files 300]

Pickles under safe names, headers that lie, configurations that name code, sizes that would fill the
memory, JSON without end, and mutants of good files go into every function that reads a file. An
audit hook watches for programs, sockets, imports by name and files written elsewhere. Each must
end within 2 s of computing in one of the library's own errors, or in a model as good as the
original. The broken twin falls back to pickle, as loaders do that want to be kind.
"""

import argparse
import contextlib
import io
import os
import pickle
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from acceptance.attacks import (
    Exploit,
    json_attacks,
    tensor_attacks,
    tokenizer_attacks,
    yaml_attacks,
)
from acceptance.hostile_weights import (
    WEIGHTS,
    convert_weights,
    is_our_own_reader,
    make_good_weights,
    weight_attacks,
)
from acceptance.small_run import open_or_begin
from acceptance.verdict import conclude
from unrolled.cells import LSTM
from unrolled.cli import main as main_of_the_command_line
from unrolled.errors import UnrolledError
from unrolled.readers.text import TextParts
from unrolled.storage import load_tensors
from unrolled.streaming import Stream
from unrolled.tasks.language.evaluation import evaluate
from unrolled.tasks.language.model import LanguageModel
from unrolled.tasks.language.options import LanguageOptions
from unrolled.tasks.language.run import reopen
from unrolled.world import narrate

WATCHED = (
    "os.system",
    "subprocess.Popen",
    "os.exec",
    "os.posix_spawn",
    "socket.connect",
    "os.fork",
)
MEGABYTES, SECONDS = 64, 2.0
TARGETS = (
    "model/config.json",
    "model/model.safetensors",
    "config.yaml",
    "resume.json",
    "checkpoint",
    "stream",
    "pairs/tokenizer.json",
    *WEIGHTS,
)


class Canary:
    """Notes what the process does that reading a file should never do."""

    def __init__(self, home: Path) -> None:
        self.home, self.events, self.armed = str(home), [], False
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an audit event."""
        if not self.armed:
            return
        writes = (
            event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        )
        path = arguments[0] if arguments else ""
        path = os.fsdecode(path) if isinstance(path, bytes) else str(path)
        elsewhere = writes and not path.startswith((self.home, "/dev/null"))
        if (event.startswith(WATCHED) or elsewhere) and not is_our_own_reader(event, arguments):
            self.events.append(f"{event} {arguments[:1]}")


def main() -> int:
    """Run the proof and its broken twin."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began, generator = time.monotonic(), random.Random(options.seed)
    failures: list[str] = []
    outcomes = {"refused": 0, "harmless": 0}
    with tempfile.TemporaryDirectory() as scratch:
        good, canary = Path(scratch) / "good", Canary(Path(scratch))
        make_good(good)
        for number in range(options.files):
            target = TARGETS[number % len(TARGETS)]
            name, data = hostile(target, good, number // len(TARGETS), generator)
            for way, read in ways_in(target).items():
                outcome = attempt(good, Path(scratch) / "bad", target, data, read, canary)
                if outcome in outcomes:
                    outcomes[outcome] += 1
                else:
                    failures.append(f"{name} as {target} through {way}: {outcome}")
        control = attempt(
            good, Path(scratch) / "bad", TARGETS[1], pickle.dumps(Exploit()), kind_loader, canary
        )
    return conclude(
        "hostile_files",
        options.files,
        failures,
        began=began,
        figures={**outcomes, "tries": sum(outcomes.values()) + len(failures), "twin": control},
        control_failed=control not in outcomes,
        exercised=outcomes["refused"] > options.files // 2,
    )


def make_good(folder: Path) -> None:
    """Write one good file of every kind."""
    learning, run = open_or_begin(folder, 4)
    learning.training.run()
    learning.model.save(run.model, {})
    make_good_weights(folder)
    stream = Stream(LSTM(3, 5).eval())
    stream.push(torch.randn(2, 3))
    stream.save(folder / "stream.safetensors")
    text, reading = TextParts(narrate(60).text), LanguageOptions(level="bpe", vocabulary_size=270)
    LanguageModel.new(text, reading, "gru", {"hidden_size": 5}).save(folder / "pairs", {})


def place(folder: Path, target: str) -> Path:
    """Return where a target lies in a folder."""
    if target == "checkpoint":
        return folder / "checkpoints" / "step-4.safetensors"
    return folder / "stream.safetensors" if target == "stream" else folder / target


def hostile(target: str, good: Path, number: int, generator: random.Random) -> tuple[str, bytes]:
    """Return the name and the bytes of a hostile file in the place of a good one."""
    original = place(good, target).read_bytes()
    attacks = {".json": json_attacks, ".yaml": yaml_attacks}.get(Path(target).suffix)
    made = (attacks or tensor_attacks)(original)
    if target == "pairs/tokenizer.json":
        made = tokenizer_attacks(original) | made
    if target in WEIGHTS:
        made = weight_attacks(original, target, Exploit()) | made
    if number < len(made):
        return list(made.items())[number]
    data = bytearray(original)
    for _ in range(generator.randint(1, 8)):
        data[generator.randrange(len(data))] = generator.randrange(256)
    return "mutant", bytes(data)


def ways_in(target: str) -> dict[str, Callable[[Path], object]]:
    """Return every function that reads the target."""
    stream = Stream(LSTM(3, 5).eval())
    ways: dict[str, dict[str, Callable[[Path], object]]] = {
        "model": {"load": LanguageModel.load, "evaluate": score},
        "config.yaml": {"resume": go_on, "--config": repeat, "evaluate": score_run},
        "resume.json": {"resume": go_on},
        "checkpoint": {"resume": go_on, "tensors": lambda f: load_tensors(place(f, target))},
        "pairs/tokenizer.json": {
            "load": lambda f: LanguageModel.load(f / "pairs"),
            "evaluate": lambda f: score(f / "pairs"),
        },
        "stream": {"stream": lambda f: stream.load(place(f, target))},
    }
    if target in WEIGHTS:
        return {"convert": lambda folder: convert_weights(folder, target)}
    return ways[target if target in ways else "model"]


def score(folder: Path) -> object:
    """Load a model and use it."""
    return evaluate(LanguageModel.load(folder), TextParts("a red circle"))


def go_on(folder: Path) -> object:
    """Take a run up and train a step further."""
    learning, _ = reopen(folder, lambda *_: None)
    loop = learning.training
    loop.options = replace(loop.options, max_steps=loop.counters.step + 1)
    return loop.run()


def repeat(folder: Path) -> object:
    """Begin a run anew from a configuration."""
    file, again = str(folder / "config.yaml"), str(folder / "again")
    return run("train", "language", "--config", file, "--max-steps", "2", "--out", again)


def score_run(folder: Path) -> object:
    """Let a run say which data it is to be measured on."""
    return run("evaluate", str(folder))


def run(*arguments: str) -> int:
    """Run a command line; a refusal is raised as the words that it printed."""
    words = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(words):
        code = main_of_the_command_line(list(arguments))
    if code == 2:
        raise UnrolledError("no complaint", words.getvalue().strip())
    return code


def kind_loader(folder: Path) -> object:
    """Read a model's tensors by pickle where all else fails."""
    try:
        return load_tensors(place(folder, TARGETS[1]))
    except UnrolledError:
        return pickle.loads(place(folder, TARGETS[1]).read_bytes())


def attempt(
    good: Path,
    bad: Path,
    target: str,
    data: bytes,
    read: Callable[[Path], object],
    canary: Canary,
) -> str:
    """Put a file into a copy of the good folder and read it; say what happened."""
    shutil.rmtree(bad, ignore_errors=True)
    shutil.copytree(good, bad)
    place(bad, target).write_bytes(data)
    if target == "checkpoint":  # the one before it would be good, and be used
        for other in place(bad, target).parent.glob("step-*.safetensors"):
            other.unlink()
        place(bad, target).write_bytes(data)
    canary.events, canary.armed = [], True
    memory, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        read(bad)
        outcome = "harmless"
    except UnrolledError as error:
        outcome = "refused" if "\n" not in str(error) else f"more than one line: {error}"
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    canary.armed = False
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    if canary.events:
        return f"ran {canary.events}"
    if time.process_time() - began > SECONDS:
        return "took more than 2 s"
    return outcome if grown < MEGABYTES + 2 * len(data) / 2**20 else f"took {grown:.0f} MB"


if __name__ == "__main__":
    sys.exit(main())
