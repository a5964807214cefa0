"""How weights start, and how widths scale."""

import pytest
import torch
from torch import nn

from unrolled.encoders import C3D, I3D, R3D, VGG16, AlexNet, ResNet18
from unrolled.encoders._inception import scaled


def deviations(network: nn.Module, kind: type[nn.Module]) -> dict[str, float]:
    """Return the deviation of every large weight of layers of a kind."""
    return {
        name: part.weight.std().item()
        for name, part in network.named_modules()
        if isinstance(part, kind) and part.weight.numel() > 2000
    }


@pytest.mark.parametrize(
    ("network", "kind"),
    [
        (ResNet18(width=16), nn.Conv2d),
        (VGG16(width=8, hidden_size=5), nn.Conv2d),
        (R3D(width=8), nn.Conv3d),
        (I3D(width=16), nn.Conv3d),
        (C3D(frame_pixels=16, width=8, hidden_size=5), nn.Conv3d),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_convolutions_start_as_he_et_al(network: nn.Module, kind: type[nn.Module]) -> None:
    found = deviations(network, kind)
    assert len(found) > 5
    for name, deviation in found.items():
        weight = network.get_submodule(name).weight
        fan_out = weight.shape[0] * weight[0, 0].numel()
        assert deviation == pytest.approx((2 / fan_out) ** 0.5, rel=0.1), name


def test_alexnet_starts_as_its_paper_says() -> None:
    network = AlexNet(class_count=50, width=16, hidden_size=64)
    found = {**deviations(network, nn.Conv2d), **deviations(network, nn.Linear)}
    assert all(deviation == pytest.approx(0.01, rel=0.1) for deviation in found.values())
    biases = {name: p.unique().tolist() for name, p in network.named_parameters() if "bias" in name}
    ones = {name for name, values in biases.items() if values == [1.0]}
    assert ones == {
        "features.3.bias",
        "features.8.bias",
        "features.10.bias",
        "classifier.1.bias",
        "classifier.4.bias",
    }
    assert {biases[name][0] for name in biases.keys() - ones} == {0.0}


def test_inception_widths_add_up() -> None:
    totals = [widths.total for widths in scaled(64).values()]
    assert totals == [256, 480, 512, 512, 512, 528, 832, 832, 1024]
    assert [widths.total for widths in scaled(32).values()] == [total // 2 for total in totals]
    assert min(min(widths) for widths in scaled(1).values()) == 1


def test_c3d_has_the_sizes_of_its_paper() -> None:
    with torch.device("meta"):
        network, x = C3D(), torch.zeros(1, 16, 3, 112, 112)
    sizes: dict[str, list[int]] = {}
    for name, part in network.named_children():
        part.register_forward_hook(
            lambda _part, _x, y, name=name: sizes.update({name: list(y.shape[1:])})
        )
    network(x)
    assert [sizes[f"pool{number}"] for number in (1, 2, 3, 4, 5)] == [
        [64, 16, 56, 56],
        [128, 8, 28, 28],
        [256, 4, 14, 14],
        [512, 2, 7, 7],
        [512, 1, 4, 4],
    ]
    assert network.fc6.in_features == 8192
    assert sum(p.numel() for n, p in network.named_parameters() if "conv" in n) == 27_655_936
