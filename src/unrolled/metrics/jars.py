"""METEOR and SPICE: their authors' Java programs, run where they are asked for."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from unrolled.errors import ConfigError, ReaderError
from unrolled.metrics.ngrams import Words


def meteor(
    candidates: Sequence[Words], references: Sequence[Sequence[Words]], jar: Path
) -> tuple[float, list[float]]:
    """Return METEOR of the corpus, and of each candidate, by ``meteor-1.5.jar``.

    Raises:
        ConfigError: Java, or the jar, is not there.
        ReaderError: the program ends before it has answered.
    Source: Denkowski and Lavie 2014, aclanthology.org/W14-3348; its own implementation.
    """
    command = [_java(jar), "-Xmx2G", "-jar", jar.name, "-", "-", "-stdio", "-l", "en", "-norm"]
    process = subprocess.Popen(
        command,
        cwd=jar.parent,  # it looks for its paraphrases beside itself
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with process:
            try:
                return _ask_meteor(process.stdin, process.stdout, candidates, references)
            finally:
                process.kill()
    except (BrokenPipeError, ValueError):
        raise ReaderError(f"an answer of {jar}", "none", "run it by hand to see why") from None


def _ask_meteor(
    ask: IO[str],
    answer: IO[str],
    candidates: Sequence[Words],
    references: Sequence[Sequence[Words]],
) -> tuple[float, list[float]]:
    counted = []
    for candidate, group in zip(candidates, references, strict=True):
        parts = [" ".join(words).replace("|||", "") for words in (*group, candidate)]
        print("SCORE", *parts, sep=" ||| ", file=ask, flush=True)
        counted.append(answer.readline().strip())
    print("EVAL", *counted, sep=" ||| ", file=ask, flush=True)
    each = [float(answer.readline()) for _ in candidates]
    return float(answer.readline()), each


def spice(
    candidates: Sequence[Words], references: Sequence[Sequence[Words]], jar: Path
) -> tuple[float, list[float]]:
    """Return SPICE of the corpus, and of each candidate, by ``spice-1.0.jar``.

    Raises:
        ConfigError: Java, or the jar, is not there.
        ReaderError: the program fails; its ``lib`` needs Stanford CoreNLP 3.6.0.
    Source: Anderson et al. 2016, arXiv:1607.08822; its own implementation.
    """
    java = _java(jar)
    asked = [
        {"image_id": place, "test": " ".join(words), "refs": [" ".join(r) for r in group]}
        for place, (words, group) in enumerate(zip(candidates, references, strict=True))
    ]
    with tempfile.TemporaryDirectory() as folder:
        question, answer = Path(folder, "asked.json"), Path(folder, "answer.json")
        question.write_text(json.dumps(asked))
        command = [java, "-Xmx8G", "-jar", jar.name, str(question), "-out", str(answer), "-silent"]
        done = subprocess.run(command, cwd=jar.parent, capture_output=True, text=True)
        if done.returncode or not answer.is_file():
            said = (done.stderr.strip().splitlines() or ["nothing"])[0]
            cure = "put Stanford CoreNLP 3.6.0 and its models into its lib folder"
            raise ReaderError(f"an answer of {jar}", said, cure)
        return _read_spice(json.loads(answer.read_text()))


def _read_spice(answers: list[dict[str, Any]]) -> tuple[float, list[float]]:
    ordered = sorted(answers, key=lambda answer: answer["image_id"])
    each = [float(answer["scores"]["All"]["f"]) for answer in ordered]
    return sum(each) / len(each), each


def _java(jar: Path) -> str:
    java = shutil.which("java")
    if java is None:
        raise ConfigError("java on the path", "none", "install Java, or leave this metric out")
    if not jar.is_file():
        raise ConfigError(f"a jar at {jar}", "nothing there", "check the path")
    return java
