"""Files that were made to do harm, by the kind of file that they stand for."""

import json
import os
import pickle
import struct
import tempfile
from pathlib import Path
from typing import Any

import torch

from unrolled.training.plain_yaml import read_yaml, write_yaml


class Exploit:
    """What a pickle can do."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("true",))


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
    } | lying_configurations(original)


def lying_configurations(original: bytes) -> dict[str, bytes]:
    """Return configurations of a run that name code, lie about sizes, or are no such thing."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "good.yaml"
        path.write_bytes(original)
        config = read_yaml(path).plain()

    def changed(section: str = "options", **parts: Any) -> bytes:
        return write_yaml({**config, section: {**config[section], **parts}}, {}, "").encode()

    def top(**parts: Any) -> bytes:
        return write_yaml({**config, **parts}, {}, "").encode()

    return {
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
