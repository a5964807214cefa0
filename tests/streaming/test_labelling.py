"""The loop: a frame comes, a label goes out, with its times."""

import time
from collections.abc import Iterator

import pytest
import torch

from tests.streaming.networks import CLASSES, prepare, recurrent
from unrolled.readers.live_source import LiveFrame
from unrolled.streaming import Labeller, label_frames
from unrolled.streaming import labelling as module


def source(began: float, count: int = 4) -> Iterator[LiveFrame]:
    generator = torch.Generator().manual_seed(0)
    for n in range(count):
        pixels = torch.randint(0, 256, (3, 13, 17), dtype=torch.uint8, generator=generator)
        yield LiveFrame(pixels, n / 10, began + n / 10, skipped=n % 2)


def test_a_label_is_the_likeliest_and_knows_its_frame() -> None:
    labels = list(label_frames(Labeller(recurrent(), prepare), CLASSES, source(time.monotonic())))
    assert [round(label.seconds, 3) for label in labels] == [0.0, 0.1, 0.2, 0.3]
    assert [label.skipped for label in labels] == [0, 1, 0, 1]
    for label, frame in zip(labels, source(0.0), strict=True):
        assert label.probability == max(label.probabilities)
        assert label.label == CLASSES[label.probabilities.index(label.probability)]
        assert sum(label.probabilities) == pytest.approx(1, abs=1e-5)
        assert label.compute_milliseconds > 0
        assert torch.equal(label.pixels, frame.pixels)


def test_behind_is_the_time_since_the_frame_was_due() -> None:
    began = time.monotonic() - 5
    first = next(iter(label_frames(Labeller(recurrent(), prepare), CLASSES, source(began))))
    assert 5000 <= first.behind_milliseconds < 6000
    early = time.monotonic() + 100
    first = next(iter(label_frames(Labeller(recurrent(), prepare), CLASSES, source(early))))
    assert first.behind_milliseconds == 0


def test_with_a_pace_every_frame_waits_for_its_time(monkeypatch) -> None:
    slept = []
    monkeypatch.setattr(module.time, "sleep", slept.append)
    began = time.monotonic() + 10
    list(label_frames(Labeller(recurrent(), prepare), CLASSES, source(began), pace=True))
    assert [round(seconds) for seconds in slept] == [10] * 4
    slept.clear()
    list(label_frames(Labeller(recurrent(), prepare), CLASSES, source(began)))
    assert slept == []
