"""The motion diagnosis: on networks of which it is known what they need."""

import pytest
import torch
from torch import Tensor

from unrolled.diagnostics import WAYS, diagnose_motion
from unrolled.errors import ConfigError, ShapeError

NAMES = ("falls", "rises")


def ramps(count: int = 40, num_steps: int = 7) -> tuple[Tensor, Tensor]:
    """Return clips of one number that rises or falls, its middle drawn evenly, and their labels."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(count) % 2
    slope = (2 * labels - 1)[:, None] * torch.arange(-(num_steps // 2), num_steps // 2 + 1)
    return torch.rand(count, 1, generator=generator) * 9 + slope, labels


def last_minus_first(clips: Tensor) -> Tensor:
    rise = clips[:, -1] - clips[:, 0]
    return torch.stack([-rise, rise], dim=1)


def mean_of_frames(clips: Tensor) -> Tensor:
    return torch.stack([-clips.mean(dim=1), clips.mean(dim=1) - 9], dim=1)


def test_a_network_that_needs_the_order_is_right_in_order_and_wrong_in_reverse() -> None:
    found = diagnose_motion(last_minus_first, [ramps()], class_names=NAMES)
    assert found.accuracy("in order") == 1
    assert found.accuracy("reversed") == 0
    assert 0.2 < found.accuracy("shuffled") < 0.8
    assert found.accuracy("frozen") == found.accuracy("single frame") == 0.5
    assert found.class_accuracy("frozen", "falls") == 1  # all equal: the first class is taken


def test_a_network_that_ignores_the_order_loses_exactly_nothing() -> None:
    found = diagnose_motion(mean_of_frames, [ramps()], class_names=NAMES)
    assert found.lost("shuffled") == found.lost("reversed") == 0
    assert found.right["shuffled"] == found.right["in order"]


def test_every_clip_is_shown_once_in_each_way() -> None:
    shown: list[Tensor] = []

    def watch(clips: Tensor) -> Tensor:
        shown.append(clips)
        return torch.zeros(len(clips), 2)

    clips, labels = ramps(3)
    diagnose_motion(watch, [(clips, labels)], class_names=NAMES)
    in_order, shuffled, backwards, frozen, single = shown
    assert in_order.equal(clips)
    assert shuffled.sort(dim=1).values.equal(clips.sort(dim=1).values)
    assert not shuffled.equal(clips)
    assert backwards.equal(clips[:, [6, 5, 4, 3, 2, 1, 0]])
    assert frozen.equal(clips[:, [3] * 7])
    assert single.equal(clips[:, [3]])


def test_the_same_seed_shuffles_in_the_same_way_and_batches_do_not_matter_to_counts() -> None:
    clips, labels = ramps()
    once = diagnose_motion(last_minus_first, [(clips, labels)], class_names=NAMES, seed=5)
    again = diagnose_motion(last_minus_first, [(clips, labels)], class_names=NAMES, seed=5)
    parts = zip(clips.split(11), labels.split(11), strict=True)
    cut = diagnose_motion(last_minus_first, parts, class_names=NAMES, seed=5)
    assert once == again == cut
    other = diagnose_motion(last_minus_first, [(clips, labels)], class_names=NAMES, seed=6)
    assert other.right["shuffled"] != once.right["shuffled"]


def test_a_network_that_refuses_one_frame_has_no_figure_for_it() -> None:
    def fixed(clips: Tensor) -> Tensor:
        if clips.shape[1] != 7:
            raise ShapeError("7 frames", str(clips.shape[1]))
        return last_minus_first(clips)

    found = diagnose_motion(fixed, [ramps(), ramps()], class_names=NAMES)
    assert found.accuracy("single frame") is None
    assert found.lost("single frame") is None
    assert found.accuracy("frozen") == 0.5
    assert found.table().splitlines()[-1].endswith("| - |")
    assert found.figures()["all"]["single_frame"] is None


def test_an_error_in_any_other_way_is_not_hidden() -> None:
    def broken(_: Tensor) -> Tensor:
        raise ShapeError("something else", "this")

    with pytest.raises(ShapeError, match="something else"):
        diagnose_motion(broken, [ramps()], class_names=NAMES)


def test_the_table_has_a_row_a_class_and_a_column_a_way() -> None:
    found = diagnose_motion(last_minus_first, [ramps()], class_names=NAMES)
    head, _, falls, rises, together = found.table().splitlines()
    assert head == f"| class | clips | {' | '.join(WAYS)} |"
    assert falls.startswith("| falls | 20 | 100.0 |")
    assert rises.startswith("| rises | 20 | 100.0 |")
    assert together.startswith("| all | 40 | 100.0 |")


def test_nothing_to_diagnose_and_wrong_logits_are_refused() -> None:
    with pytest.raises(ConfigError, match="clips to diagnose"):
        diagnose_motion(last_minus_first, [], class_names=NAMES)
    with pytest.raises(ShapeError, match=r"logits \[B=40, K=3\]"):
        diagnose_motion(last_minus_first, [ramps()], class_names=("a", "b", "c"))
