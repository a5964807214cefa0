"""Attention in a terminal: tiles that fit, the light where it belongs, words beneath."""

import pytest
import torch
from rich.segment import Segment

from tests.cli.test_picture import terminal
from unrolled.cli.attention import AttentionPictures
from unrolled.errors import ShapeError


def lines_of(width: int, words: list[str], columns: int = 18) -> list[str]:
    picture = torch.full((3, 16, 16), 90, dtype=torch.uint8)
    weights = torch.eye(4)[: len(words)]
    tiles = AttentionPictures(picture, words, weights, (2, 2), [0.5] * 4, columns=columns)
    lines = terminal(width).render_lines(tiles, pad=False)
    return ["".join(segment.text for segment in line) for line in lines]


def test_as_many_tiles_stand_beside_each_other_as_there_is_room_for() -> None:
    words = ["one", "two", "three", "four"]
    wide, narrow = lines_of(80, words, columns=14), lines_of(35, words, columns=14)
    assert len(wide) == 7 + 2
    assert wide[-2].split() == words
    assert len(narrow) == 3 * (7 + 2)
    assert max(map(len, narrow)) <= 35
    assert narrow[7].split() == ["one"], "the picture itself stands first"
    assert narrow[-2].split() == ["four"]
    assert narrow[-1].split() == ["50.0", "%"]


def test_the_light_is_where_the_weight_is() -> None:
    picture = torch.full((3, 8, 8), 90, dtype=torch.uint8)
    tiles = AttentionPictures(picture, ["here"], torch.eye(4)[3:], (2, 2), [1.0], columns=8)

    def red(segment: Segment) -> int:
        colour = segment.style.color
        return 0 if colour is None else colour.get_truecolor().red

    rows = terminal(80).render_lines(tiles, pad=False)[:4]
    tile = [[red(part) for part in row if "▀" in part.text] for row in rows]
    assert tile[-1][-1] > 2 * tile[0][-1]
    assert tile[-1][-1] == max(map(max, tile))


def test_weights_of_another_grid_are_refused() -> None:
    picture = torch.zeros(3, 8, 8, dtype=torch.uint8)
    with pytest.raises(ShapeError, match="2 x 3 = 6 weights, got 4"):
        AttentionPictures(picture, ["a"], torch.eye(4)[:1], (2, 3), [1.0])
