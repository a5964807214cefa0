"""Random numbers that are a function of a seed and of a step, so that any cut reproduces them."""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from unrolled.state import as_rows


def hash_bits(seed: Int64[Tensor, "*#B"], number: Int64[Tensor, "*#B"], size: int) -> Tensor:
    """Return 32 random bits, as int32, for each of ``size`` elements: ``[*B, size]``.

    Args:
        seed: of a sequence.
        number: of the draw, such as a step.
        size: how many elements a draw has.
    """
    key = _mix(_mix(seed & 0xFFFFFFFF) ^ (seed >> 32)) ^ _mix(number & 0xFFFFFFFF)
    key = _mix(key + (number >> 32) + 0x9E3779B9)
    element = torch.arange(size, device=seed.device, dtype=torch.int64) * 0x9E3779B9
    # int32 from here on, in place: this runs once for every element of x.
    bits = as_rows(key, key[..., None]).to(torch.int32) + element.to(torch.int32)
    return _mix32_(bits)


def _mix(word: Tensor) -> Tensor:
    """Murmur3's finaliser on the low 32 bits of int64."""
    word = word & 0xFFFFFFFF
    word = ((word ^ (word >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    word = ((word ^ (word >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return word ^ (word >> 16)


def _mix32_(word: Tensor) -> Tensor:
    """The same finaliser in int32, overwriting ``word``; a shift there copies the sign bit."""
    word ^= (word >> 16) & 0xFFFF
    word *= 0x85EBCA6B - 2**32
    word ^= (word >> 13) & 0x7FFFF
    word *= 0xC2B2AE35 - 2**32
    word ^= (word >> 16) & 0xFFFF
    return word


def uniform(seed: Int64[Tensor, "*#B"], number: Int64[Tensor, "*#B"]) -> Float64[Tensor, "*#B"]:
    """Return a number between 0 and 1, neither of them, for each seed and step."""
    bits = hash_bits(seed, number, 1).squeeze(-1).to(torch.float64)
    return (bits + 2.0**31 + 0.5) / 2.0**32
