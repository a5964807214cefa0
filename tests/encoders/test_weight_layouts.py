"""Others' layouts: each weight lands where its numbers belong."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.encoders import MobileNetV2, SqueezeNet11
from unrolled.encoders.weight_layouts import count_classes, to_state_dict
from unrolled.errors import ReaderError


def tflite_arrays(network: nn.Module, classes: int) -> dict[str, Tensor]:
    """Draw arrays as a TensorFlow Lite file has them."""
    found = {}
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    for number, conv in enumerate([*layers, nn.Conv2d(1280, classes, 1)]):
        out, into, *kernel = conv.weight.shape
        depthwise = conv.groups > 1
        shape = (1, *kernel, out) if depthwise else (out, *kernel, into)
        found[f"{number:02}.weight"] = torch.randint(-127, 128, shape, dtype=torch.int8)
        found[f"{number:02}.weight_scale"] = torch.rand(out) / 50
        found[f"{number:02}.bias"] = torch.randint(-99, 100, (out,), dtype=torch.int32)
        found[f"{number:02}.bias_scale"] = torch.rand(out) / 100
    return found


def test_integers_become_what_they_stand_for() -> None:
    torch.manual_seed(0)
    network = MobileNetV2(class_count=7, edges="same").eval()
    arrays = tflite_arrays(network, 7)
    assert count_classes(arrays, "mobilenet_v2", network, network) == 7
    network.load_state_dict(to_state_dict(arrays, "mobilenet_v2", network))
    x = torch.rand(1, 3, 8, 8)

    def layer(number: int, x: Tensor, **options) -> Tensor:
        parts = ("weight", "weight_scale", "bias", "bias_scale")
        weight, scale, bias, bias_scale = (arrays[f"{number:02}.{p}"].double() for p in parts)
        weight = weight * (scale if options else scale[:, None, None, None])
        weight = weight.permute(3, 0, 1, 2) if options else weight.permute(0, 3, 1, 2)
        return F.conv2d(x, weight, bias * bias_scale, **options)

    padded = F.pad(x.double(), (0, 1, 0, 1))
    weight = arrays["00.weight"].double() * arrays["00.weight_scale"].double()[:, None, None, None]
    bias = arrays["00.bias"].double() * arrays["00.bias_scale"].double()
    first = F.relu6(F.conv2d(padded, weight.permute(0, 3, 1, 2), bias, stride=2))
    second = F.relu6(layer(1, first, groups=32, padding=1))
    third = layer(2, second)
    with torch.no_grad():
        found = network.features[1](network.features[0](x))
    torch.testing.assert_close(found.double(), third, atol=1e-4, rtol=1e-4)


def test_keras_kernels_are_turned() -> None:
    torch.manual_seed(0)
    arrays = {"conv1/uniform1": torch.randn(3, 3, 3, 64), "conv1/conv1_b": torch.randn(64)}
    network = SqueezeNet11(class_count=2)
    for fire, layer in zip(range(2, 10), (3, 4, 6, 7, 9, 10, 11, 12), strict=True):
        for part, ours in (("squeeze1x1", "squeeze"), ("expand1x1",) * 2, ("expand3x3",) * 2):
            out, into, height, width = getattr(network.features[layer], ours).weight.shape
            group = f"fire{fire}/{part}"
            arrays[f"{group}/uniform{fire}"] = torch.randn(height, width, into, out)
            arrays[f"{group}/fire{fire}/{part}_b"] = torch.randn(out)
    assert count_classes(arrays, "squeezenet1_1", network, SqueezeNet11(class_count=1)) is None
    state = to_state_dict(arrays, "squeezenet1_1", network)
    kernel = state["features.12.expand3x3.weight"]
    assert kernel[5, 3, 0, 2] == arrays["fire9/expand3x3/uniform9"][0, 2, 3, 5]
    assert torch.equal(
        state["features.3.squeeze.bias"], arrays["fire2/squeeze1x1/fire2/squeeze1x1_b"]
    )
    assert not state["classifier.1.weight"].any()


def test_torchvisions_layout_is_ours() -> None:
    network = SqueezeNet11(class_count=5)
    state = network.state_dict()
    behind = {f"module.{key}": tensor for key, tensor in state.items()}
    assert count_classes(behind, "squeezenet1_1", network, SqueezeNet11(class_count=1)) == 5
    found = to_state_dict(behind, "squeezenet1_1", network)
    assert all(torch.equal(found[key], state[key]) for key in state)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"features.0.weight": None}, "features.0.weight .* no such tensor"),
        ({"features.0.weight": torch.zeros(2)}, r"shape \[64, 3, 3, 3\], got \[2\]"),
        ({"more": torch.zeros(2)}, "1 more, such as more"),
    ],
)
def test_what_does_not_fit_is_named(change, words: str) -> None:
    network = SqueezeNet11(class_count=5)
    tensors = network.state_dict() | change
    fit = {key: tensor for key, tensor in tensors.items() if tensor is not None}
    with pytest.raises(ReaderError, match=words):
        to_state_dict(fit, "squeezenet1_1", network)
