"""The machine that a run computes on."""

import random

import torch


def use_threads(threads: int) -> None:
    """Compute on ``threads`` CPU threads (0: as torch chooses), with denormal numbers as zero.

    Denormals appear as gates saturate and gradients vanish; a CPU takes many times longer over
    them, and no figure changes without them.
    """
    if threads > 0:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


def seed_everything(seed: int) -> None:
    """Start every generator that a run may draw from at ``seed``: torch's and Python's."""
    torch.manual_seed(seed)
    random.seed(seed)
