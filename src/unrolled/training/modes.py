"""The two modes of a module."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module in eval() for the length of a block, and back into the mode that it had."""
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)
