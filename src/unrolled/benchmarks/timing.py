"""Timing side by side: what is compared takes turns, so that a machine's moods hit all alike."""

import random
import time
from collections.abc import Callable, Mapping
from statistics import median

import torch

Timed = Callable[[], object]

_GEMM_SIZE = 1024
# A turn; shorter calls are repeated within it, as they are in use: a call whose code and data are
# nowhere near takes twice as long, whoever's it is.
_SHORTEST_SECONDS = 2e-2


def side_by_side(
    timed: Mapping[str, Timed], *, rounds: int = 7, show: Callable[[float], None] = lambda _: None
) -> dict[str, float]:
    """Return the median seconds of a call of each.

    Args:
        timed: by name; each is called once before it is timed.
        rounds: how often each has its turn.
        show: is told how much is done.
    """
    repeats = {name: _repeats(call) for name, call in timed.items()}
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    order, draw = list(timed), random.Random(0)
    for number in range(rounds):
        draw.shuffle(order)  # what runs after its like finds its code in the caches
        for name in order:
            seconds[name].append(_turn(timed[name], repeats[name]))
        show((number + 1) / rounds)
    return {name: median(values) for name, values in seconds.items()}


def gemm_gflops(threads: int | None = None) -> float:
    """Return what this machine multiplies at most: torch.mm of 1024 x 1024 matrices in float32."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        a = torch.randn(_GEMM_SIZE, _GEMM_SIZE)
        best = min(_turn(lambda: torch.mm(a, a), 1) for _ in range(20))
    finally:
        torch.set_num_threads(before)
    return 2 * _GEMM_SIZE**3 / best / 1e9


def _repeats(call: Timed) -> int:
    call()
    once = _turn(call, 1)
    return max(1, min(1000, int(_SHORTEST_SECONDS / once)))


def _turn(call: Timed, repeats: int) -> float:
    begin = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - begin) / repeats
