"""The k largest of each row, in an order that is always the same."""

import torch
from torch import Tensor

from unrolled.kernels import likeliest as native

# Long rows are first cut into blocks of this size; chosen by timing rows of 50,000.
BLOCK = 64
# Natively, what is found is kept in order by insertion.
_FEW = 64


def largest(scores: Tensor, k: int, *, maxima: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the ``k`` largest of each row and their columns, the first of equals first.

    torch.topk leaves open which of equals it takes, and is slow on long rows. The k largest lie in
    the k blocks with the largest maxima, so that one pass over a row is enough.

    Shapes: scores [R, M] without NaN, k at most M; maxima [R, ceil(M / BLOCK)]; returns [R, k] and
        [R, k].
    Args:
        scores: of every row.
        k: how many of each row are wanted.
        maxima: ``block_maxima(scores)``, where they are known.
    Example:
        >>> values, columns = largest(torch.tensor([[1.0, 3.0, 3.0, 2.0, 3.0]]), 2)
        >>> columns
        tensor([[1, 2]])
    """
    if 0 < k <= _FEW and native.serves(scores):
        values, columns, _ = native.likeliest(scores, k)
        return values, columns
    size = scores.shape[1]
    if size <= 4 * k * BLOCK:
        columns = _first_columns(scores, k)
    else:
        blocks = _first_columns(block_maxima(scores) if maxima is None else maxima, k)
        inside = torch.arange(BLOCK, device=scores.device)
        candidates = (blocks[:, :, None] * BLOCK + inside).flatten(1)
        past = candidates >= size
        values = scores.gather(1, candidates.masked_fill(past, 0)).masked_fill(past, -torch.inf)
        columns = candidates.gather(1, _first_columns(values, k))
    values, order = scores.gather(1, columns).sort(dim=1, descending=True, stable=True)
    return values, columns.gather(1, order)


def block_maxima(scores: Tensor) -> Tensor:
    """Return the largest of each block of ``BLOCK`` columns; the last block may be shorter.

    Shapes: scores [R, M]; returns [R, ceil(M / BLOCK)].
    """
    whole = scores.shape[1] - scores.shape[1] % BLOCK
    maxima: Tensor = scores[:, :whole].unflatten(1, (-1, BLOCK)).amax(dim=-1)
    if whole == scores.shape[1]:
        return maxima
    return torch.cat([maxima, scores[:, whole:].amax(dim=-1, keepdim=True)], dim=1)


def _first_columns(scores: Tensor, k: int) -> Tensor:
    """Return the columns ``[R, k]`` of the k largest, the first of equals, from left to right."""
    smallest = scores.topk(k, dim=1).values[:, -1:]
    above, equal = scores > smallest, scores == smallest
    room = k - above.sum(dim=1, keepdim=True)
    taken = above | (equal & (equal.cumsum(dim=1) <= room))
    return taken.nonzero()[:, 1].view(-1, k)
