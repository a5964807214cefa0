"""Parameters and multiply-accumulates, against published figures; no weight takes memory."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import unrolled

# torchvision documents alexnet to vgg16 to the digit; c3d, i3d and the decks' are sums by hand over
# the layers that their papers and the decks list.
PARAMETERS = {
    "alexnet": 61_100_840,
    "c3d": 79_991_015,
    "deck_early_fusion": 9_108,
    "deck_late_fusion": 2_952,
    "deck_slow_fusion": 8_784,
    "i3d": 12_697_264,
    "mc3_18": 11_695_440,
    "r2plus1d_18": 31_505_325,
    "r3d_18": 33_371_472,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "s3d": 8_320_048,
    "vgg16": 138_357_544,
}


def parameters(name: str, **options: int) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in unrolled.build(name, **options).parameters())


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    assert parameters(name) == PARAMETERS[name]


def test_parameters_at_other_class_counts() -> None:
    assert parameters("c3d", class_count=101) == 78_409_573
    assert parameters("i3d", class_count=400) - (1024 + 1) * 400 == 12_287_264
    assert parameters("resnet18", class_count=7) == 11_689_512 - (512 + 1) * 993


@pytest.mark.parametrize(
    ("name", "shape", "giga_macs"),
    [
        ("alexnet", (1, 3, 224, 224), 0.714),
        ("vgg16", (1, 3, 224, 224), 15.470),
        ("resnet18", (1, 3, 224, 224), 1.814),
        ("resnet50", (1, 3, 224, 224), 4.089),
        ("c3d", (1, 16, 3, 112, 112), 38.549),
        ("r3d_18", (1, 16, 3, 112, 112), 40.697),
        ("mc3_18", (1, 16, 3, 112, 112), 43.343),
        ("r2plus1d_18", (1, 16, 3, 112, 112), 40.519),
        ("deck_late_fusion", (1, 20, 3, 64, 64), 0.0398),
        ("deck_early_fusion", (1, 20, 3, 64, 64), 0.0272),
        ("deck_slow_fusion", (1, 20, 3, 64, 64), 0.0896),
    ],
)
def test_multiply_accumulates(name: str, shape: tuple[int, ...], giga_macs: float) -> None:
    with torch.device("meta"):
        network, x = unrolled.build(name).eval(), torch.zeros(shape)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(x)
    digits = len(str(giga_macs).split(".")[1])
    assert round(counter.get_total_flops() / 2e9, digits) == giga_macs
