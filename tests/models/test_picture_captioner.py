"""An encoder and a captioner, joined: features, places, freezing, and sizes to compare at."""

import pytest
import torch

from unrolled.encoders import VGG16, PictureNetwork, PlainCNN, ResNet18
from unrolled.errors import ConfigError, ShapeError
from unrolled.models import (
    MeanPoolCaptioner,
    PictureCaptioner,
    ShowAndTell,
    ShowAttendTell,
    hidden_size_for,
)
from unrolled.registry import build


def model(*, films: bool = False, frozen: bool = False) -> PictureCaptioner:
    decoder = MeanPoolCaptioner if films else ShowAttendTell
    encoder = PlainCNN(width=2, depth=3)
    made = decoder(11, encoder.feature_size, embedding_size=3, hidden_size=5)
    return PictureCaptioner(encoder, made, frozen=frozen)


@pytest.mark.parametrize("network", [PlainCNN(width=2), ResNet18(width=2), VGG16(width=1)])
def test_annotations_are_the_maps_place_by_place(network: PictureNetwork) -> None:
    captioner = PictureCaptioner(network, ShowAttendTell(11, network.feature_size)).eval()
    pictures = torch.rand(2, 3, 96, 64)
    maps, found = network.eval().maps(pictures), captioner.annotations(pictures)
    height, width = captioner.grid(96, 64) or (0, 0)
    assert (height, width) == tuple(maps.shape[-2:])
    assert found.shape == (2, height * width, network.feature_size)
    for place in range(height * width):
        expected = maps[:, :, place // width, place % width]
        assert torch.allclose(found[:, place], expected, rtol=1e-5, atol=1e-6)


def test_with_positions_a_place_knows_its_row_and_its_column() -> None:
    encoder = PlainCNN(width=2, depth=3)
    captioner = PictureCaptioner(encoder, ShowAttendTell(11, 10), positions=True).eval()
    pictures = torch.rand(2, 3, 24, 40)  # 3 x 5 places
    found = captioner.annotations(pictures)
    without = PictureCaptioner(encoder, ShowAttendTell(11, 8)).eval().annotations(pictures)
    assert torch.equal(found[..., :8], without)
    for place, where in ((0, (-1, -1)), (4, (-1, 1)), (7, (0, 0)), (8, (0, 0.5)), (14, (1, 1))):
        assert found[:, place, 8:].tolist() == [list(where)] * 2


def test_frames_of_a_film_are_pooled_one_by_one() -> None:
    captioner = model(films=True).eval()
    films = torch.rand(2, 5, 3, 24, 16)
    found = captioner.annotations(films)
    assert found.shape == (2, 5, 8)
    for t in range(5):
        expected = captioner.encoder.features(films[:, t])
        assert torch.allclose(found[:, t], expected, rtol=1e-6, atol=1e-6)
    assert captioner.grid(24, 16) is None


def test_with_positions_a_frame_knows_whereabouts_things_are_and_when() -> None:
    encoder = PlainCNN(width=2, depth=3)
    captioner = PictureCaptioner(encoder, MeanPoolCaptioner(11, 25), positions=True).eval()
    film = torch.rand(2, 5, 3, 24, 40)
    found = captioner.annotations(film)
    maps = torch.stack(
        [captioner.encoder.maps(film[:, t]) for t in range(5)], dim=1
    )  # 3 x 5 places
    row, column = torch.tensor([-1, 0, 1])[:, None], torch.tensor([-1, -0.5, 0, 0.5, 1])
    sums = torch.cat([(maps * weight).mean((-2, -1)) for weight in (1, row, column)], dim=-1)
    assert torch.allclose(found[..., :24], sums, rtol=1e-5, atol=1e-6)
    assert found[..., 24].tolist() == [[-1, -0.5, 0, 0.5, 1]] * 2


def test_asking_for_the_grid_changes_nothing() -> None:
    captioner = model().train()
    before = {name: tensor.clone() for name, tensor in captioner.state_dict().items()}
    assert captioner.grid(64, 32) == (8, 4)
    after = captioner.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_what_is_not_fed_to_it_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"pictures \[N, C, H, W\], got \[2, 5, 3, 24, 16\]"):
        model().annotations(torch.rand(2, 5, 3, 24, 16))
    with pytest.raises(ShapeError, match=r"films \[N, T, C, H, W\], got \[2, 3, 24, 16\]"):
        model(films=True).annotations(torch.rand(2, 3, 24, 16))
    with pytest.raises(ConfigError, match="features of 8, as the encoder gives, got 7"):
        PictureCaptioner(PlainCNN(width=2, depth=3), ShowAndTell(11, 7))
    with pytest.raises(ConfigError, match="features of 10, as the encoder gives, got 8"):
        PictureCaptioner(PlainCNN(width=2, depth=3), ShowAndTell(11, 8), positions=True)
    with pytest.raises(ConfigError, match="features of 25, as the encoder gives, got 8"):
        PictureCaptioner(PlainCNN(width=2, depth=3), MeanPoolCaptioner(11, 8), positions=True)


def learn(captioner: PictureCaptioner) -> None:
    words = torch.tensor([[1, 2, 3], [1, 4, 5]])
    y = captioner(torch.rand(2, 3, 24, 16), words)
    valid = torch.ones_like(words, dtype=torch.bool)
    captioner.decoder.objective(y, words.roll(-1, 1), valid).loss.backward()
    torch.optim.SGD(captioner.parameters(), lr=0.1).step()


def test_a_frozen_encoder_stays_and_can_be_thawed_later() -> None:
    captioner = model(frozen=True).train()
    before = {name: t.clone() for name, t in captioner.encoder.state_dict().items()}
    learn(captioner)
    after = captioner.encoder.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert not captioner.encoder.training
    assert captioner.decoder.training

    captioner.frozen = False
    assert captioner.encoder.training
    learn(captioner)
    moved = {n for n, t in captioner.encoder.state_dict().items() if not torch.equal(t, before[n])}
    assert moved == set(before)
    captioner.eval()
    captioner.frozen = True
    assert not captioner.encoder.training


def test_several_captions_share_a_picture() -> None:
    captioner = model().eval()
    pictures, words = torch.rand(2, 3, 24, 16), torch.randint(11, (6, 4))
    together = captioner(pictures, words)
    apart = captioner(pictures.repeat_interleave(3, 0), words)
    assert torch.allclose(together.logits, apart.logits, rtol=1e-5, atol=1e-6)


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", ["show_and_tell", "m_rnn", "minds_eye", "s2vt"])
def test_a_hidden_size_for_equal_parameters_is_the_nearest(name: str) -> None:
    options = {"embedding_size": 7}
    wanted = count(build("show_attend_tell", 11, 13, hidden_size=37, **options))
    size = hidden_size_for(name, wanted, vocabulary_size=11, feature_size=13, options=options)
    off = [
        abs(count(build(name, 11, 13, hidden_size=near, **options)) - wanted)
        for near in (size - 1, size, size + 1)
    ]
    assert off[1] == min(off)


def test_sizes_that_cannot_be_reached_are_named() -> None:
    with pytest.raises(ConfigError, match=r"from 72 to .* parameters for show_and_tell, got 20"):
        hidden_size_for(
            "show_and_tell", 20, vocabulary_size=11, feature_size=3, options={"embedding_size": 2}
        )
    with pytest.raises(ConfigError, match="the name of a captioner, such as show_and_tell"):
        hidden_size_for("lstm", 20, vocabulary_size=11, feature_size=3)
