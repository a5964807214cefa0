"""Drive a recurrence by its own output: read the prompt, and say what may come next."""

from collections.abc import Collection
from math import isfinite
from typing import Any, NamedTuple, Self, cast

import torch
from torch import Tensor

from unrolled.decoding.heads import CHUNK, Unspoken, not_logits
from unrolled.decoding.largest import block_maxima, largest
from unrolled.decoding.steps import AnyRecurrence
from unrolled.errors import ConfigError, NumericsError
from unrolled.kernels import likeliest as native
from unrolled.shapes import check_shape
from unrolled.state import state_dtype

# Rows of logits that a processor's cache holds at the size of a usual vocabulary.
_ROWS = 32


class Ending(NamedTuple):
    """When a hypothesis ends."""

    stop: Tensor  # [S], ascending; S is 0 where nothing ends a hypothesis
    min_length: int
    max_length: int

    @classmethod
    def of(
        cls,
        stop: int | Collection[int] | None,
        device: torch.device,
        *,
        min_length: int = 0,
        max_length: int = 1,
    ) -> Self:
        """Check what the caller wishes."""
        tokens = () if stop is None else (stop,) if isinstance(stop, int) else stop
        if max_length < 1:
            raise ConfigError("a max_length of at least 1", f"{max_length = }")
        if not 0 <= min_length <= max_length:
            raise ConfigError(f"a min_length between 0 and {max_length = }", str(min_length))
        ordered = torch.tensor(sorted(set(tokens)), dtype=torch.int64, device=device)
        return cls(ordered, min_length, max_length)

    @property
    def padding(self) -> int:
        """Return what stands past the end of a hypothesis."""
        return int(self.stop[0]) if len(self.stop) else 0

    def reached(self, tokens: Tensor) -> Tensor:
        """Say which ``tokens`` are stop tokens."""
        return (tokens[..., None] == self.stop).any(dim=-1)

    def check_vocabulary(self, size: int) -> None:
        """Refuse stop tokens that no logits belong to."""
        outside = self.stop[(self.stop < 0) | (self.stop >= size)].tolist()
        if outside:
            raise ConfigError(f"stop tokens between 0 and V-1 = {size - 1}", str(outside[0]))


def check_prompt(model: AnyRecurrence, prompt: Tensor) -> None:
    """Refuse what no search can begin with."""
    check_shape("prompt", prompt, "B P")
    if model.stride != 1:
        raise ConfigError("a recurrence of stride 1 to decode with", f"stride {model.stride}")


def read_prompt(
    model: AnyRecurrence, prompt: Tensor, state: Any, ending: Ending
) -> tuple[Tensor, Any]:
    """Return the logits ``[B, V]`` that follow the prompt, and the state to go on from."""
    check_prompt(model, prompt)
    for chunk in prompt.split(CHUNK, dim=1):
        y, state = model(chunk, state)
    logits = getattr(y, "logits", y)
    if not isinstance(logits, Tensor) or logits.ndim != 3:
        raise not_logits("y", y, "[B, T, V]")
    ending.check_vocabulary(logits.shape[2])
    return _precise(logits[:, -1]), state


def next_logits(model: AnyRecurrence, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
    """Return the logits that follow ``tokens [R]``; ``state`` is the decoder's, to overwrite."""
    y_t, state = model.step_(tokens, state)
    return _precise(cast(Tensor, getattr(y_t, "logits", y_t))), state


def _precise(logits: Tensor) -> Tensor:
    return logits.to(state_dtype(logits.dtype))


def next_log_probabilities(
    logits: Tensor, alive: Tensor, ending: Ending, *, position: int
) -> Tensor:
    """Return ``[R, V]`` log-probabilities of the token at ``position``, a tensor of our own.

    A token that may not come has -inf: by the model's logits, or a stop token that comes too early.

    Args:
        logits: ``[R, V]``, R = B·K.
        alive: ``[B, K]``; only these rows need a distribution. What a model says after a stop
            token, or after a token that is impossible, is nobody's concern.
        ending: when stop tokens may come.
        position: counts the tokens of the continuation from 0.
    Raises:
        NumericsError: a row that is alive has NaN or +inf, or nothing above -inf.
    """
    scores = logits.log_softmax(dim=-1)
    broken = scores[:, 0].isnan()  # the sum makes a whole row NaN, whatever is wrong in it
    if broken.any():
        wrong = (broken & alive.flatten()).nonzero().flatten().tolist()
        if wrong:
            raise _no_distribution(logits[wrong[0]], wrong[0] // alive.shape[1], position)
        scores[broken] = -torch.inf
    if position + 1 < ending.min_length:
        scores[:, ending.stop] = -torch.inf
    return scores


def likeliest(
    logits: Tensor | Unspoken, alive: Tensor, ending: Ending, *, position: int, k: int
) -> tuple[Tensor, Tensor]:
    """Return the ``k`` likeliest tokens of each row, and their log-probabilities, best first.

    They are those of ``next_log_probabilities`` in the order of the logits, without its ``[R, V]``.

    Shapes: logits [R, V], R = B·K; returns log-probabilities [R, k] and tokens [R, k].
    Args:
        logits: what the model says.
        alive: ``[B, K]``; see ``next_log_probabilities``.
        ending: when stop tokens may come.
        position: counts the tokens of the continuation from 0.
        k: at most V.
    Raises:
        NumericsError: a row that is alive has NaN or +inf, or nothing above -inf.
    """
    too_early = position + 1 < ending.min_length and len(ending.stop) > 0
    # Of so many at least k are none of the stop tokens, which are too early.
    wanted = min(logits.shape[1], k + len(ending.stop)) if too_early else k
    values, tokens, log_sums = _best(logits, wanted)
    top = values[:, :1]
    if too_early:
        tokens, order = tokens.sort(dim=1)  # of those that may not come the first stay first
        values = values.gather(1, order).masked_fill(ending.reached(tokens), -torch.inf)
        values, places = largest(values, k)
        tokens = tokens.gather(1, places)
    found = values - top - log_sums[:, None]
    sums = top[:, 0] + log_sums
    if not isfinite(float(sums.sum())):  # looked at as a whole: a look at each takes longer
        broken = ~sums.isfinite()
        wrong = (broken & alive.flatten()).nonzero().flatten().tolist()
        if wrong:
            raise _no_distribution(_row(logits, wrong[0]), wrong[0] // alive.shape[1], position)
        found = found.masked_fill(broken[:, None], -torch.inf)
    return found, tokens


def _best(logits: Tensor | Unspoken, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Do what ``kernels.naive.likeliest`` does, by the fastest way there is."""
    if isinstance(logits, Unspoken):
        return logits.head.packed.likeliest(logits.features, k)
    if native.serves(logits):
        return native.likeliest(logits, k)
    maxima = block_maxima(logits)
    top = maxima.amax(dim=1, keepdim=True)
    broken = ~top.isfinite()  # a NaN is the maximum of whatever it is in
    if broken.any():
        logits, maxima = logits.masked_fill(broken, 0), maxima.masked_fill(broken, 0)
    log_sums = _sum_of_exponentials(logits, top).log().masked_fill(broken, torch.nan)
    return *largest(logits, k, maxima=maxima), log_sums[:, 0]


def _row(logits: Tensor | Unspoken, row: int) -> Tensor:
    if isinstance(logits, Unspoken):
        return logits.head.logits(logits.features[row])
    return logits[row]


def _sum_of_exponentials(logits: Tensor, top: Tensor) -> Tensor:
    """Return the sums ``[R, 1]`` of exp(logits - top), a few rows at a time: they stay in cache."""
    pairs = zip(logits.split(_ROWS), top.split(_ROWS), strict=True)
    return torch.cat([(rows - most).exp_().sum(dim=1, keepdim=True) for rows, most in pairs])


def _no_distribution(logits: Tensor, row: int, position: int) -> NumericsError:
    masked = bool((logits == -torch.inf).all())
    got = "all -inf" if masked else "NaN" if bool(logits.isnan().any()) else "+inf"
    return NumericsError(
        f"logits that are numbers or -inf, not all of them, in row {row} at step {position}",
        got,
        "leave some token possible" if masked else "look for the overflow in the model",
    )
