"""METEOR and SPICE through a stand-in for Java, which shows what it is asked and answers."""

import sys
from pathlib import Path

import pytest

from unrolled.errors import ConfigError, ReaderError
from unrolled.metrics import caption_scores

# Counts the words of a candidate that are in a reference, in the words of the two programs.
STAND_IN = f"""#!{sys.executable}
import json, sys
if "-stdio" in sys.argv:
    assert sys.argv[1:4] == ["-Xmx2G", "-jar", "meteor.jar"]
    for line in sys.stdin:
        verb, *parts = line.rstrip("\\n").split(" ||| ")
        if verb == "SCORE":
            *references, candidate = map(str.split, parts)
            print(sum(word in references[0] for word in candidate), flush=True)
        else:
            print(*parts, sum(map(float, parts)), sep="\\n", flush=True)
else:
    assert sys.argv[1:4] == ["-Xmx8G", "-jar", "spice.jar"]
    asked = json.load(open(sys.argv[4]))
    answers = [
        {{"image_id": one["image_id"], "scores": {{"All": {{"f": len(one["refs"]) / 4}}}}}}
        for one in asked[::-1]
    ]
    json.dump(answers, open(sys.argv[6], "w"))
"""


@pytest.fixture
def jars(tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "java").write_text(STAND_IN)
    (tmp_path / "java").chmod(0o755)
    for name in ("meteor.jar", "spice.jar"):
        (tmp_path / name).touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


CAPTIONS = ["A dog runs.", "Two ||| cats"], [["The dog runs!"], ["two cats", "a cat"]]


def test_meteor_is_asked_as_its_program_wants_it(jars: Path) -> None:
    scores = caption_scores(*CAPTIONS, meteor_jar=jars / "meteor.jar")
    assert scores["meteor"] == 4  # dog, runs; two, cats
    assert "spice" not in scores


def test_spice_is_asked_as_its_program_wants_it(jars: Path) -> None:
    scores = caption_scores(*CAPTIONS, spice_jar=jars / "spice.jar")
    assert scores["spice"] == (1 / 4 + 2 / 4) / 2


def test_without_java_it_is_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="java on the path"):
        caption_scores(*CAPTIONS, meteor_jar=tmp_path / "meteor.jar")


def test_without_the_jar_it_is_said(jars: Path) -> None:
    with pytest.raises(ConfigError, match=r"elsewhere\.jar, got nothing there"):
        caption_scores(*CAPTIONS, spice_jar=jars / "elsewhere.jar")


@pytest.mark.parametrize("metric", ["meteor", "spice"])
def test_a_program_that_fails_is_named(jars: Path, metric: str) -> None:
    (jars / "java").write_text("#!/bin/sh\necho no memory >&2; exit 1\n")
    with pytest.raises(ReaderError, match=f"an answer of .*{metric}.jar"):
        caption_scores(*CAPTIONS, **{f"{metric}_jar": jars / f"{metric}.jar"})
