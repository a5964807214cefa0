"""Layer by layer: sizes, products and receptive fields, against formulas and against gradients."""

import random

import pytest
import torch
from torch import Tensor, nn

from unrolled.cells import LSTM, ConvLSTM
from unrolled.diagnostics.anatomy import anatomy
from unrolled.diagnostics.field_probe import probe_fields
from unrolled.layers import CausalConv1d, Linear, PerFrame, Serial


class Frames(nn.Module):
    """Looks at every frame alone, then at their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.pool(self.conv(x.flatten(0, 1)).relu())
        return maps.unflatten(0, x.shape[:2]).mean((1, 3, 4))


class Branches(nn.Module):
    """A wide branch beside a narrow one, and a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(3, 2, 1)
        self.wide = nn.Conv2d(3, 3, 5, padding=2)
        self.last = nn.Conv2d(5, 5, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.cat([self.narrow(x), self.wide(x)], dim=1)
        return y + self.last(y)


class Flipped(nn.Module):
    """An operation that is not known."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.flip(-1))


def test_a_table_by_hand() -> None:
    net = nn.Sequential(
        nn.Conv3d(3, 5, 3, padding=1, bias=False), nn.BatchNorm3d(5), nn.ReLU(), nn.MaxPool3d(2)
    )
    table = anatomy(net, "CTHW", (3, 8, 14, 22))
    assert [layer.name for layer in table.layers] == ["0", "1", "3"], "a ReLU changes nothing"
    conv, norm, pool = table.layers
    assert conv.output == {"C": 5, "T": 8, "H": 14, "W": 22}
    assert (conv.parameters, conv.macs) == (3 * 5 * 27, 3 * 5 * 27 * 8 * 14 * 22)
    assert (norm.parameters, norm.macs) == (10, 0)
    assert pool.output == {"C": 5, "T": 4, "H": 7, "W": 11}
    assert (conv.field, pool.field) == ({"T": 3, "H": 3, "W": 3}, {"T": 4, "H": 4, "W": 4})
    assert table.parameters == sum(p.numel() for p in net.parameters())
    assert table.macs == conv.macs


def test_time_among_the_rows_is_followed() -> None:
    conv, pool, mean = anatomy(Frames(), "TCHW", (7, 3, 6, 10)).layers
    assert conv.output == {"C": 5, "T": 7, "H": 6, "W": 10}
    assert (conv.field, pool.field) == ({"T": 1, "H": 3, "W": 3}, {"T": 1, "H": 4, "W": 4})
    assert (mean.name, mean.output) == (":mean", {"C": 5})
    assert mean.field == {"T": 7, "H": 6, "W": 10}, "a mean sees everything, and no padding"


def test_time_among_the_channels_is_seen_at_once() -> None:
    net = nn.Sequential(nn.Flatten(1, 2), nn.Conv2d(7 * 3, 5, 3, padding=1))
    (conv,) = anatomy(net, "TCHW", (7, 3, 6, 10)).layers
    assert conv.output == {"C": 5, "H": 6, "W": 10}
    assert conv.field == {"T": 7, "H": 3, "W": 3}


def test_branches_are_joined() -> None:
    narrow, wide, last = anatomy(Branches(), "CHW", (3, 20, 20)).layers
    assert [layer.field["H"] for layer in (narrow, wide, last)] == [1, 5, 7]


def test_what_is_not_known_sees_everything() -> None:
    (conv,) = anatomy(Flipped(), "CHW", (3, 9, 11)).layers
    assert conv.field == {"H": 9, "W": 11}


def test_a_linear_layer_sees_what_its_maps_saw() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 5 * 5, 3))
    assert anatomy(net, "CHW", (1, 7, 7)).layers[-1].field == {"H": 7, "W": 7}


def test_nothing_is_computed_and_nothing_changed() -> None:
    net = nn.Conv2d(3, 5, 3)
    before = net.weight.clone()
    anatomy(net, "CHW", (3, 10**6, 10**6))  # 2 * 10^13 numbers come out of it
    assert torch.equal(net.weight, before)
    assert not net._forward_hooks
    assert net.training


def test_parameters_that_two_layers_share_count_once() -> None:
    net = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 5))
    net[1].weight = net[0].weight
    assert anatomy(net, "C", (5,)).parameters == 25 + 5 + 5


def test_layers_are_added_up() -> None:
    table = anatomy(nn.Sequential(Branches(), nn.Conv2d(5, 2, 1)), "CHW", (3, 9, 9))
    first, last = table.to_depth(1).layers
    assert (first.name, first.kind, last.name) == ("0", "3 layers", "1")
    assert first.macs + last.macs == table.macs
    assert first.field == {"H": 7, "W": 7}


def test_recurrences_are_followed_through_their_loop() -> None:
    model = Serial(PerFrame(nn.Conv2d(3, 4, 3, padding=1)), ConvLSTM(4, 5))
    frame, cell = anatomy(model, "TCHW", (6, 3, 9, 7)).layers
    assert (frame.field["T"], cell.field["T"]) == (1, 6), "a cell sees all that was"
    assert cell.macs == 6 * 4 * 5 * (4 + 5) * 9 * 9 * 7
    causal = Serial(
        CausalConv1d(3, 4, kernel_size=2, dilation=2), CausalConv1d(4, 4, kernel_size=3)
    )
    assert [layer.field["T"] for layer in anatomy(causal, "TC", (16, 3)).layers] == [3, 5]
    lstm = anatomy(Serial(LSTM(3, 5), Linear(5, 7)), "TC", (11, 3))
    assert lstm.macs == 11 * (4 * 5 * (3 + 5) + 5 * 7)


def random_network(seed: int) -> nn.Module:
    generator = random.Random(seed)
    layers: list[nn.Module] = []
    channels = 2
    for _ in range(generator.randint(2, 5)):
        kernel, stride = generator.choice((1, 2, 3, 5)), generator.choice((1, 1, 2))
        if generator.random() < 0.3 and kernel > 1:
            layers.append(nn.MaxPool2d(kernel, stride, padding=generator.randint(0, kernel // 2)))
            continue
        dilation, padding = generator.choice((1, 1, 2)), generator.randint(0, 2)
        layers.append(nn.Conv2d(channels, 3, kernel, stride, padding, dilation))
        layers.append(nn.ReLU())
        channels = 3
    return nn.Sequential(*layers)


@pytest.mark.parametrize("seed", range(20))
def test_the_formula_is_what_the_gradient_shows(seed: int) -> None:
    net = random_network(seed)
    table = anatomy(net, "CHW", (2, 41, 37))
    assert [probed for probed in probe_fields(net, table) if not probed.agrees] == []


@pytest.mark.parametrize("module", [Frames(), Branches()], ids=lambda m: type(m).__name__)
def test_so_it_is_with_branches_and_frames(module: nn.Module) -> None:
    axes, shape = ("TCHW", (7, 3, 6, 10)) if isinstance(module, Frames) else ("CHW", (3, 20, 20))
    probed = list(probe_fields(module, anatomy(module, axes, shape)))
    assert len(probed) >= 2
    assert all(each.agrees for each in probed)


def test_a_formula_that_is_wrong_is_noticed() -> None:
    right, other = nn.Conv2d(3, 2, 3, padding=1), nn.Conv2d(3, 2, 5, padding=2)
    table = anatomy(nn.Sequential(other), "CHW", (3, 11, 11))
    (probed,) = probe_fields(nn.Sequential(right), table)
    assert not probed.agrees
    assert (probed.expected["H"], probed.measured["H"]) == ((3, 7), (4, 6))
