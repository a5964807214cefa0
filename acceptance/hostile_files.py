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
import json
import os
import pickle
import random
import resource
import shutil
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

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
from unrolled.tasks.language import LanguageModel
from unrolled.tasks.language_evaluation import evaluate
from unrolled.tasks.language_options import LanguageOptions
from unrolled.tasks.language_run import finish, reopen
from unrolled.training.plain_yaml import read_yaml, write_yaml
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


class Exploit:
    """What a pickle can do."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("true",))


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
    finish(learning, run)
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


def tensor_attacks(original: bytes) -> dict[str, bytes]:
    """Return files that lie about tensors."""

    def header(value: Any, body: bytes = b"") -> bytes:
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return struct.pack("<Q", len(text)) + text + body

    def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
        return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}

    zipped = Path(tempfile.mkdtemp()) / "a.pt"
    torch.save(Exploit(), zipped)
    return {
        "pickle": pickle.dumps(Exploit()),
        "torch.save": zipped.read_bytes(),
        "empty": b"",
        "header of 2^63 bytes": struct.pack("<Q", 2**63) + b"{}",
        "header of 200 MB announced": struct.pack("<Q", 200 * 2**20) + b"{}",
        "header that is a list": header([]),
        "header that is no JSON": header(b"{'a': __import__('os')}"),
        "JSON without end": header(b"[" * 100_000),
        "tensor past the end": header({"w": entry("F32", [1000], 0, 4000)}),
        "tensor of 2^60 numbers": header({"w": entry("F32", [2**30, 2**30], 0, 8)}, b"\0" * 8),
        "negative shape": header({"w": entry("F32", [-1], 0, 4)}, b"\0" * 4),
        "overlap": header({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 0, 4)}, b"\0" * 4),
        "hole": header({"a": entry("F32", [1], 4, 8)}, b"\0" * 8),
        "unknown dtype": header({"w": entry("PYOBJECT", [1], 0, 8)}, b"\0" * 8),
        "good tensors, no checksums": header({"w": entry("F32", [1], 0, 4)}, b"\0" * 4),
        "trailing pickle": original + pickle.dumps(Exploit()),
        "checksums that are a list": header(
            {"__metadata__": {"sha256": "[1]"}, "w": entry("F32", [1], 0, 4)}, b"\0" * 4
        ),
        "checksums without end": header(
            {"__metadata__": {"sha256": "[" * 50_000}, "w": entry("F32", [1], 0, 4)}, b"\0" * 4
        ),
    }


def json_attacks(original: bytes) -> dict[str, bytes]:
    """Return configurations that name code, lie about sizes, or are not what they should be."""
    config = json.loads(original)

    def changed(**parts: Any) -> bytes:
        return json.dumps({**config, **parts}).encode()

    def model(name: Any, **options: Any) -> bytes:
        return changed(model={"name": name, "options": options})

    attacks = {
        "names os.system": model("os:system"),
        "names a dotted path": model("subprocess.Popen", args=["true"]),
        "names a builtin": model("eval"),
        "names the base class": model("__main__"),
        "_target_": changed(_target_="os.system", model={"_target_": "os.system"}),
        "a name that is a list": model(["lstm"]),
        "an unknown option": model("lstm", __class__="os.system"),
        "10^9 layers": model("lstm", num_layers=10**9),
        "10^9 units": model("lstm", hidden_size=10**9),
        "minus one unit": model("lstm", hidden_size=-1),
        "units in words": model("lstm", hidden_size="many"),
        "NaN units": model("lstm", hidden_size=float("nan")),
        "a cell by a path": model("recurrent_language_model", cell="../../etc/passwd"),
        "another task": changed(task="os"),
        "a newer format": changed(format=10**6),
        "a list": b"[1, 2]",
        "a number": b"7",
        "no JSON": b"{'task': exec('1')}",
        "JSON without end": b"[" * 100_000,
        "a number without end": b'{"format": ' + b"9" * 50_000 + b"}",
        "no text": b"\xff\xfe\x00",
        "empty": b"",
        "null everywhere": json.dumps(dict.fromkeys(config)).encode(),
        "a pickle": pickle.dumps(Exploit()),
        "YAML": b"!!python/object/apply:os.system ['true']",
        "imports elsewhere": changed(**{"import": ["/etc/passwd"]}),
        "imports nothing": changed(**{"import": 3}),
        "another text": changed(parts={"train": "0"}),
        "a class of code": changed(model={"name": None, "class": "os.system", "options": {}}),
        "vocabulary of numbers": changed(vocabulary=[1, 2, 3]),
    }
    return {name: data for name, data in attacks.items() if data != original}


def tokenizer_attacks(original: bytes) -> dict[str, bytes]:
    """Return tokenizers that do more than join bytes, or whose entries do not hold together."""
    config = json.loads(original)
    endless = {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": ""}
    entries, last = config["model"]["vocab"], len(config["model"]["vocab"])

    def changed(**parts: Any) -> bytes:
        return json.dumps({**config, **parts}).encode()

    def model(**parts: Any) -> bytes:
        return changed(model={**config["model"], **parts})

    return {
        "an expression without end": changed(normalizer=endless),
        "another way to split": changed(pre_tokenizer={"type": "Split", "pattern": "(a+)+$"}),
        "a template": changed(post_processor={"type": "TemplateProcessing", "single": []}),
        "padding to 10^9": changed(padding={"strategy": {"Fixed": 10**9}}),
        "entries added": changed(added_tokens=[{"id": last, "content": "a"}]),
        "another model": model(type="Unigram"),
        "a suffix": model(end_of_word_suffix="</w>"),
        "an entry of no bytes": model(vocab={**entries, "猫": last}),
        "an empty entry": model(vocab={**entries, "": last}),
        "a token at 10^18": model(vocab={**entries, "aa": 10**18}),
        "a token in words": model(vocab={**entries, "aa": "many"}),
        "a token twice": model(vocab={**entries, "aa": 0}),
        "bytes that are missing": model(vocab={"a": 0}),
        "one entry more than the network": model(vocab={**entries, "zz": last}),
        "merges of what is not there": model(merges=[["zz", "zz"]]),
        "merges of three": model(merges=[["a", "b", "c"]]),
        "merges of numbers": model(merges=[[1, 2]]),
        "merges that are a number": model(merges=7),
        "a vocabulary that is a list": model(vocab=list(entries)),
        "a model that is a list": changed(model=[]),
    }


def yaml_attacks(original: bytes) -> dict[str, bytes]:
    """Return configurations of a run that do what YAML can do, or say what is not true."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "good.yaml"
        path.write_bytes(original)
        config = read_yaml(path).plain()

    def changed(section: str = "options", **parts: Any) -> bytes:
        return write_yaml({**config, section: {**config[section], **parts}}, {}, "").encode()

    def top(**parts: Any) -> bytes:
        return write_yaml({**config, **parts}, {}, "").encode()

    bomb = b"a: &a [x, x]\n" + b"".join(
        b"%c: &%c [*%c, *%c, *%c]\n" % (c, c, c - 1, c - 1, c - 1) for c in range(98, 123)
    )
    return {
        "a Python tag": b"!!python/object/apply:os.system ['true']",
        "a Python tag as a value": original + b"data: !!python/name:os.system\n",
        "a tag of our own": b"!unrolled {}\n" + original,
        "a standard tag": original.replace(b"model: lstm", b"model: !!str lstm"),
        "an alias bomb": bomb,
        "an anchor": original.replace(b"model: lstm", b"model: &m lstm"),
        "a merge key": original + b"<<: {model: gru}\n",
        "a key twice": original + b"model: gru\n",
        "an import": original + b"import: [/etc/passwd]\n",
        "_target_": original + b"_target_: os.system\n",
        "flow without end": b"[" * 60_000,
        "blocks without end": b"- " * 30_000,
        "mappings without end": b"? " * 30_000,
        "a key without end": b"x" * 60_000 + b": 1\n",
        "a number without end": b"training: {max_steps: " + b"9" * 60_000 + b"}",
        "a file of 2 MB": b"# \n" * 500_000 + original,
        "two documents": original + b"---\n" + original,
        "an unknown directive": b"%EVIL true\n---\n" + original,
        "not UTF-8": b"\xff\xfe\x00",
        "a NUL": original + b"\0",
        "empty": b"",
        "a list": b"[1, 2]",
        "a number": b"7",
        "JSON cut short": b'{"task": ',
        "a pickle": pickle.dumps(Exploit()),
        "names os.system": top(model="os:system"),
        "names a dotted path": top(model="subprocess.Popen"),
        "names the base class": top(model="__main__"),
        "names no model": top(model=None),
        "names no data": top(data=None),
        "a model that is a list": top(model=["lstm"]),
        "another task": top(task="os"),
        "a variable that is not set": top(data="$UNROLLED_NO_SUCH_VARIABLE/x"),
        "sections that are null": top(options=None, reading=None, training=None),
        "an unknown option": changed(__class__="os.system"),
        "10^9 layers": changed(num_layers=10**9),
        "10^9 units": changed(hidden_size=10**9),
        "10^9 thin layers": changed(num_layers=10**9, hidden_size=1),
        "minus one unit": changed(hidden_size=-1),
        "units in words": changed(hidden_size="many"),
        "NaN units": changed(hidden_size=float("nan")),
        "a cell by a path": changed(cell="../../etc/passwd"),
        "an unknown key": changed("training", windw=3),
        "steps in words": changed("training", max_steps="many"),
        "NaN as the rate": changed("training", learning_rate=float("nan")),
        "10^9 threads": changed("training", threads=10**9),
        "10^18 streams": changed("training", batch_size=10**17),
        "an encoding that is a codec": changed("reading", encoding="zip"),
    }


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
