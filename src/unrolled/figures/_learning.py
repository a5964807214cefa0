"""Small networks for the figures: built from a seed, taught by heart."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.models import MinCharRNN


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from torch's generator as after ``seed`` within the block, and leave it as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def encoded(text: str, vocabulary: str) -> Tensor:
    """Return a text as tokens ``[1, T]``."""
    return torch.tensor([[vocabulary.index(character) for character in text]])


def speller(
    text: str, vocabulary: str, *, hidden_size: int, seed: int, steps: int
) -> tuple[MinCharRNN, float]:
    """Teach a plain recurrent network to say the next character of ``text``.

    Returns:
        The network, in float64, and its loss in nats per character before the last update.
    """
    tokens = encoded(text, vocabulary)
    with seeded(seed):
        model = MinCharRNN(len(vocabulary), hidden_size).double()
        for parameter in model.parameters():
            torch.nn.init.uniform_(parameter, -0.5, 0.5)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    loss = torch.zeros(())
    for _ in range(steps):
        logits, _ = model(tokens[:, :-1])
        loss = F.cross_entropy(logits[0], tokens[0, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval(), loss.item()
