"""Word vectors as the beginning of a language model's embedding."""

from typing import Any

import torch

from unrolled.errors import ConfigError
from unrolled.layers import Embedding
from unrolled.readers.word_vectors import WordVectors
from unrolled.recurrence import Recurrence
from unrolled.tasks.language.networks import network_options
from unrolled.tasks.vocabulary import Words

_SIZES = ("embedding_size", "embed_dim")  # what the networks call the length of a token's vector


def with_embedding_size(name: str, options: dict[str, Any], size: int) -> dict[str, Any]:
    """Return the options of a network whose embedding has ``size`` numbers a token.

    Raises:
        ConfigError: the network has no embedding, or the options ask for another size.
    """
    option = next((option for option in _SIZES if option in network_options(name)), None)
    if option is None:
        raise ConfigError("a model with an embedding for --embeddings", name, "try lstm")
    if options.get(option, size) != size:
        raise ConfigError(
            f"model.{option}={size}, as the word vectors have",
            str(options[option]),
            "leave it out, or choose other vectors",
        )
    return {**options, option: size}


def embedding_of(network: Recurrence[Any, Any, Any, Any]) -> Embedding:
    """Return the layer that gives a network's tokens their vectors.

    Raises:
        ConfigError: it has none.
    """
    for module in network.modules():
        if isinstance(module, Embedding):
            return module
    raise ConfigError("a model with an embedding for --embeddings", type(network).__name__)


def tell_found(found: WordVectors, vocabulary: Words, path: str) -> str:
    """Return a sentence on how many words have a vector."""
    count, size = len(found.tokens), len(vocabulary)
    return (
        f"{count:,} of the {size:,} entries of the vocabulary ({count / size:.1%}) have a vector "
        f"in {path}; the others start at random"
    )


@torch.no_grad()
def start_from(embedding: Embedding, found: WordVectors) -> None:
    """Begin with word vectors; the rows of words that have none stay as they are.

    Raises:
        ConfigError: the vectors have another size than the embedding.
    """
    expected, size = embedding.weight.shape[1], found.vectors.shape[1]
    if size != expected:
        raise ConfigError(f"word vectors of {expected} numbers", str(size), "choose other vectors")
    weight = embedding.weight
    tokens, vectors = torch.from_numpy(found.tokens), torch.from_numpy(found.vectors)
    weight[tokens.to(weight.device)] = vectors.to(weight.device)
