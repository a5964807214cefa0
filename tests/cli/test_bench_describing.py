"""``unrolled bench decoding`` and ``bench captions``, small."""

import json

import pytest

from unrolled.benchmarks.captions import random_captions
from unrolled.cli import main

SMALL = ["--batch-size", "3", "--vocabulary-size", "50", "--hidden-size", "8", "--num-words", "4"]


def parsed(capsys, *arguments: str) -> dict:
    assert main([*arguments, "--rounds", "1", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_loop_of_the_tutorials_finds_the_same_captions(capsys) -> None:
    found = parsed(capsys, "bench", "decoding", *SMALL, "--threads", "1")
    assert found["same_captions"]
    assert {"ours", "products", "loop over pictures"} <= set(found["seconds"])
    assert found["shape"] == {"batch": 3, "beam": 5, "vocabulary": 50, "hidden": 8, "words": 4}


def test_bench_captions_says_how_long_the_metrics_take(capsys) -> None:
    found = parsed(capsys, "bench", "captions", "--num-pictures", "20")
    assert found["pictures"] == 20
    assert found["seconds"]["ours"] > 0
    if "pycocoevalcap" in found["seconds"]:
        assert found["difference"] < 1e-9


@pytest.mark.parametrize("bench", ["decoding", "captions"])
def test_tables_and_refusals(capsys, bench: str) -> None:
    small = SMALL if bench == "decoding" else ["--num-pictures", "5"]
    assert main(["bench", bench, *small, "--rounds", "1"]) == 0
    assert "ours" in capsys.readouterr().out
    assert main(["bench", bench, "--rounds", "0"]) == 2
    assert "rounds of at least 1" in capsys.readouterr().err


def test_captions_of_a_picture_share_words() -> None:
    candidates, references = random_captions(30, 5)
    assert [len(group) for group in references] == [5] * 30
    assert len(candidates) == len(set(candidates)) == 30
    assert all(caption[0].isupper() and caption.endswith(" .") for caption in candidates)
