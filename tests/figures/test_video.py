"""The figures of the video chapter: what they draw is what the networks compute."""

import pytest
import torch
from matplotlib.figure import Figure

from unrolled.encoders import DeckEarlyFusion, DeckSlowFusion
from unrolled.figures import drawing, filters, fusion_ladder, motion, transitions
from unrolled.tasks.motion import LabelledClips, diagnose
from unrolled.world import MotionWorld, TransitionWorld

TABLE = {  # the decks', row by row: size, and frames, rows and columns seen
    "late fusion": (["12x20x64x64", "12x20x16x16", "24x20x16x16"], [(1, 3), (1, 6), (1, 14)], 2952),
    "early fusion": (["12x64x64", "12x16x16", "24x16x16"], [(20, 3), (20, 6), (20, 14)], 9108),
    "slow fusion (3D)": (
        ["12x20x64x64", "12x5x16x16", "24x5x16x16"],
        [(3, 3), (6, 6), (14, 14)],
        8784,
    ),
}


@pytest.mark.parametrize("way", fusion_ladder.ways()[1:], ids=lambda way: way.name)
def test_the_ladder_is_the_decks_table(way: fusion_ladder.Way) -> None:
    sizes, fields, parameters = TABLE[way.name]
    rows = fusion_ladder.rows(way.network)
    shown = ["x".join(str(row.output[a]) for a in "CTHW" if a in row.output) for row in rows]
    assert shown == sizes
    found = [(fusion_ladder.frames_seen(row), row.field["H"], row.field["W"]) for row in rows]
    assert found == [(frames, side, side) for frames, side in fields]
    assert sum(p.numel() for p in way.network.parameters()) == parameters


def test_early_fusion_changes_with_the_time_of_a_change_and_3d_convolution_does_not() -> None:
    """What the figure shows trained holds for any weights: away from the ends, T shifts by 4."""
    early, late = (
        LabelledClips.of(TransitionWorld(frames=32, times=(t, t)), 3).seen(slice(None))
        for t in (13, 17)
    )
    torch.manual_seed(0)
    slow = DeckSlowFusion(class_count=2).eval()
    assert (slow(early) - slow(late)).abs().max() <= 1e-5
    fused = DeckEarlyFusion(class_count=2, clip_frames=32).eval()
    assert (fused(early) - fused(late)).abs().max() > 1e-3


def test_the_transitions_are_drawn_as_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    times = len(transitions.TIMES)
    shares = {"early fusion": [0.25] * times, "3D convolution": [0.75] * times}
    monkeypatch.setattr(transitions, "accuracies", lambda: shares)
    axes = drawing.drawn("transitions").axes[-1]
    assert [line.get_ydata()[0] for line in axes.lines[:2]] == [0.25, 0.75]
    assert list(axes.lines[0].get_xdata()) == list(transitions.TIMES)


def test_motion_is_drawn_as_measured() -> None:
    class Brightness(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            mean = x.mean(dim=(1, 2, 3, 4))
            return torch.stack([mean, -mean], dim=1)

    clips = LabelledClips.of(MotionWorld(height=16, width=16, classes=("left", "up")), 12)
    found = diagnose(Brightness(), clips, ("left", "up"))
    figure = motion.plot({"a": found, "b": found})
    assert isinstance(figure, Figure)
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert len(heights) == 10
    assert heights[:1] == [found.accuracy("in order")]


def test_the_filters_are_those_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network = DeckSlowFusion(class_count=2)
    monkeypatch.setattr(filters, "learners", lambda: {"3D convolution": network})
    shown = filters.weight()
    assert shown.shape == (12, 3, 3, 3, 3)
    assert sorted(shown.sum(dim=(1, 2, 3, 4)).tolist()) == sorted(
        network.conv1.weight.sum(dim=(1, 2, 3, 4)).tolist()
    )
    change = (shown[:, :, -1] - shown[:, :, 0]).flatten(1).norm(dim=1)
    assert change.tolist() == sorted(change.tolist(), reverse=True)
    assert len(drawing.drawn("filters").axes) == 12
