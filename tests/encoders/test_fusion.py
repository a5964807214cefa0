"""The ladder: what each rung sees of time, and the decks' example of it row by row."""

import pytest
import torch
from torch import Tensor, nn

import unrolled
from unrolled.encoders import (
    DeckEarlyFusion,
    DeckLateFusion,
    DeckSlowFusion,
    EarlyFusion,
    LateFusion,
    LateFusionPooling,
    PlainCNN,
    ResNet18,
    SingleFrame,
    SlowFusion,
    backbone_of,
    inflate,
    without_head,
)
from unrolled.errors import ConfigError


def test_single_frame_averages_probabilities() -> None:
    network = SingleFrame(class_count=5, width=2).eval()
    x = torch.randn(2, 7, 3, 16, 17)
    frames = torch.stack([network.backbone(x[:, t]) for t in range(7)], dim=1)
    torch.testing.assert_close(network(x).softmax(-1), frames.softmax(-1).mean(1))
    torch.testing.assert_close(network.frame_logits(x), frames)


def test_a_probability_that_no_float_holds_has_a_finite_logit() -> None:
    network = SingleFrame(class_count=2, width=2).eval()
    network.backbone = nn.Flatten(2)  # frames of two numbers are logits
    network.input_channels, network.smallest = 2, 1
    logits = network(torch.tensor([[300.0, 0.0], [400.0, 0.0]]).reshape(1, 2, 2, 1, 1))
    assert logits[0, 1] - logits[0, 0] == pytest.approx(-300 - torch.tensor(2.0).log().item())


@pytest.mark.parametrize("kind", [SingleFrame, LateFusionPooling])
@pytest.mark.parametrize("backbone", ["plain_cnn", "resnet18"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_order_changes_no_bit_where_frames_are_averaged(kind, backbone, batch_size) -> None:
    network = kind(class_count=5, width=4, backbone=backbone).eval()
    x = torch.randn(batch_size, 13, 3, 32, 37)
    with torch.no_grad():
        expected = network(x)
        for order in (torch.arange(12, -1, -1), *(torch.randperm(13) for _ in range(5))):
            assert torch.equal(network(x[:, order]), expected)


@pytest.mark.parametrize(
    "network",
    [
        LateFusion(class_count=5, clip_frames=7, width=4),
        EarlyFusion(class_count=5, clip_frames=7, width=4),
        SlowFusion(class_count=5, width=4),
    ],
    ids=lambda network: type(network).__name__,
)
def test_order_matters_to_the_others(network: nn.Module) -> None:
    network.eval()
    x = torch.randn(2, 7, 3, 32, 37)
    assert (network(x.flip(1)) - network(x)).abs().max() > 1e-4


def test_late_fusion_is_fully_connected_to_every_frame() -> None:
    network = LateFusion(class_count=5, clip_frames=7, width=2, hidden_size=11).eval()
    assert network.fc1.weight.shape == (11, 7 * 16)
    x = torch.randn(2, 7, 3, 16, 17)
    frames = [network.backbone.features(x[:, t]) for t in range(7)]
    torch.testing.assert_close(network.features(x), torch.cat(frames, dim=1))


def test_early_fusion_sees_frames_as_channels() -> None:
    network = EarlyFusion(class_count=5, clip_frames=7, width=2, input_channels=2).eval()
    x = torch.randn(2, 7, 2, 16, 17)
    weight = network.backbone.stages[0][0].weight
    assert weight.shape[1] == 7 * 2
    torch.testing.assert_close(network(x), network.backbone(x.reshape(2, 14, 16, 17)))


def flash(num_frames: int, start: int) -> Tensor:
    """Return a grey clip that lights up at ``start`` for two frames."""
    x = torch.zeros(1, num_frames, 3, 16, 16)
    x[:, start : start + 2] = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(1))
    return x


def test_early_fusion_does_not_know_again_what_comes_later() -> None:
    network = DeckEarlyFusion()
    early, late = network.features(flash(20, 6)), network.features(flash(20, 10))
    assert (early - late).abs().max() > 1e-3


def test_slow_fusion_moves_with_what_it_sees() -> None:
    network = DeckSlowFusion()
    early, late = (network.maps(flash(20, t).transpose(1, 2)) for t in (6, 10))
    torch.testing.assert_close(late[:, :, 2:4], early[:, :, 1:3])  # the pooling strides by 4
    torch.testing.assert_close(network.features(flash(20, 6)), network.features(flash(20, 10)))
    assert early.std() > 1e-3


def test_the_convolutions_of_slow_fusion_are_drawn_anew_for_a_name_alone() -> None:
    torch.manual_seed(0)
    named = SlowFusion(class_count=5, width=4)
    weight = named.inflated.network.stages[0][0].weight
    assert not torch.equal(weight[:, :, 0], weight[:, :, 1])
    pictures = PlainCNN(class_count=5, width=4).eval()
    x = torch.randn(2, 7, 3, 16, 16)
    given = SlowFusion(class_count=5, backbone=pictures).eval()
    assert torch.equal(given(x), inflate(pictures)(x))


def test_a_backbone_has_a_name_or_is_one() -> None:
    assert isinstance(SingleFrame(backbone="resnet18", width=2).backbone, ResNet18)
    own = ResNet18(class_count=5, width=2)
    assert SingleFrame(class_count=5, backbone=own).backbone is own
    with pytest.raises(ConfigError, match="a network over pictures, got 'lstm'; such as plain_cnn"):
        SingleFrame(backbone="lstm")
    with pytest.raises(ConfigError, match="a ResNet18 with class_count=7, got class_count=5"):
        SingleFrame(class_count=7, backbone=own)
    with pytest.raises(ConfigError, match="a width for a named backbone alone"):
        SingleFrame(class_count=5, backbone=own, width=3)


def test_a_backbone_without_its_head_has_no_parameters_for_classes() -> None:
    vgg = backbone_of("vgg16", class_count=5, width=2, input_channels=1)
    bare = without_head(vgg)
    assert {name.split(".")[0] for name, _ in bare.named_parameters()} == {"features"}
    x = torch.randn(2, 1, 32, 32)
    assert torch.equal(bare.features(x), vgg.features(x))
    assert vgg(x).shape == (2, 5)


# What the table says: channels, frames, height and width behind conv1, the pooling and conv2,
# and how much of the clip a place there sees.
TABLE = {
    "deck_late_fusion": (
        [(12, 20, 64, 64), (12, 20, 16, 16), (24, 20, 16, 16)],
        [(1, 3, 3), (1, 6, 6), (1, 14, 14)],
    ),
    "deck_early_fusion": (
        [(12, 64, 64), (12, 16, 16), (24, 16, 16)],
        [(20, 3, 3), (20, 6, 6), (20, 14, 14)],
    ),
    "deck_slow_fusion": (
        [(12, 20, 64, 64), (12, 5, 16, 16), (24, 5, 16, 16)],
        [(3, 3, 3), (6, 6, 6), (14, 14, 14)],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_decks_table(name: str) -> None:
    network = unrolled.build(name)
    for parameter in network.parameters():
        nn.init.ones_(parameter)
    # A mean sees what a largest value may see.
    kind = nn.AvgPool3d if name == "deck_slow_fusion" else nn.AvgPool2d
    network.pool = kind(4)
    seen: list[Tensor] = []
    for layer in (network.conv1, network.pool, network.conv2):
        layer.register_forward_hook(lambda _layer, _x, y: seen.append(y))
    x = torch.ones(1, 20, 3, 64, 64, requires_grad=True)
    assert network(x).shape == (1, 24)
    sizes, fields = TABLE[name]
    for y, size, field in zip(seen, sizes, fields, strict=True):
        if name == "deck_late_fusion":
            y = y.transpose(0, 1)[None]  # frames stood side by side in the batch
        shape = y.shape[1:] if name != "deck_late_fusion" else (y.shape[1], *y.shape[2:])
        assert tuple(shape) == size
        middle = tuple(length // 2 for length in size[1:])
        (gradient,) = torch.autograd.grad(y[(0, 0, *middle)], x, retain_graph=True)
        places = gradient[0].sum(1).nonzero()
        assert tuple((places.amax(0) - places.amin(0) + 1).tolist()) == field


@pytest.mark.parametrize("name", TABLE)
def test_the_decks_networks_take_classes(name: str) -> None:
    bare, network = unrolled.build(name), unrolled.build(name, class_count=5)
    assert network(torch.zeros(2, 20, 3, 64, 64)).shape == (2, 5)
    extra = sum(p.numel() for p in network.parameters()) - sum(p.numel() for p in bare.parameters())
    assert extra == (24 + 1) * 5


def test_the_decks_late_fusion_is_blind_to_order() -> None:
    network, x = DeckLateFusion(), torch.randn(2, 7, 3, 16, 16)
    torch.testing.assert_close(network(x.flip(1)), network(x), rtol=1e-5, atol=1e-6)
