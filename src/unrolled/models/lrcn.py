"""The long-term recurrent convolutional network: a picture network read by an LSTM."""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from unrolled.cells import LSTM
from unrolled.encoders import PictureNetwork
from unrolled.errors import ConfigError
from unrolled.layers import Dropout, Linear, PerFrame, Serial
from unrolled.recurrence import Recurrence, Supports
from unrolled.registry import build


class _Features(nn.Module):
    """The pooled features of a picture network, which learns with what reads them or is frozen."""

    def __init__(self, network: PictureNetwork, *, frozen: bool) -> None:
        super().__init__()
        self.network = network
        self.frozen = frozen
        network.requires_grad_(not frozen)
        self.train()

    def forward(self, x: Tensor) -> Tensor:
        return self.network.features(x)

    def train(self, mode: bool = True) -> "_Features":
        """Leave a frozen network in eval(): its statistics are as frozen as its weights."""
        return super().train(mode and not self.frozen)


class LRCN(Serial):
    """A picture network looks at every frame, an LSTM at what it found, and labels every frame.

        features_t = network.features(x_t)
        logits_t = W LSTM(dropout(features_t)) + b

    Many-to-many as it stands; ``Last`` makes it many-to-one. A frozen network gets no gradients and
    keeps its statistics, so its features can be computed once and kept: ``model.head`` takes them.

    Shapes: x [B, T, C, H, W] float; state one state a layer; y [B, T, class_count] logits.
    Args:
        class_count: classes.
        network: a picture network, or the name of one, such as "resnet18" or "vgg16"; of one
            that is named, the classifier is left away.
        network_options: of a network that is named.
        hidden_size: of the LSTM.
        num_layers: how many LSTMs.
        dropout: share that training drops from what each LSTM takes.
        frozen: leave the picture network as it is.
    Raises:
        ConfigError: the name is not that of a picture network, or a size below 1.
    Source: Donahue et al. 2015, arXiv:1411.4389, §4. Differs: any picture network, pooled over
        places; it may be frozen, and learns with the LSTM by default.
    Example:
        >>> import torch
        >>> from unrolled.encoders import ResNet18
        >>> model = LRCN(5, network=ResNet18(width=4), hidden_size=7).eval()
        >>> y, _ = model(torch.zeros(2, 3, 3, 32, 32))
        >>> y.shape
        torch.Size([2, 3, 5])
    """

    def __init__(
        self,
        class_count: int,
        *,
        network: str | PictureNetwork = "resnet18",
        network_options: Mapping[str, Any] | None = None,
        hidden_size: int = 256,
        num_layers: int = 1,
        dropout: float = 0.5,
        frozen: bool = False,
    ) -> None:
        if min(class_count, hidden_size, num_layers) < 1:
            got = f"{class_count = }, {hidden_size = }, {num_layers = }"
            raise ConfigError("sizes of at least 1", got)
        if isinstance(network, str):
            network = _headless(network, network_options or {})
        frames = PerFrame(_Features(network, frozen=frozen))
        if frozen:
            frames.supports = Supports()  # its statistics never move
        layers: list[Recurrence[Any, Any, Any, Any]] = []
        for number in range(num_layers):
            layers += [Dropout(dropout)] if dropout else []
            layers.append(LSTM(hidden_size if number else network.feature_size, hidden_size))
        super().__init__(frames, Serial(*layers, Linear(hidden_size, class_count)))
        self.class_count = class_count
        self.frozen = frozen
        self.feature_size = network.feature_size

    @property
    def front(self) -> nn.Module:
        """What the features come from."""
        return self.layers[0]

    @property
    def head(self) -> Recurrence[Any]:
        """What comes behind the features ``[B, T, feature_size]``, a ``Recurrence`` by itself."""
        return self.layers[1]

    def head_for(self, frame: Sequence[int]) -> Recurrence[Any]:  # noqa: ARG002
        """Return ``head``, which is the same for frames of any size."""
        return self.head

    def features(self, x: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B T D"]:
        """Return the features of every frame, which ``head`` takes."""
        y: Tensor = self.layers[0](x)[0]
        return y


def _headless(name: str, options: Mapping[str, Any]) -> PictureNetwork:
    """Build a picture network by its name, without the classes that nobody asks for."""
    network = build(name, **options)
    if not isinstance(network, PictureNetwork):
        raise ConfigError("the name of a picture network, such as 'resnet18'", repr(name))
    for part in network.head_parts:
        setattr(network, part, nn.Identity())
    return network
