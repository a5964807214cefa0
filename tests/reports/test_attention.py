"""Attention laid over pictures: where it is lit, that it is seen on any picture, and its files."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from tests.reports.test_filters import gif_frames
from unrolled.errors import ShapeError
from unrolled.reports import (
    attention_gif,
    attention_row,
    film_attention_row,
    lit,
    smooth_attention,
)


def one_place(place: int, places: int) -> Tensor:
    return torch.eye(places)[place]


@pytest.mark.parametrize("place", range(15))
def test_light_is_brightest_over_the_place_that_is_looked_at(place: int) -> None:
    share = smooth_attention(one_place(place, 15), (3, 5), 33, 50)
    row, column = divmod(int(share.argmax()), 50)
    assert (row // 11, column // 10) == divmod(place, 5)
    assert share.max() == 1
    assert share.min() >= 0


def test_smoothing_is_the_gaussian_written_out() -> None:
    weights = torch.rand(6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    naive = torch.zeros(7, 11, dtype=torch.float64)
    for y in range(7):
        for x in range(11):
            total = sum_of = 0.0
            for row in range(2):
                for column in range(3):
                    dy, dx = (y + 0.5) * 2 / 7 - row - 0.5, (x + 0.5) * 3 / 11 - column - 0.5
                    near = np.exp(-(dy**2 + dx**2) / (2 * 0.5**2))
                    total, sum_of = total + near * weights[3 * row + column], sum_of + near
            naive[y, x] = total / sum_of
    torch.testing.assert_close(smooth_attention(weights, (2, 3), 7, 11), naive / naive.max())


def test_equal_weights_light_the_whole_picture_and_none_lights_nothing() -> None:
    assert smooth_attention(torch.full((6,), 1 / 6), (2, 3), 8, 9).allclose(torch.ones(8, 9))
    assert not smooth_attention(torch.zeros(6), (2, 3), 8, 9).any()


def test_every_pixel_of_any_colour_is_lighter_lit_than_unlit() -> None:
    levels = torch.arange(0, 256, 5, dtype=torch.uint8)
    colours = torch.cartesian_prod(levels, levels, levels).T.reshape(3, 52, -1)
    luminance = np.array([0.299, 0.587, 0.114])
    bright = lit(colours, torch.ones(1, 1)) @ luminance
    dim = lit(colours, torch.zeros(1, 1)) @ luminance
    assert (bright - dim).min() > 40


def test_the_sheet_has_the_picture_and_a_tile_a_word() -> None:
    picture = torch.full((3, 20, 40), 200, dtype=torch.uint8)
    weights = torch.stack([one_place(0, 2), one_place(1, 2)])
    sheet = np.array(attention_row(picture, ["left", "right"], weights, (1, 2), side=80))
    assert sheet.shape[1] == 3 * 90 + 10
    first, left, right = (sheet[10:50, start : start + 80].mean((0, 2)) for start in (10, 100, 190))
    assert (first == 200).all()
    assert left[:20].mean() > 1.8 * left[-20:].mean()
    assert right[-20:].mean() > 1.8 * right[:20].mean()


def test_rows_are_of_equal_length_and_long_words_have_room() -> None:
    picture = torch.zeros(3, 8, 8, dtype=torch.uint8)

    def size(count: int, word: str = "a", columns: int | None = None) -> tuple[int, int]:
        weights = torch.full((count, 4), 0.25)
        return attention_row(picture, [word] * count, weights, (2, 2), columns=columns).size

    assert size(6)[0] == 7 * 170 + 10
    assert size(7) == (4 * 170 + 10, 2 * size(6)[1] - 10)
    assert size(7, columns=8)[0] == 8 * 170 + 10
    assert size(2, "extraordinarily-long-word")[0] > size(2)[0] + 200


def test_the_moving_picture_has_a_frame_a_word_and_never_ends() -> None:
    picture = torch.full((3, 16, 16), 90, dtype=torch.uint8)
    weights = torch.stack([one_place(0, 4), one_place(3, 4), one_place(0, 4)])
    data = attention_gif(picture, ["one", "two", "three"], weights, (2, 2), side=64)
    film = Image.open(io.BytesIO(data))
    assert film.info["loop"] == 0
    frames = gif_frames(data)
    assert len(frames) == 3
    bright = [frame[10:74, 10:74].mean(2) for frame in frames]
    assert [b[:20, :20].mean() > b[-20:, -20:].mean() for b in bright] == [True, False, True]
    assert data == attention_gif(picture, ["one", "two", "three"], weights, (2, 2), side=64)


def test_a_frame_of_a_film_is_as_light_as_its_weight() -> None:
    film = torch.full((3, 3, 8, 8), 100, dtype=torch.uint8)
    weights = torch.tensor([[0.5, 0.3, 0.2]])
    sheet = np.array(film_attention_row(film, ["moves"], weights, side=40))
    margin = sheet.shape[1] - 3 * 50
    means = [sheet[60:100, margin + 50 * n : margin + 50 * n + 40].mean() for n in range(3)]
    assert means[0] > means[1] > means[2]
    dim, bright = (lit(film[0], torch.full((1, 1), share)).mean() for share in (0.0, 1.0))
    assert means[1] == pytest.approx(dim + 0.6 * (bright - dim), abs=1)


def test_words_without_weights_and_grids_that_do_not_fit_are_refused() -> None:
    picture, weights = torch.zeros(3, 8, 8, dtype=torch.uint8), torch.full((2, 4), 0.25)
    for function in (attention_row, attention_gif):
        with pytest.raises(ShapeError, match="weights of 1 words, got of 2"):
            function(picture, ["a"], weights, (2, 2))
        with pytest.raises(ShapeError, match="2 x 3 = 6 weights, got 4"):
            function(picture, ["a", "b"], weights, (2, 3))
        with pytest.raises(ShapeError, match="probabilities of 2 words, got of 1"):
            function(picture, ["a", "b"], weights, (2, 2), probabilities=[1.0])
    with pytest.raises(ShapeError, match="3 weights, one a frame, got 4"):
        film_attention_row(picture.expand(3, -1, -1, -1), ["a", "b"], weights)


def test_a_caption_of_no_words_is_the_picture_alone() -> None:
    picture, none = torch.zeros(3, 8, 8, dtype=torch.uint8), torch.zeros(0, 4)
    assert attention_row(picture, [], none, (2, 2)).size[0] == 180
    assert len(gif_frames(attention_gif(picture, [], none, (2, 2)))) == 1
