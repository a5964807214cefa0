"""Which hypotheses are best: by penalised score, and of equals the first in order of tokens."""

from math import log

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.decoding.hypotheses import Hypotheses, padded
from unrolled.decoding.largest import largest
from unrolled.errors import ConfigError


def check_length_penalty(length_penalty: float, max_length: int) -> None:
    """Refuse a penalty that falls with the length: what a search can still reach rests on it."""
    if not (length_penalty >= 0 and length_penalty * log((5 + max_length) / 6) < 80):
        raise ConfigError(
            "a length_penalty of at least 0, and ((5 + max_length) / 6) to it below e ** 80",
            str(length_penalty),
        )


def penalised(log_probabilities: Tensor, lengths: Tensor | int, length_penalty: float) -> Tensor:
    """Return the scores by which hypotheses are ranked.

        score = log_probability / ((5 + length) / 6) ** length_penalty

    Source: Wu et al. 2016, arXiv:1609.08144, eq. 14. Differs: no coverage penalty.
    """
    if length_penalty == 0:
        return log_probabilities
    # In float64, so that no rounding makes the penalty of a longer hypothesis the smaller one; on
    # the CPU, since not every device has float64.
    exact = (5 + torch.as_tensor(lengths, dtype=torch.float64, device="cpu")) / 6
    return log_probabilities / (exact**length_penalty).to(log_probabilities)


def contenders(scores: Tensor, k: int) -> Tensor:
    """Return the columns of all that may be among the k best of a row, whatever their tokens are.

    These are the k best and all that equal the last of them; -inf equals nothing.

    Shapes: scores [B, P]; returns [B, W], k <= W <= P (P, if that is less than k).
    """
    k = min(k, scores.shape[1])
    smallest = largest(scores, k)[0][:, -1:]
    equal = ((scores >= smallest) & (scores > -torch.inf)).sum(dim=1)
    return largest(scores, max(k, int(equal.max())))[1]


def best(
    tokens: Tensor,
    lengths: Tensor,
    log_probabilities: Tensor,
    finished: Tensor,
    k: int,
    *,
    length_penalty: float,
    padding: int,
) -> Hypotheses:
    """Return the ``k`` best of P hypotheses, best first; where P is less, impossible ones follow.

    Shapes: tokens [B, P, L]; lengths, log_probabilities and finished [B, P].
    """
    missing = max(0, k - lengths.shape[1])
    tokens = F.pad(tokens, (0, 0, 0, missing))
    lengths, finished = F.pad(lengths, (0, missing), value=1), F.pad(finished, (0, missing))
    log_probabilities = F.pad(log_probabilities, (0, missing), value=-torch.inf)
    # Ranks among all rows of the batch are ranks within each row too.
    ranks = tokens.flatten(0, 1).unique(dim=0, return_inverse=True)[1].view_as(lengths)
    by_tokens = ranks.argsort(dim=1, stable=True)
    scores = penalised(log_probabilities, lengths, length_penalty)
    order = by_tokens.gather(1, largest(scores.gather(1, by_tokens), k)[1])
    return padded(
        tokens.gather(1, order[:, :, None].expand(-1, -1, tokens.shape[2])),
        lengths.gather(1, order),
        log_probabilities.gather(1, order),
        finished.gather(1, order),
        padding=padding,
    )
