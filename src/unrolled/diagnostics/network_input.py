"""The size of the input that a network over pictures or clips is looked at with."""

from torch import nn

from unrolled.encoders import PictureNetwork
from unrolled.errors import ConfigError

_DECK = {"T": 20, "C": 3, "H": 64, "W": 64}
_PUBLISHED = {  # where the authors' clips are not of 16 frames of 112 x 112 pixels
    "deck_early_fusion": _DECK,
    "deck_late_fusion": _DECK,
    "deck_slow_fusion": _DECK,
    "i3d": {"T": 64, "C": 3, "H": 224, "W": 224},
    "s3d": {"T": 16, "C": 3, "H": 224, "W": 224},
}
_ORDER = "TCHW"


def parse_input(text: str) -> dict[str, int]:
    """Read sizes such as ``T=16,C=3,H=112,W=112``; the order is the tensor's.

    Raises:
        ConfigError: another axis, another order, or no size.
    Example:
        >>> parse_input("T=16,C=3,H=112,W=112")
        {'T': 16, 'C': 3, 'H': 112, 'W': 112}
    """
    sizes: dict[str, int] = {}
    for pair in text.split(","):
        label, _, size = pair.strip().partition("=")
        if label not in _ORDER or not label or not size.isdecimal() or not 0 < int(size) < 10**6:
            raise ConfigError("axes with sizes, as in T=16,C=3,H=112,W=112", repr(pair.strip()))
        if label in sizes:
            raise ConfigError("every axis once", f"{label} twice")
        sizes[label] = int(size)
    ordered = {label: sizes[label] for label in _ORDER if label in sizes}
    if list(sizes) != list(ordered):
        cure = "write --input " + ",".join(f"{label}={size}" for label, size in ordered.items())
        got = f"[B, {', '.join(sizes)}]"
        raise ConfigError(f"the layout [B, {', '.join(ordered)}]", got, cure)
    if not {"C", "H", "W"} <= sizes.keys():
        raise ConfigError("C, H and W, as in T=16,C=3,H=112,W=112", text)
    return sizes


def usual_input(name: str, module: nn.Module) -> dict[str, int]:
    """Return the input that a network is published with, as far as it is known.

    Example:
        >>> from unrolled.encoders import MobileNetV2
        >>> usual_input("mobilenet_v2", MobileNetV2())
        {'C': 3, 'H': 224, 'W': 224}
    """
    channels = int(getattr(module, "input_channels", 3))
    if isinstance(module, PictureNetwork):
        return {"C": channels, "H": 224, "W": 224}
    if name in _PUBLISHED:
        return _PUBLISHED[name]
    frames = int(getattr(module, "clip_frames", max(16, getattr(module, "fewest_frames", 1))))
    pixels = int(getattr(module, "frame_pixels", 112))
    return {"T": frames, "C": channels, "H": pixels, "W": pixels}
