"""What the network of a language model can be told."""

from dataclasses import dataclass

from unrolled.errors import ConfigError


@dataclass(frozen=True)
class NetworkOptions:
    """The size of the network.

    Args:
        cell: name of a recurrent cell.
        embedding_size: length of a character's vector.
        hidden_size: of every cell.
        num_layers: how many cells are stacked.
        dropout: share of the connections between layers that training drops.
    """

    cell: str = "lstm"
    embedding_size: int = 128
    hidden_size: int = 512
    num_layers: int = 1
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("embedding_size", "hidden_size", "num_layers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} of at least 1", str(getattr(self, name)))
