"""How fast causal video networks are frame by frame: against sliding windows and a peer library."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.benchmarks.timing import side_by_side
from unrolled.errors import ConfigError
from unrolled.layers import BatchNorm, CausalConv3d, CausalMeanPool, Residual, Serial
from unrolled.models import CausalSmall, CausalX3D
from unrolled.recurrence import Recurrence
from unrolled.streaming import Stream

WINDOW_FRAMES = 13
_CHANNELS, _PIXELS = 64, 56  # of the layers that are timed alone
_X3D_PIXELS, _SMALL_PIXELS = 160, 112
_WARM_UP_FRAMES = 96  # more than any network here looks back
_PEER = "continual-inference"

AnyRecurrence = Recurrence[Any, Any, Any, Any]
Show = Callable[[float, str], None]


@torch.no_grad()
def measure(*, rounds: int = 15, show: Show = lambda *_: None) -> dict[str, Any]:
    """Measure a dense and a depthwise layer, an X3D-S and the default network, per frame, B = 1.

    Args:
        rounds: turns that each has; medians are returned.
        show: is told how far it is.

    Returns:
        Milliseconds a frame, ratios, and the largest relative difference of the outputs compared.
        Figures of the peer, continual-inference, are there where it is installed.

    Raises:
        ConfigError: no round.
    """
    if rounds < 1:
        raise ConfigError("at least one round", f"{rounds = }")
    torch.manual_seed(0)
    show(0.0, "dense layer")
    dense = _layer(1, rounds)
    show(0.2, "depthwise layer")
    depthwise = _layer(_CHANNELS, rounds)
    show(0.4, "X3D-S")
    network = _network(rounds)
    show(0.9, "causal_small")
    small = _small(rounds)
    peer = "measured" if find_spec("continual") else f"not measured: {_PEER} is not installed"
    return {
        "threads": torch.get_num_threads(),
        "peer": f"{_PEER}: {peer}",
        "dense_layer": dense,
        "depthwise_layer": depthwise,
        "x3d_s": network,
        "causal_small": small,
    }


def _layer(groups: int, rounds: int) -> dict[str, Any]:
    """One 3 x 3 x 3 convolution on the newest frame."""
    layer = Serial(CausalConv3d(_CHANNELS, _CHANNELS, kernel_size=(3, 3, 3), groups=groups)).eval()
    clip = torch.randn(1, WINDOW_FRAMES, _CHANNELS, _PIXELS, _PIXELS)
    frame = clip[:, -1].contiguous(memory_format=torch.channels_last)
    whole = nn.Conv3d(_CHANNELS, _CHANNELS, 3, padding=(0, 1, 1), groups=groups)
    conv = layer.layers[0]
    whole.load_state_dict(conv.state_dict())
    taps = nn.Conv2d(3 * _CHANNELS, _CHANNELS, 3, padding=1)
    joined = clip[:, -3:].flatten(1, 2).contiguous()
    window = clip.transpose(1, 2).contiguous()
    stream = _warm(layer, clip)
    expected = whole(window)[:, :, -1]
    difference = _difference(stream.push(frame), expected)
    stream = _warm(layer, clip)
    calls: dict[str, Callable[[], object]] = {
        "stream": partial(stream.push, frame),
        "window_of_13": partial(whole, window),
    }
    if groups == 1:
        calls["one_conv2d_over_three_taps"] = partial(taps, joined)
    peer = _continual(layer)
    if peer is not None:
        for t in range(WINDOW_FRAMES):
            got = peer.forward_step(clip[:, t])
        difference = max(difference, _difference(got, expected))
        calls["continual_inference"] = partial(peer.forward_step, clip[:, -1])
    return _figures(side_by_side(calls, rounds=rounds), difference)


def _network(rounds: int) -> dict[str, Any]:
    """An X3D-S on the newest frame, against its sliding window and its continual form."""
    network = _settled(CausalX3D(), _X3D_PIXELS)
    clip = torch.randn(1, WINDOW_FRAMES, 3, _X3D_PIXELS, _X3D_PIXELS)
    frame = clip[:, -1]
    expected = network(clip)[0][:, -1]
    difference = _difference(_warm(network, clip).push(frame), expected)
    stream = _warm(network, clip)
    calls: dict[str, Callable[[], object]] = {
        "stream": partial(stream.push, frame),
        "window_of_13": partial(network, clip),
    }
    peer = _continual(network)
    if peer is not None:
        fresh = Stream(network)
        for _ in range(_WARM_UP_FRAMES):
            ours, theirs = fresh.push(frame), peer.forward_step(frame)
        difference = max(difference, _difference(theirs, ours))
        calls["continual_inference"] = partial(peer.forward_step, frame)
    return _figures(side_by_side(calls, rounds=rounds), difference)


def _small(rounds: int) -> dict[str, Any]:
    """The default network of the video task."""
    network = _settled(CausalSmall(8), _SMALL_PIXELS)
    clip = torch.randn(1, WINDOW_FRAMES, 3, _SMALL_PIXELS, _SMALL_PIXELS)
    expected = network(clip)[0][:, -1]
    difference = _difference(_warm(network, clip).push(clip[:, -1]), expected)
    calls: dict[str, Callable[[], object]] = {
        "stream": partial(_warm(network, clip).push, clip[:, -1]),
        "window_of_13": partial(network, clip),
    }
    return _figures(side_by_side(calls, rounds=rounds), difference)


def _settled(network: AnyRecurrence, pixels: int) -> AnyRecurrence:
    """Let batch normalisation see some noise: its statistics then are those of its input."""
    network.train()
    for _ in range(8):
        network(torch.randn(1, WINDOW_FRAMES, 3, pixels // 4, pixels // 4))
    return network.eval()


def _warm(layer: AnyRecurrence, clip: Tensor) -> Stream:
    """Return a stream that has seen all of a clip but its last frame."""
    stream = Stream(layer)
    for x_t in clip[:, :-1].unbind(1):
        stream.push(x_t)
    return stream


def _difference(got: Tensor, expected: Tensor) -> float:
    return float((got - expected).abs().max() / expected.abs().max())


def _figures(seconds: dict[str, float], difference: float) -> dict[str, Any]:
    ours = seconds["stream"]
    figures: dict[str, Any] = {
        f"{name}_milliseconds": 1e3 * value for name, value in seconds.items()
    }
    figures |= {
        f"times_faster_than_{name}": value / ours
        for name, value in seconds.items()
        if name != "stream"
    }
    return {**figures, "largest_relative_difference": difference}


def _continual(module: AnyRecurrence) -> Any:
    """Return a network with the same weights in the peer's classes; None where it is missing."""
    if not find_spec("continual"):
        return None
    return _translate(module, import_module("continual")).eval()


def _translate(module: AnyRecurrence, co: ModuleType) -> Any:
    if isinstance(module, Serial):
        return co.Sequential(*(_translate(layer, co) for layer in module.layers))
    if isinstance(module, Residual):
        skip, layer = module.skip, _translate(module.layer, co)
        around = co.Lambda(lambda x: x) if skip is None else _translate(skip, co)
        return co.BroadcastReduce(around, layer, reduce="sum", auto_delay=False)
    if isinstance(module, CausalConv3d):
        stride = (1, module.spatial_stride, module.spatial_stride)
        conv = co.Conv3d(
            module.in_channels,
            module.out_channels,
            module.kernel_size,
            stride=stride,
            padding=(0, *module.spatial_padding),
            groups=module.groups,
            bias=module.bias is not None,
        )
        conv.load_state_dict(module.state_dict())
        return conv
    if isinstance(module, BatchNorm):
        norm = nn.BatchNorm3d(module.num_features)
        norm.load_state_dict(module.state_dict())
        return norm
    if isinstance(module, CausalMeanPool):
        return co.AvgPool1d(module.window, stride=1)
    return co.Lambda(lambda x: module.step(x, ())[0])  # a function of one frame
