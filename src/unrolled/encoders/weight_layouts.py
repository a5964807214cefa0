"""Other projects' names and orders of axes for the weights of networks that are built here."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from unrolled.errors import ReaderError

_FIRES = range(2, 10)  # fire2 ... fire9 in the paper and in Keras
_FIRE_LAYERS = (3, 4, 6, 7, 9, 10, 11, 12)  # their places in torchvision's features


def to_state_dict(
    tensors: Mapping[str, Tensor], name: str, network: nn.Module
) -> dict[str, Tensor]:
    """Bring the tensors of a file to the keys and shapes of ``network.state_dict()``.

    Understood are torchvision's own layout, also behind ``module.``, MobileNetV2 as the arrays of
    a TensorFlow Lite file with integer weights, and SqueezeNet 1.1 as Keras keeps it.

    Args:
        tensors: what was read of the file.
        name: the network in the registry.
        network: it, its classes as many as the file has.
    Raises:
        ReaderError: a tensor that is missing, left over, or of another shape.
    """
    found = dict(tensors)
    for (known, mark), convert in _LAYOUTS.items():
        if name == known and mark in found:
            found = convert(found, network)
    found = {key.removeprefix("module."): tensor for key, tensor in found.items()}
    wanted = network.state_dict()
    for key, tensor in wanted.items():
        if key.endswith("num_batches_tracked"):  # older files lack it, and nothing depends on it
            found.setdefault(key, tensor.new_zeros((), device="cpu"))
        if key not in found:
            raise ReaderError(f"{key} {list(tensor.shape)}, which {name} has", "no such tensor")
        if found[key].shape != tensor.shape:
            got = str(list(found[key].shape))
            raise ReaderError(f"{key} of shape {list(tensor.shape)}", got)
    left = sorted(found.keys() - wanted.keys())
    if left:
        raise ReaderError(f"the tensors of {name} alone", f"{len(left)} more, such as {left[0]}")
    return {key: found[key].to(tensor.dtype).contiguous() for key, tensor in wanted.items()}


def count_classes(tensors: Mapping[str, Tensor], name: str) -> int | None:
    """Return how many classes the weights score; None where the classifier is not in the file."""
    if ("mobilenet_v2", "52.weight") in _LAYOUTS and name == "mobilenet_v2":
        last = tensors.get("52.weight")
        if last is not None:
            return len(last)
    for key in _LAST.get(name, ()):
        for prefix in ("", "module."):
            if prefix + key in tensors:
                return len(tensors[prefix + key])
    return None


def mobilenet_v2_of_tflite(tensors: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Return float weights of layers ``00`` to ``52`` of a quantised MobileNetV2, in their order.

        weight = integer weight * scale of its output channel
        bias   = integer bias * its scale

    Their batch normalisation is folded into them; here each bias becomes that of a normalisation
    which changes nothing else.
    """
    convs = [(name, m) for name, m in network.named_modules() if isinstance(m, nn.Conv2d)]
    norms = [(name, m) for name, m in network.named_modules() if isinstance(m, nn.BatchNorm2d)]
    found: dict[str, Tensor] = {}
    pairs = zip(convs, norms, strict=True)
    for number, ((conv, module), (norm, normalisation)) in enumerate(pairs):
        weight, bias = _dequantised(tensors, number, depthwise=module.groups > 1)
        found[f"{conv}.weight"], found[f"{norm}.bias"] = weight, bias
        found[f"{norm}.weight"] = bias.new_ones(len(bias))
        found[f"{norm}.running_mean"] = bias.new_zeros(len(bias))
        found[f"{norm}.running_var"] = bias.new_full((len(bias),), 1 - normalisation.eps)
    weight, bias = _dequantised(tensors, len(convs), depthwise=False)
    return found | {"classifier.1.weight": weight.flatten(1), "classifier.1.bias": bias}


def _dequantised(
    tensors: Mapping[str, Tensor], number: int, *, depthwise: bool
) -> tuple[Tensor, Tensor]:
    parts = ("weight", "weight_scale", "bias", "bias_scale")
    names = [f"{number:02}.{part}" for part in parts]
    missing = [name for name in names if name not in tensors]
    if missing:
        raise ReaderError("four arrays for every layer of MobileNetV2", f"no {missing[0]}")
    weight, scale, bias, bias_scale = (tensors[name].float() for name in names)
    if weight.ndim != 4 or scale.shape != bias.shape or scale.shape != bias_scale.shape:
        raise ReaderError(f"layer {number:02} with a scale for every channel", "other shapes")
    if depthwise:  # [1, kh, kw, channels]
        return (weight * scale).permute(3, 0, 1, 2), bias * bias_scale
    return (weight * scale[:, None, None, None]).permute(0, 3, 1, 2), bias * bias_scale


def squeezenet_of_keras(tensors: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Return the weights of SqueezeNet 1.1 that Keras keeps as [kh, kw, in, out], by layer.

    The file has no classes: those of ``network`` are 0, so that all of them are as likely.
    """
    places = {"conv1": "features.0"}
    for fire, layer in zip(_FIRES, _FIRE_LAYERS, strict=True):
        for part in ("squeeze1x1", "expand1x1", "expand3x3"):
            ours = "squeeze" if part == "squeeze1x1" else part
            places[f"fire{fire}/{part}"] = f"features.{layer}.{ours}"
    found = {}
    for key, tensor in tensors.items():
        group = "/".join(key.split("/")[: 1 if key.startswith("conv1") else 2])
        if group not in places or tensor.ndim not in (1, 4):
            raise ReaderError("the layers of SqueezeNet 1.1", key)
        kind = "bias" if tensor.ndim == 1 else "weight"
        found[f"{places[group]}.{kind}"] = (
            tensor if tensor.ndim == 1 else tensor.permute(3, 2, 0, 1)
        )
    for key, tensor in network.state_dict().items():
        if key.startswith("classifier."):
            found[key] = tensor.new_zeros(tensor.shape, device="cpu")
    return found


_LAYOUTS: dict[tuple[str, str], Callable[[Mapping[str, Tensor], nn.Module], dict[str, Tensor]]] = {
    ("mobilenet_v2", "52.weight"): mobilenet_v2_of_tflite,
    ("squeezenet1_1", "conv1/conv1_b"): squeezenet_of_keras,
}
# The bias of each network's last layer has a number for every class.
_LAST = {
    "alexnet": ("classifier.6.bias",),
    "mc3_18": ("fc.bias",),
    "mobilenet_v2": ("classifier.1.bias",),
    "r2plus1d_18": ("fc.bias",),
    "r3d_18": ("fc.bias",),
    "resnet18": ("fc.bias",),
    "resnet34": ("fc.bias",),
    "resnet50": ("fc.bias",),
    "s3d": ("classifier.1.bias",),
    "squeezenet1_1": ("classifier.1.bias",),
    "vgg16": ("classifier.6.bias",),
}
