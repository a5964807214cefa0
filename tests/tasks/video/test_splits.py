"""Splits: groups and equal files on one side, folds that test everything once."""

import random

import pytest

from unrolled.errors import ConfigError
from unrolled.tasks.parts import PARTS
from unrolled.tasks.video.options import VideoOptions
from unrolled.tasks.video.splits import Member, split


def members(seed: int = 0) -> list[Member]:
    draws = random.Random(seed)
    return [
        Member(str(draws.randrange(3)), f"group {draws.randrange(30)}", str(draws.randrange(80)))
        for _ in range(100)
    ]


@pytest.mark.parametrize("fold", [None, "1/3", "3/3"])
@pytest.mark.parametrize("seed", range(3))
def test_neither_a_group_nor_a_file_is_on_two_sides(seed: int, fold: str | None) -> None:
    found = members(seed)
    parts = split(found, VideoOptions(fold=fold))
    for key in ("group", "digest"):
        sides: dict[str, set[str]] = {}
        for member, part in zip(found, parts, strict=True):
            sides.setdefault(getattr(member, key), set()).add(part)
        assert max(map(len, sides.values())) == 1


def test_every_sample_is_tested_in_one_fold() -> None:
    found = members()
    tests = [[p == "test" for p in split(found, VideoOptions(fold=f"{k}/4"))] for k in range(1, 5)]
    assert [sum(column) for column in zip(*tests, strict=True)] == [1] * len(found)


def test_data_keeps_its_own_split_and_gets_what_validates() -> None:
    found = [Member("a", str(n), str(n), "test" if n < 10 else "train") for n in range(40)]
    parts = split(found, VideoOptions(split="80/20"))
    assert [part == "test" for part in parts] == [n < 10 for n in range(40)]
    assert parts.count("valid") == 6
    own = [member._replace(part=PARTS[n % 3]) for n, member in enumerate(found)]
    assert split(own, VideoOptions()) == [member.part for member in own]


@pytest.mark.parametrize("split_", ["x", "0/1", "1/2/3/4", "-1/2"])
def test_a_bad_split_is_refused(split_: str) -> None:
    with pytest.raises(ConfigError, match="a split such as 70/15/15"):
        VideoOptions(split=split_)


@pytest.mark.parametrize("fold", ["3", "0/3", "4/3", "1/1", "a/b"])
def test_a_bad_fold_is_refused(fold: str) -> None:
    with pytest.raises(ConfigError, match="a fold"):
        VideoOptions(fold=fold)
