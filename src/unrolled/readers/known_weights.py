"""Well-known files of weights: where they come from, and what their networks take."""

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

_TORCHVISION = "https://download.pytorch.org/models"
_KERAS = "https://raw.githubusercontent.com/DeepCognition/keras-squeezenet/a73d4339aa4d"
_BSD = "torchvision is BSD-3-Clause; its weights may carry terms of what they learnt from"


@dataclass(frozen=True)
class KnownWeights:
    """A published file of weights.

    Args:
        network: its name in the registry.
        file: what it is called.
        url: where it lies.
        learnt_from: the data.
        licence: what is stated of it.
        sha256: how its SHA-256 begins, or all of it; "" where none is published.
    """

    network: str
    file: str
    url: str
    learnt_from: str
    licence: str
    sha256: str


def _of_torchvision(network: str, file: str, learnt_from: str) -> KnownWeights:
    # Their files are named after the first digits of their checksums.
    prefix = file.rpartition("-")[2].partition(".")[0]
    return KnownWeights(network, file, f"{_TORCHVISION}/{file}", learnt_from, _BSD, prefix)


KNOWN_WEIGHTS = (
    _of_torchvision("alexnet", "alexnet-owt-7be5be79.pth", "ImageNet"),
    _of_torchvision("vgg16", "vgg16-397923af.pth", "ImageNet"),
    _of_torchvision("resnet18", "resnet18-f37072fd.pth", "ImageNet"),
    _of_torchvision("resnet34", "resnet34-b627a593.pth", "ImageNet"),
    _of_torchvision("resnet50", "resnet50-0676ba61.pth", "ImageNet"),
    _of_torchvision("mobilenet_v2", "mobilenet_v2-b0353104.pth", "ImageNet"),
    _of_torchvision("squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", "ImageNet"),
    _of_torchvision("r3d_18", "r3d_18-b3b3357e.pth", "Kinetics-400"),
    _of_torchvision("mc3_18", "mc3_18-a90a0ba3.pth", "Kinetics-400"),
    _of_torchvision("r2plus1d_18", "r2plus1d_18-91a641e6.pth", "Kinetics-400"),
    _of_torchvision("s3d", "s3d-d76dad2f.pth", "Kinetics-400"),
    KnownWeights(
        "squeezenet1_1",
        "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5",
        f"{_KERAS}/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "ImageNet",
        "MIT",
        "",
    ),
)


def how_to_get_weights(path: Path, network: str = "") -> str:
    """Return the command that downloads a missing file; "" where none is known.

    Args:
        path: the file that is missing.
        network: the network it is of; then that network's weights are offered under any name.
    Example:
        >>> how_to_get_weights(Path("w/vgg16-397923af.pth"))[:59]
        'get it (learnt from ImageNet; torchvision is BSD-3-Clause; '
        >>> how_to_get_weights(Path("mine.pth"))
        ''
    """
    named = [known for known in KNOWN_WEIGHTS if known.file == path.name]
    for known in named or [k for k in KNOWN_WEIGHTS if k.network == network][:1]:
        target = quote(str(path.parent / known.file))
        command = f"curl -L --create-dirs -o {target} {known.url}"
        return f"get it (learnt from {known.learnt_from}; {known.licence}) with: {command}"
    return ""


def known_weights(path: Path) -> KnownWeights | None:
    """Return what is known of a file of this name."""
    return next((known for known in KNOWN_WEIGHTS if known.file == path.name), None)
