"""How the hypotheses of a beam search go on, found natively where the library takes the tensors."""

import torch
from torch import Tensor

from unrolled.kernels import calls, naive, native
from unrolled.kernels.likeliest import serves
from unrolled.kernels.naive import Arm, Extended


def extend(
    following: Tensor, tokens: Tensor, scores: Tensor, stops: Tensor, beam_size: int, num_live: int
) -> Extended:
    """Do what ``naive.extend`` does, in one pass.

    Shapes: following and tokens [B, M, k]; scores [B, M]; stops [S].
    Args:
        following: log-probabilities of the likeliest tokens after each hypothesis; no NaN.
        tokens: these, best first.
        scores: of the hypotheses.
        stops: the tokens that end one.
        beam_size: K.
        num_live: how many go on.
    """
    if not (serves(following) and serves(scores)):
        return naive.extend(following, tokens, scores, stops, beam_size, num_live)
    prompts, hypotheses, each = following.shape
    wanted = min(hypotheses * each, beam_size * (1 + len(stops)))
    live = _arm(prompts, min(num_live, wanted))
    ended = _arm(prompts, min(beam_size, wanted) if len(stops) else 0)
    given = [tensor.contiguous() for tensor in (following, tokens, scores, stops)]
    sizes = (prompts, hypotheses, each, len(stops), wanted)
    native.extend(
        calls.ExtendCall(
            *(tensor.data_ptr() for tensor in given),
            *(calls.Arm(*(leaf.data_ptr() for leaf in arm)) for arm in (live, ended)),
            *sizes,
            live.tokens.shape[1],
            ended.tokens.shape[1],
        )
    )
    return Extended(live, ended)


def _arm(prompts: int, size: int) -> Arm:
    parents, tokens = torch.empty(2, prompts, size, dtype=torch.int64)
    return Arm(parents, tokens, torch.empty(prompts, size))
