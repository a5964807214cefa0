"""The rules that update weights, and the course of the learning rate."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from unrolled.training.options import TrainingOptions


def build_optimizer(
    parameters: Iterable[nn.Parameter], options: TrainingOptions
) -> torch.optim.Optimizer:
    """Return the optimizer that the options name."""
    rate, decay = options.learning_rate, options.weight_decay
    match options.optimizer:
        case "adam":
            return torch.optim.Adam(
                parameters, rate, betas=(0.9, 0.99), weight_decay=decay, fused=True
            )
        case "adamw":
            return torch.optim.AdamW(
                parameters, rate, betas=(0.9, 0.99), weight_decay=decay, fused=True
            )
        case "sgd":
            return torch.optim.SGD(parameters, rate, momentum=options.momentum, weight_decay=decay)
        case "adagrad":
            return torch.optim.Adagrad(parameters, rate, weight_decay=decay)
        case "rmsprop":
            return torch.optim.RMSprop(
                parameters, rate, momentum=options.momentum, weight_decay=decay
            )


def rate_at(share: float, options: TrainingOptions, epoch: int = 0) -> float:
    """Return the learning rate when ``share`` of the run, 0 to 1, and ``epoch`` epochs are over."""
    rise = min(1.0, 0.05 + share / options.warm_up) if options.warm_up else 1.0
    match options.schedule:
        case "cosine":
            fall = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))
        case "steps":
            fall = 0.1 ** ((share >= 0.5) + (share >= 0.75))
        case "epochs":
            fall = options.decay ** max(0, epoch + 1 - options.full_rate_epochs)
        case "constant":
            fall = 1.0
    return options.learning_rate * rise * fall
