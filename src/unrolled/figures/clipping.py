"""The cliff that throws a descent off, and how clipping the gradient's norm keeps it near.

The smallest recurrent network there is, one unit without input, and an error of its state after 50
steps. Where a little more of b sends the unit to the other of its two resting places, the error is
a wall: the gradient on it is many times what it is beside it, and one step along it ends far away.

    h' = w sigmoid(h) + b        h_0 = 0.5        error = (sigmoid(h_50) - 0.7)^2
    g <- clip_norm g / |g|       where |g| > clip_norm

Both descents are runs of ``unrolled.training.loop.Training`` with plain gradient descent.

Source: Pascanu et al. 2013, arXiv:1211.5063, §2.3 and Fig. 6 (the surface), Algorithm 1 (clipping).
"""

from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor, nn

from unrolled.figures.drawing import BLUE, INK, RED, TEXT, slide
from unrolled.recurrence import Recurrence
from unrolled.training.loop import Progress, Training
from unrolled.training.options import TrainingOptions
from unrolled.training.truncated_bptt import Chunk

NUM_STEPS, START, WANTED = 50, 0.5, 0.7
BEGIN = (4.8, -2.0)  # w and b, on the low ground beside the cliff
LEARNING_RATE, CLIP_NORM, NUM_UPDATES = 0.5, 0.1, 40
W_RANGE, VIEW = (4.2, 6.4), ((4.2, 7.2), (-3.6, 2.2))  # of the relief, and from above
CLOSE = ((4.33, 4.87), (-2.46, -1.93))  # where both descents meet the cliff


class _OneUnit(Recurrence[Tensor]):
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
        y, _ = _OneUnit(*torch.meshgrid(w, b, indexing="ij"))(no_input())
        return error_of(y)[0]


def descend(*, clip_norm: float) -> tuple[Tensor, Tensor]:
    """Go down from ``BEGIN``; a ``clip_norm`` of 0 does not clip.

    Returns:
        where each update led, ``[N + 1, 2]``, and the error in each of these places, ``[N + 1]``.
    """
    w, b = (torch.tensor(number, dtype=torch.float64) for number in BEGIN)
    unit = _OneUnit(w.clone(), b.clone())
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
    figure = slide("One step off the cliff, and the same descent with its gradient clipped")
    relief: Any = figure.add_axes((0.01, 0.05, 0.50, 0.83), projection="3d", computed_zorder=False)
    above = figure.add_axes((0.59, 0.12, 0.38, 0.74))
    close = above.inset_axes((0.53, 0.03, 0.45, 0.41))
    _draw_ground(relief)
    _draw_map(above, *VIEW)
    _draw_map(close, *CLOSE)
    close.set(xticks=[], yticks=[], xlabel="", ylabel="")
    above.indicate_inset_zoom(close, edgecolor=INK, alpha=0.8)
    for label, clip_norm, colour in (
        ("without clipping", 0.0, RED),
        (f"norm clipped to {CLIP_NORM}", CLIP_NORM, BLUE),
    ):
        places, errors = descend(clip_norm=clip_norm)
        inside = (places[:, 0] <= W_RANGE[1]) & (places[:, 1] <= 0)
        lifted = errors[inside] + 0.01  # above the ground, or it would be drawn half inside
        ground = (*places[inside].T.numpy(), lifted.numpy())
        relief.plot(*ground, "o-", color=colour, linewidth=1.5, markersize=4, zorder=3)
        for axes in (above, close):
            path = places.T.numpy()
            axes.plot(*path, "o-", color=colour, linewidth=1.5, markersize=5, label=label)
        if clip_norm == 0:
            _point_out(above, places)
    above.legend(loc="upper left")
    return figure


def _stone() -> LinearSegmentedColormap:
    return LinearSegmentedColormap.from_list("stone", ["#F7F7F7", "#8C8C8C"])


def _draw_ground(relief: Any) -> None:
    """Draw the surface in relief, the higher the darker, on axes of three dimensions."""
    w = torch.linspace(*W_RANGE, 81, dtype=torch.float64)
    b = torch.linspace(-3.4, 0.0, 171, dtype=torch.float64)
    columns, rows = torch.meshgrid(w, b, indexing="ij")
    heights = surface(w, b)
    relief.plot_surface(
        *(columns.numpy(), rows.numpy(), heights.numpy()),
        facecolors=_stone()(heights.numpy() / 0.5),
        rcount=81,
        ccount=171,
        shade=False,
        zorder=1,
    )
    relief.set(xlabel="w", ylabel="b", zlabel="error", zlim=(0, 0.5))
    relief.view_init(elev=34, azim=-158)


def _draw_map(axes: Axes, w_range: tuple[float, float], b_range: tuple[float, float]) -> None:
    """Draw the surface from above."""
    w, b = (torch.linspace(*ends, 401, dtype=torch.float64) for ends in (w_range, b_range))
    heights = surface(w, b).T
    axes.pcolormesh(
        w.numpy(), b.numpy(), heights.numpy(), cmap=_stone(), vmin=0, vmax=0.5, rasterized=True
    )
    axes.set(xlabel="w", ylabel="b", xlim=w_range, ylim=b_range)


def _point_out(axes: Axes, places: Tensor) -> None:
    """Name the start, and the step that leads away."""
    axes.annotate("start", BEGIN, xytext=(14, -4), textcoords="offset points")
    lengths = (places[1:] - places[:-1]).norm(dim=1)
    thrown = int(lengths.argmax())
    x, y = ((places[thrown] + places[thrown + 1]) / 2).tolist()
    text = f"one step, |g| = {lengths[thrown] / LEARNING_RATE:.1f}"
    axes.annotate(
        text, (x, y), xytext=(14, -12), textcoords="offset points", fontsize=TEXT, color=RED
    )
