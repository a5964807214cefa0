"""The tables of the video chapter as executable checks: parameters, products, sizes, fields."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch

from unrolled.diagnostics.anatomy import Anatomy, LayerRow
from unrolled.diagnostics.census import count_parameters
from unrolled.diagnostics.checks import Check
from unrolled.diagnostics.field_probe import probe_fields
from unrolled.diagnostics.network_input import usual_input
from unrolled.diagnostics.network_inspection import build_weightless, inspect_network
from unrolled.registry import build

_TORCHVISION = "torchvision 0.28"
_DECK = "deck 000, the table of fusion"
_TRAN = "Tran et al. 2015, by hand"
_SHI = "Shi et al. 2015, by hand"


@cache
def _table(name: str, pairs: tuple[tuple[str, Any], ...] = ()) -> Anatomy:
    module, _ = build_weightless(name, dict(pairs))
    return inspect_network(name, module).table


def _parameters(name: str, pairs: tuple[tuple[str, Any], ...] = ()) -> int:
    module, _ = build_weightless(name, dict(pairs))
    return count_parameters(module)


def _giga_macs(name: str, kind: str) -> tuple[float, ...]:
    """Return the products of every layer of a kind, in 10⁹."""
    return tuple(row.macs / 1e9 for row in _table(name).layers if row.kind == kind)


def _rows(name: str, write: Callable[[LayerRow], str]) -> str:
    """Write something of every layer of a deck's network, in the order of its table."""
    return ", ".join(write(row) for row in _table(name).layers)


def _field(row: LayerRow) -> str:
    return "x".join(str(size) for size in row.field.values())


def _slides_c3d() -> tuple[float, ...]:
    """Return what the fully connected layers would cost behind a pool5 that is not padded."""
    sizes = ((512 * 3 * 3, 4096), (4096, 4096), (4096, 487))
    return tuple(n * m / 1e9 for n, m in sizes)


def _disagreements(name: str) -> int:
    """Count the layers whose receptive field by gradient is not that of the formula."""
    module = build(name).eval()
    sizes = usual_input(name, module)
    table = inspect_network(name, module, sizes).table
    return sum(not probed.agrees for probed in probe_fields(module, table))


def _total(name: str) -> int:
    return _table(name).macs


def _mega_macs(name: str) -> float:
    return _total(name) / 1e6


def _last_field(name: str, kind: str) -> str:
    """Return what the last layer of a kind sees whose window still moves."""
    rows = [row for row in _table(name).layers if kind in row.kind and "Adaptive" not in row.kind]
    return _field(rows[-1])


def _bytes_of_a_clip() -> int:
    return torch.zeros(16, 3, 112, 112, dtype=torch.uint8).nbytes


def _outputs(row: LayerRow) -> str:
    return "x".join(str(size) for size in row.output.values())


_PARAMETERS = [
    Check(f"{label}: parameters", expected, source, partial(_parameters, name, pairs))
    for label, name, pairs, expected, source in (
        ("C3D, 487 classes", "c3d", (), 79_991_015, _TRAN),
        ("C3D, 101 classes", "c3d", (("class_count", 101),), 78_409_573, _TRAN),
        ("VGG-16", "vgg16", (), 138_357_544, _TORCHVISION),
        ("AlexNet", "alexnet", (), 61_100_840, _TORCHVISION),
        ("ResNet-18", "resnet18", (), 11_689_512, _TORCHVISION),
        ("ResNet-50", "resnet50", (), 25_557_032, _TORCHVISION),
        ("MobileNetV2", "mobilenet_v2", (), 3_504_872, _TORCHVISION),
        ("SqueezeNet 1.1", "squeezenet1_1", (), 1_235_496, _TORCHVISION),
        ("I3D, Inception-v1", "i3d", (), 12_697_264, "Carreira & Zisserman 2017, by hand"),
        ("R3D-18", "r3d_18", (), 33_371_472, _TORCHVISION),
        ("MC3-18", "mc3_18", (), 11_695_440, _TORCHVISION),
        ("R(2+1)D-18", "r2plus1d_18", (), 31_505_325, _TORCHVISION),
        ("S3D", "s3d", (), 8_320_048, _TORCHVISION),
        ("late fusion", "deck_late_fusion", (), 3 * 12 * 9 + 12 + 12 * 24 * 9 + 24, _DECK),
        ("early fusion", "deck_early_fusion", (), 60 * 12 * 9 + 12 + 12 * 24 * 9 + 24, _DECK),
        ("slow fusion", "deck_slow_fusion", (), 3 * 12 * 27 + 12 + 12 * 24 * 27 + 24, _DECK),
        ("ConvLSTM, 256", "convlstm", (("hidden_sizes", (256,)),), 13_524_496, _SHI),
        ("ConvLSTM, 128-128", "convlstm", (("hidden_sizes", (128, 128)),), 10_042_896, _SHI),
        ("ConvLSTM, 128-64-64", "convlstm", (), 7_585_296, _SHI),
    )
]

_PRODUCTS = [
    Check(
        "C3D, its convolutions: 10⁹ MAC",
        (1.0404, 11.0981, 5.5491, 11.0981, 2.7745, 5.5491, 0.6936, 0.6936),
        _TRAN,
        lambda: _giga_macs("c3d", "Conv3d"),
        tolerance=1e-4,
    ),
    Check(
        "C3D with pool5 of 3 x 3, fc6 to fc8: 10⁹ MAC",
        (0.0189, 0.0168, 0.0020),
        "deck 000 has .51, .45, .05",
        _slides_c3d,
        tolerance=5e-3,
    ),
    Check(
        "C3D, so: 10⁹ MAC in all",
        38.53,
        "deck 000 has 39.5",
        lambda: sum(_giga_macs("c3d", "Conv3d")) + sum(_slides_c3d()),
        tolerance=2e-4,
    ),
    Check(
        "C3D over VGG-16",
        2.49,
        "deck 000 has 2.9",
        lambda: (sum(_giga_macs("c3d", "Conv3d")) + sum(_slides_c3d())) / (_total("vgg16") / 1e9),
        tolerance=1e-3,
    ),
    *(
        Check(
            f"{label}: 10⁶ MAC",
            expected,
            source,
            partial(_mega_macs, name),
            tolerance=tolerance,
        )
        for label, name, expected, tolerance, source in (
            ("VGG-16", "vgg16", 15_470.264_320, 0.0, "by hand; deck 000 has 13,600"),
            ("AlexNet", "alexnet", 714.188_480, 0.0, "by hand"),
            ("S3D, 16 frames of 224²", "s3d", 17_979.0, 1e-4, _TORCHVISION),
            ("R(2+1)D-18, 16 of 112²", "r2plus1d_18", 40_519.0, 1e-4, _TORCHVISION),
            ("late fusion", "deck_late_fusion", 39.8, 1e-3, _DECK),
            ("early fusion", "deck_early_fusion", 27.2, 1e-3, _DECK),
            ("slow fusion", "deck_slow_fusion", 89.6, 1e-3, _DECK),
        )
    ),
]

_DECK_FIELDS = {
    "late": "1x3x3, 1x6x6, 1x14x14, 20x64x64",
    "early": "20x3x3, 20x6x6, 20x14x14, 20x64x64",
    "slow": "3x3x3, 6x6x6, 14x14x14, 20x64x64",
}
_DECK_SIZES = {
    "late": "12x20x64x64, 12x20x16x16, 24x20x16x16, 24",
    "early": "12x64x64, 12x16x16, 24x16x16, 24",
    "slow": "12x20x64x64, 12x5x16x16, 24x5x16x16, 24",
}

_SIZES = [
    Check("a clip of 16 frames, 112²: bytes", 588 * 1024, "deck 000: 588 KB", _bytes_of_a_clip),
    Check(
        "a minute of 640 x 480 at 30 Hz: GiB",
        1.545,
        "deck 000: 1.5 GB",
        lambda: 640 * 480 * 3 * 30 * 60 / 2**30,
        tolerance=1e-3,
    ),
    Check(
        "a minute of 1920 x 1080 at 30 Hz: GiB",
        10.43,
        "deck 000: 10 GB",
        lambda: 1920 * 1080 * 3 * 30 * 60 / 2**30,
        tolerance=1e-3,
    ),
    *(
        Check(
            f"{kind} fusion, layer by layer: size",
            expected,
            _DECK,
            partial(_rows, f"deck_{kind}_fusion", _outputs),
        )
        for kind, expected in _DECK_SIZES.items()
    ),
]

_FIELDS = [
    *(
        Check(
            f"{kind} fusion, layer by layer: sees",
            expected,
            _DECK,
            partial(_rows, f"deck_{kind}_fusion", _field),
        )
        for kind, expected in _DECK_FIELDS.items()
    ),
    Check(
        "slow fusion: fields unlike those by gradient",
        0,
        "kernel, stride, padding",
        partial(_disagreements, "deck_slow_fusion"),
    ),
    Check("VGG-16, pool5: sees", "212x212", "by hand", lambda: _last_field("vgg16", "Pool")),
    Check("C3D, conv5b: sees", "68x134x134", "by hand", lambda: _last_field("c3d", "Conv3d")),
]

VIDEO = [*_PARAMETERS, *_PRODUCTS, *_SIZES, *_FIELDS]
