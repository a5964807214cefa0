"""How the weights of the networks here start, and how their widths scale."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from unrolled.errors import ConfigError


def initialise_he(network: nn.Module) -> None:
    """Draw every convolution from N(0, 2 / fan out); biases are 0, normalisations the identity.

    Source: He et al. 2015, arXiv:1502.01852, eq. 14.
    """
    for part in network.modules():
        if isinstance(part, _ConvNd):
            if not part.weight.is_meta:  # to draw nothing, torch would first load its compiler
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, _BatchNorm) and part.affine:
            nn.init.ones_(part.weight)
            nn.init.zeros_(part.bias)


def initialise_normal(network: nn.Module, kind: type[nn.Module], deviation: float) -> None:
    """Draw the weights of every module of ``kind`` from N(0, deviation²); its biases are 0."""
    for part in network.modules():
        if isinstance(part, kind):
            weight = part.get_parameter("weight")
            if not weight.is_meta:
                nn.init.normal_(weight, 0.0, deviation)
            if part.bias is not None:
                nn.init.zeros_(part.get_parameter("bias"))


def check_sizes(**sizes: int) -> None:
    """Raise ``ConfigError`` unless every size is at least 1."""
    for name, size in sizes.items():
        if size < 1:
            raise ConfigError(f"{name} of at least 1", str(size))
