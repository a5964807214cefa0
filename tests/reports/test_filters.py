"""First-layer filters as moving pictures: what is seen is what the weights are."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from unrolled.errors import ShapeError
from unrolled.reports.filters import draw_filters, filter_frames, filters_gif, first_filters


def gif_frames(data: bytes) -> list[np.ndarray]:
    film = Image.open(io.BytesIO(data))
    found = []
    for number in range(film.n_frames):
        film.seek(number)
        found.append(np.asarray(film.convert("RGB")).astype(int))
    return found


def test_a_weight_is_bright_where_it_is_positive_dark_where_negative_and_grey_at_0() -> None:
    weight = torch.zeros(1, 3, 2, 1, 3)
    weight[0, :, 0, 0, 0], weight[0, :, 1, 0, 2], weight[0, 0, 1, 0, 1] = 5.0, -5.0, 2.5
    frames = filter_frames(weight, scale=1)[:, 2, 2:5]
    assert frames[0].tolist() == [[255] * 3, [128] * 3, [128] * 3]
    assert frames[1].tolist() == [[128] * 3, [192, 128, 128], [1] * 3]


def test_filters_stand_in_rows_each_scaled_by_itself() -> None:
    weight = torch.zeros(3, 1, 2, 1, 1)
    weight[:, 0, 0, 0, 0] = torch.tensor([1.0, 100.0, -0.01])
    frames = filter_frames(weight, columns=2, scale=1)
    assert frames.shape == (2, 8, 8, 3)
    assert [frames[0, y, x, 0] for y, x in ((2, 2), (2, 5), (5, 2), (5, 5))] == [255, 255, 1, 255]


def test_the_film_has_a_frame_for_every_tap_and_never_ends() -> None:
    weight = nn.Conv3d(3, 5, (4, 3, 3)).weight
    data = filters_gif(weight, scale=4)
    film = Image.open(io.BytesIO(data))
    assert film.info["loop"] == 0
    shown, expected = gif_frames(data), filter_frames(weight, scale=4)
    assert len(shown) == 4
    for seen, meant in zip(shown, expected, strict=True):
        assert abs(seen - meant).max() <= 24  # a GIF has 256 colours
        assert abs(seen - meant).mean() < 3
    assert filters_gif(weight, scale=4) == data


def test_the_first_3d_convolution_over_pictures_is_found() -> None:
    mixing = nn.Sequential(nn.Conv2d(3, 7, 3), nn.Conv3d(7, 5, 3), nn.Linear(3, 2))
    assert first_filters(mixing) is None
    assert draw_filters(mixing) is None
    pictures = nn.Sequential(nn.Conv3d(3, 5, (1, 7, 7)), nn.Conv3d(3, 2, 3))
    found = first_filters(pictures)
    assert found is not None
    assert found.shape == (2, 3, 3, 3, 3), "a filter of one tap does not move"
    element = draw_filters(pictures)
    assert element is not None
    assert element.startswith('<img class="filters" src="data:image/gif;base64,R0lGOD')
    assert "2 filters of 3 x 3 x 3" in element


def test_other_weights_are_refused() -> None:
    with pytest.raises(ShapeError, match="C 1 or 3"):
        filter_frames(torch.zeros(2, 7, 3, 3, 3))
