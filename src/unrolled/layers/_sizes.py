"""What a layer gives, for its size alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from unrolled.recurrence import Recurrence
from unrolled.state import leaves, map_leaves


def frame_after(layer: Recurrence[Any, Any, Any, Any], x: Any, state: Any) -> Any:
    """Return a chunk of the size that ``layer`` gives for x; its numbers mean nothing.

    The first row stands for all of them, and running statistics stay as they are.
    """
    with torch.no_grad(), _evaluating(layer):
        if layer.has_context():
            y, _ = layer.scan(x, state)  # all rows: they belong to those of the context
            return y
        first = map_leaves(lambda leaf: leaf[:1], x)
        y, _ = layer.scan(first, map_leaves(lambda leaf: leaf[:1], state))
        batch_size = len(leaves(x)[0])
        return map_leaves(lambda leaf: leaf.expand(batch_size, *leaf.shape[1:]), y)


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    training = [part for part in module.modules() if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True
