"""Truncated backpropagation through time: chunk after chunk, the state carried, the graph cut."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from unrolled.errors import NumericsError
from unrolled.recurrence import Recurrence
from unrolled.state import detach
from unrolled.training.modes import evaluating
from unrolled.training.options import TrainingOptions

_VALIDATIONS = 6  # spread evenly over a run
_WARM_UP = 0.02  # share of a run in which the learning rate rises


@dataclass(frozen=True)
class Chunk:
    """A window of B streams, and what should come out.

    Args:
        x: the input ``[B, T, ...]``.
        target: what the loss compares y with.
        begins: true for the first window of its streams, which has no state to carry.
    """

    x: Any
    target: Tensor
    begins: bool


class Epoch(Protocol):
    """One pass over the training data, in the order of time; it can be taken again."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Chunk]: ...


@dataclass(frozen=True)
class Progress:
    """Where a run stands after an update.

    Args:
        step: updates so far.
        share: how much of the run is over, 0 to 1.
        seconds: since the run began.
        loss: of this chunk.
        validation: the figure measured after this update, if one was.
    """

    step: int
    share: float
    seconds: float
    loss: float
    validation: float | None = None


@dataclass
class Result:
    """What a run came to.

    Args:
        steps: updates made.
        seconds: wall clock, validation included.
        best: the lowest validation figure; the model has the weights it was measured with.
        interrupted: whether Ctrl-C ended the run.
        validations: the updates after which there was a validation.
    """

    steps: int = 0
    seconds: float = 0.0
    best: float = math.inf
    interrupted: bool = False
    validations: list[Progress] = field(default_factory=list)


def train(
    model: Recurrence[Any, Any, Any, Any],
    epoch: Epoch,
    loss_of: Callable[[Any, Tensor], Tensor],
    validate: Callable[[], float],
    options: TrainingOptions,
    *,
    report: Callable[[Progress], None] = lambda _: None,
) -> Result:
    """Train ``model`` by Adam, and leave in it the weights that validated best.

    Args:
        model: any ``Recurrence``; on return it is in eval().
        epoch: one pass over the data, repeated as often as the options ask.
        loss_of: gives a scalar from y and a chunk's target.
        validate: measures the model, which is then in eval(); lower is better.
        options: how long and how.
        report: is called after every update.
    Raises:
        NumericsError: a loss or gradient is not finite; the weights are those before that update.
    """
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.99), fused=True)
    began, result, best = time.monotonic(), Result(), copy.deepcopy(model.state_dict())
    model.train()
    try:
        for progress in _updates(model, epoch, loss_of, optimizer, options, began):
            due = math.floor(progress.share * _VALIDATIONS) > len(result.validations)
            if due or progress.share >= 1:
                progress = _measured(progress, model, validate, began)
                result.validations.append(progress)
                if progress.validation is not None and progress.validation < result.best:
                    result.best, best = progress.validation, copy.deepcopy(model.state_dict())
            result.steps, result.seconds = progress.step, progress.seconds
            report(progress)
    except KeyboardInterrupt:
        result.interrupted = True
    model.eval()
    if math.isinf(result.best):  # stopped before the first validation
        result.best = validate()
    else:
        model.load_state_dict(best)
    return result


def _updates(
    model: Recurrence[Any, Any, Any, Any],
    epoch: Epoch,
    loss_of: Callable[[Any, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    options: TrainingOptions,
    began: float,
) -> Iterator[Progress]:
    """Update the weights chunk by chunk until the run is over."""
    step, state, share = 0, None, 0.0
    while True:
        for chunk in epoch:
            for group in optimizer.param_groups:
                group["lr"] = options.learning_rate * _rate(share)
            y, state = model(chunk.x, None if chunk.begins else state)
            state = detach(state)
            loss = loss_of(y, chunk.target)
            optimizer.zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), options.clip_norm)
            if not (loss.isfinite() and norm.isfinite()):
                got = f"loss {loss.item():g} and gradient norm {norm.item():g} at step {step + 1}"
                raise NumericsError("finite numbers", got, "lower the learning rate")
            optimizer.step()
            step += 1
            seconds = time.monotonic() - began
            share = _share(options, step, len(epoch), seconds)
            yield Progress(step, share, seconds, loss.item())
            if share >= 1:
                return


def _measured(
    progress: Progress,
    model: Recurrence[Any, Any, Any, Any],
    validate: Callable[[], float],
    began: float,
) -> Progress:
    with evaluating(model):
        figure = validate()
    seconds = time.monotonic() - began
    return Progress(progress.step, progress.share, seconds, progress.loss, figure)


def _share(options: TrainingOptions, step: int, steps_per_epoch: int, seconds: float) -> float:
    """Return how much of the run is over by whichever limit is nearest."""
    shares = [step / (options.epochs * steps_per_epoch)]
    if options.max_steps is not None:
        shares.append(step / options.max_steps)
    if options.max_minutes is not None:
        shares.append(seconds / (60 * options.max_minutes))
    return min(1.0, max(shares))


def _rate(share: float) -> float:
    """Return the learning rate as a part of its highest: a short rise, then half a cosine."""
    rise = min(1.0, 0.05 + share / _WARM_UP)
    return rise * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
