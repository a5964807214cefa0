"""Inflated networks: a clip of one picture is that picture, and time is treated as space is."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.encoders.patterned import fill
from unrolled import registry
from unrolled.encoders import I3D, InceptionV1, PictureNetwork, PlainCNN, ResNet18, inflate
from unrolled.encoders.inflation import TimeConv3d, TimeMaxPool3d, pad_time
from unrolled.errors import ConfigError
from unrolled.testing.network_examples import NETWORK_EXAMPLES

PICTURES = [e for e in NETWORK_EXAMPLES if isinstance(e.build(), PictureNetwork)]


def still_clip(picture: Tensor, num_frames: int) -> Tensor:
    """Return a boring video: one picture, again and again."""
    return picture[:, None].expand(-1, num_frames, -1, -1, -1)


@pytest.mark.parametrize("example", PICTURES, ids=lambda example: example.name)
@pytest.mark.parametrize("num_frames", [1, 6])
def test_a_boring_video_is_its_picture(example, num_frames: int) -> None:
    network = example.build().eval()
    fill(network.state_dict())
    picture = example.x()[:, 0]
    with torch.no_grad():
        expected = network(picture)
        clip = still_clip(picture, num_frames)
        logits = inflate(network)(clip)
        features = inflate(network).features(clip)
        difference = (features - network.features(picture)).abs().max()
    assert difference <= 1e-5 * max(1.0, float(features.abs().max()))
    assert (logits - expected).abs().max() <= 1e-5 * max(1.0, float(expected.abs().max()))


def test_i3d_of_pictures_gives_what_they_gave() -> None:
    pictures = InceptionV1(class_count=5, width=4).eval()
    fill(pictures.state_dict())
    x = torch.randn(2, 3, 37, 41)
    clips = I3D.from_pictures(pictures)
    with torch.no_grad():
        expected = pictures(x)
        difference = (clips(still_clip(x, 9)) - expected).abs().max()
        assert difference <= 1e-5 * expected.abs().max()
        zeros = I3D.from_pictures(pictures, time_padding="zeros")
        assert (zeros(still_clip(x, 9)) - expected).abs().max() > 1e-3


def test_with_zeros_the_identity_holds_in_the_interior() -> None:
    pictures = PlainCNN(class_count=5, width=2, depth=2).eval()
    x = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        inflated = inflate(pictures, time_padding="zeros", still=["stages.0.3", "stages.1.3"])
        maps = inflated.network.maps(still_clip(x, 9).transpose(1, 2))
        expected = pictures.maps(x)[:, :, None].expand_as(maps)
    torch.testing.assert_close(maps[:, :, 2:-2], expected[:, :, 2:-2], rtol=1e-5, atol=1e-6)
    assert (maps[:, :, 0] - expected[:, :, 0]).abs().max() > 1e-3


def test_i3d_halves_time_three_times_and_space_five_times() -> None:
    with torch.device("meta"):
        network, x = I3D(), torch.zeros(1, 3, 64, 224, 224)
        assert network.layers(x).shape == (1, 1024, 8, 7, 7)


def test_i3d_weighs_frames_by_the_windows_they_lie_in() -> None:
    network = I3D(class_count=5, width=4).eval()
    network.layers = nn.Identity()
    x = torch.randn(2, 5, 3, 17, 19)
    weights = torch.tensor([1.0, 2.0, 2.0, 2.0, 1.0]) / 8
    expected = (x.mean((3, 4)) * weights[:, None]).sum(1)
    torch.testing.assert_close(network.features(x), expected)


@pytest.mark.parametrize(("num_frames", "taps", "stride"), [(7, 3, 1), (8, 7, 2), (9, 3, 2)])
def test_a_kernel_grown_in_time_is_a_sum_over_taps(num_frames: int, taps: int, stride: int) -> None:
    conv = nn.Conv2d(3, 5, 3, stride=2, padding=1)
    grown = TimeConv3d(conv, taps, stride, "zeros")
    x = torch.randn(2, 3, num_frames, 11, 13)
    padded = pad_time(x, taps, stride, "zeros")
    steps = -(-num_frames // stride)
    frames = [
        sum(conv(padded[:, :, t * stride + tap]) for tap in range(taps)) / taps
        for t in range(steps)
    ]
    torch.testing.assert_close(grown(x), torch.stack(frames, 2), rtol=1e-5, atol=1e-5)


def test_a_pooling_grown_in_time_ignores_what_lies_outside() -> None:
    grown = TimeMaxPool3d(nn.MaxPool2d(2), 3, 2)
    x = -1 - torch.rand(2, 3, 8, 4, 4)
    framed = F.pad(x, (0, 0, 0, 0, 0, 1), value=-torch.inf)
    torch.testing.assert_close(grown(x), F.max_pool3d(framed, (3, 2, 2), (2, 2, 2)))


def test_parts_can_stay_within_a_frame() -> None:
    network = inflate(ResNet18(width=2), still=["conv1", "maxpool", "layer4"])
    kernels = {
        name: part.kernel_size[0]
        for name, part in network.network.named_modules()
        if isinstance(part, nn.Conv3d)
    }
    assert kernels["conv1"] == kernels["layer4.0.conv1"] == kernels["layer4.1.conv2"] == 1
    assert kernels["layer3.0.conv1"] == 3
    with pytest.raises(ConfigError, match=r"names of parts, such as conv1, bn1, .*, got 'stem'"):
        inflate(ResNet18(width=2), still=["stem"])


def test_the_network_that_is_inflated_is_not_changed() -> None:
    network = ResNet18(class_count=5, width=2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    clips = inflate(network)
    with torch.no_grad():
        for parameter in clips.parameters():
            parameter.zero_()
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert isinstance(network.conv1, nn.Conv2d)


def test_a_layer_that_cannot_be_inflated_is_named() -> None:
    network = ResNet18(width=2)
    network.maxpool = nn.LPPool2d(2, 2)
    with pytest.raises(ConfigError, match="layers that can be inflated, got a LPPool2d"):
        inflate(network)


def test_an_unusual_padding_is_named() -> None:
    network = ResNet18(width=2)
    network.conv1 = nn.Conv2d(3, 2, 3, padding="same")
    with pytest.raises(ConfigError, match="padded by numbers of zeros, got padding='same'"):
        inflate(network)


def test_every_network_over_pictures_of_the_library_is_tried() -> None:
    classes = {name: registry.lookup(name) for name in registry.names()}
    names = {name for name, cls in classes.items() if issubclass(cls, PictureNetwork)}
    assert names == {example.name for example in PICTURES}
