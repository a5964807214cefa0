"""The cliff that throws a descent off, and how clipping the gradient's norm keeps it near.

The smallest recurrent network there is, one unit without input, and an error of its state after 50
steps. Where a little more of b sends the unit to the other of its two resting places, the error is
a wall: the gradient on it is many times what it is beside it, and one step along it ends far away.

    h' = w sigmoid(h) + b        h_0 = 0.5        error = (sigmoid(h_50) - 0.7)^2
    g <- clip_norm g / |g|       where |g| > clip_norm

Both descents are runs of ``unrolled.training.loop.Training`` with plain gradient descent.

Source: Pascanu et al. 2013, arXiv:1211.5063, §2.3 and Fig. 6 (the surface), Algorithm 1 (clipping).
"""

from functools import cache

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from unrolled.figures.drawing import BLUE, GREY, INK, ORANGE, RED, SMALL, TEXT, slide
from unrolled.recurrence import Recurrence
from unrolled.training.loop import Progress, Training
from unrolled.training.options import TrainingOptions
from unrolled.training.truncated_bptt import Chunk

NUM_STEPS, START, WANTED = 50, 0.5, 0.7
BEGIN = (6.0, -2.5)  # w and b, above the cliff
LEARNING_RATE, CLIP_NORM, NUM_UPDATES = 0.3, 0.1, 300


class OneUnit(Recurrence[Tensor]):
    """One unit that feeds itself; what comes in is not looked at.

        h' = w sigmoid(h) + b

    Args:
        w: its weight, of any shape: one unit an element, side by side.
        b: its bias, of the same shape.
    """

    def __init__(self, w: Tensor, b: Tensor) -> None:
        super().__init__()
        self.w, self.b = nn.Parameter(w), nn.Parameter(b)

    def initial_state(self, batch_size: int) -> Tensor:
        """Return h_0."""
        return self.zeros(batch_size, *self.w.shape) + START

    def step(self, x_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """Advance by one step."""
        h = self.w * torch.sigmoid(state) + self.b
        return h, h


def error_of(y: Tensor) -> Tensor:
    """Return how far the last state of each unit is from the wanted one."""
    return (torch.sigmoid(y[:, -1]) - WANTED).square()


def no_input() -> Tensor:
    """Return 50 steps of nothing."""
    return torch.zeros(1, NUM_STEPS, 1, dtype=torch.float64)


def surface(w: Tensor, b: Tensor) -> Tensor:
    """Return the error at every pair of ``w [W]`` and ``b [B]``, as ``[W, B]``."""
    with torch.no_grad():
        y, _ = OneUnit(*torch.meshgrid(w, b, indexing="ij"))(no_input())
        return error_of(y)[0]


def descend(*, clip_norm: float) -> tuple[Tensor, Tensor]:
    """Go down from ``BEGIN``; a ``clip_norm`` of 0 does not clip.

    Returns:
        where each update led, ``[N + 1, 2]``, and the error in each of these places, ``[N + 1]``.
    """
    w, b = (torch.tensor(number, dtype=torch.float64) for number in BEGIN)
    unit = OneUnit(w.clone(), b.clone())
    places, errors = [torch.stack([w, b])], []

    def note(progress: Progress) -> None:
        if progress.loss is not None:
            places.append(torch.stack([unit.w, unit.b]).detach())
            errors.append(progress.loss)

    def error() -> float:
        return error_of(unit(no_input())[0]).item()

    options = TrainingOptions(
        epochs=NUM_UPDATES,
        optimizer="sgd",
        learning_rate=LEARNING_RATE,
        schedule="constant",
        warm_up=0,
        clip_norm=clip_norm,
    )
    data = [Chunk(no_input(), torch.empty(1), 0)]
    training = Training(
        unit, data, lambda y, _: error_of(y).mean(), lambda _: error(), options, report=note
    )
    training.run()
    last = surface(places[-1][:1], places[-1][1:]).item()
    return torch.stack(places), torch.tensor([*errors, last], dtype=torch.float64)


def draw() -> Figure:
    """Draw the surface in relief and from above, with both descents."""
    figure = slide("Gradients explode at a cliff, and clipping their norm keeps the descent on it")
    free, clipped = descend(clip_norm=0), descend(clip_norm=CLIP_NORM)
    return figure
