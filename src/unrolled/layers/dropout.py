"""Dropout whose masks are a function of a seed and of the step."""

from math import prod
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.layers.hashing import hash_bits
from unrolled.recurrence import Recurrence


class DropoutState(NamedTuple):
    """Which masks a sequence gets, and how many steps it has made."""

    seed: Int64[Tensor, " B"]
    step: Int64[Tensor, " B"]


class Dropout(Recurrence[DropoutState]):
    """Set a share ``p`` of the inputs to zero in training, by masks that any cut reproduces.

        y = x * keep(hash(seed, step // period)) / (1 - p)      in train();  y = x in eval()

    The mask of a step depends on the sequence's seed and the step's number alone, so that chunks,
    streams, reordered rows and a resumed run all see the masks of the uncut sequence. A new
    sequence draws its seed from torch's generator (``torch.manual_seed`` repeats it) in train(),
    and has seed 0 in eval(), where nothing is drawn. Rows that ``reset`` restarts twice within one
    call start from the same seed both times.

    Shapes: x [B, T, ...] float; state DropoutState(seed [B], step [B]), int64; y as x.
    Args:
        p: the share to drop, 0 <= p < 1.
        period: steps that share one mask; 1 is ordinary dropout, None one mask a sequence.
    Raises:
        ConfigError: p or period outside its range.
    Source: Srivastava et al. 2014, scaled in training; one mask a sequence: Gal & Ghahramani 2016,
        arXiv:1512.05287. Differs: masks come from a counter-based hash (the finaliser of
        Murmur3), as in Salmon et al. 2011, and not from a generator's stream.
    Example:
        >>> layer = Dropout(0.5)
        >>> y, state = layer(torch.ones(2, 3, 5))
        >>> sorted(set(y.flatten().tolist())), state.step
        ([0.0, 2.0], tensor([3, 3]))
    """

    def __init__(self, p: float = 0.5, *, period: int | None = 1) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ConfigError("p in [0, 1)", str(p))
        if period is not None and period < 1:
            raise ConfigError("a period of at least 1 step, or None", str(period))
        self.p = p
        self.period = period

    def state_like(self, x_t: Float[Tensor, "B *C"]) -> DropoutState:
        """Return step 0 and, in training, a seed drawn for every row."""
        shape = x_t.shape[:1]
        step = torch.zeros(shape, dtype=torch.int64, device=x_t.device)
        if not self.training:
            return DropoutState(torch.zeros_like(step), step)
        return DropoutState(torch.randint(2**62, shape, device=x_t.device), step)

    def scan(
        self, x: Float[Tensor, "B T *C"], state: DropoutState
    ) -> tuple[Float[Tensor, "B T *C"], DropoutState]:
        """Drop from a chunk."""
        num_steps = x.shape[1]
        after = DropoutState(state.seed, state.step + num_steps)
        if not self.training or self.p == 0:
            return x, after
        steps = state.step[:, None] + torch.arange(num_steps, device=x.device)  # [B, T]
        mask_number = torch.zeros_like(steps) if self.period is None else steps // self.period
        bits = hash_bits(state.seed[:, None], mask_number, prod(x.shape[2:]))  # [B, T, C]
        keep = bits >= round(self.p * 2**32) - 2**31
        return x * keep.view(x.shape) / (1 - self.p), after
