"""The axis legend, and the one function that checks a shape against it.

    B   batch: sequences side by side            H W  height and width of a frame
    T   time: steps of a sequence                 K   hypotheses of one sequence (a beam)
    N   rows of a context; batch B = K·N          L   positions of a memory (or length of a text)
    C   channels or features that come in         V   words or classes
    D   features that go out, or hidden size      S   steps of one block (the stride)

Sequences are ``[B, T, ...]`` everywhere, video ``[B, T, C, H, W]``; there is no other layout.
"""

from torch import Tensor

from unrolled.errors import ShapeError


def describe(axes: str, sizes: dict[str, int]) -> str:
    """Write a pattern with the sizes that are known, such as ``[B, T, C=7]``."""
    return "[" + ", ".join(f"{a}={sizes[a]}" if a in sizes else a for a in axes.split()) + "]"


def check_shape(name: str, tensor: Tensor, axes: str, /, **sizes: int) -> None:
    """Raise ``ShapeError`` unless ``tensor`` has these ``axes``, of these ``sizes``.

    Args:
        name: what the caller knows the tensor by.
        tensor: the tensor to look at.
        axes: one letter or word an axis, separated by blanks, as in the legend.
        sizes: the sizes that are settled; other axes may have any.

    Example:
        >>> import torch
        >>> check_shape("x", torch.zeros(2, 3, 5), "B T C", C=7)
        Traceback (most recent call last):
        unrolled.errors.ShapeError: expected x of shape [B, T, C=7], got [2, 3, 5]
    """
    names = axes.split()
    fits = tensor.ndim == len(names) and all(
        sizes.get(axis, size) == size for axis, size in zip(names, tensor.shape, strict=True)
    )
    if not fits:
        raise ShapeError(f"{name} of shape {describe(axes, sizes)}", str(list(tensor.shape)))
