"""The labelled video: every frame at its time, its label's colour above, the timeline below."""

from pathlib import Path

import av
import numpy as np
import pytest
import torch

from unrolled.errors import ConfigError, ReaderError
from unrolled.streaming import FrameLabel
from unrolled.streaming.overlay import Overlay
from unrolled.streaming.timeline import Timeline

NAMES = ("wave", "clap", "-")


def label(seconds: float, number: int = 0, size: tuple[int, int] = (23, 31)) -> FrameLabel:
    probabilities = tuple(0.8 if k == number else 0.1 for k in range(3))
    pixels = torch.full((3, *size), 200, dtype=torch.uint8)
    return FrameLabel(seconds, NAMES[number], 0.8, 1.0, 0.0, 0, probabilities, pixels)


def written(path: Path, labels: list[FrameLabel]) -> list[av.VideoFrame]:
    with Overlay(path, NAMES, frames_per_second=10, background="-") as overlay:
        for one in labels:
            overlay.write(one)
    with av.open(str(path)) as file:
        return list(file.decode(video=0))


def test_frames_keep_their_times_and_small_ones_are_enlarged(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.5, 0.6]
    frames = written(tmp_path / "out.mp4", [label(t) for t in times])
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-4)
    assert frames[0].width >= 480
    assert frames[0].width % 2 == frames[0].height % 2 == 0


def test_the_label_has_its_colour_above_and_the_timeline_is_below(tmp_path: Path) -> None:
    first, second = written(tmp_path / "out.mkv", [label(0.0), label(0.1, 1)])
    colours = Timeline(NAMES, columns=1, background="-").colours
    for frame, colour in ((first, colours[0]), (second, colours[1])):
        picture = frame.to_ndarray(format="rgb24").astype(int)
        assert np.abs(picture[8, 4] - colour).max() < 40
        assert np.abs(picture[len(picture) // 2, 200] - 200).max() < 10, "the frame itself"
    newest = second.to_ndarray(format="rgb24").astype(int)[-16, -2]
    assert np.abs(newest - colours[1]).max() < 60


def test_times_that_do_not_rise_are_left_out(tmp_path: Path) -> None:
    assert len(written(tmp_path / "out.mp4", [label(0.0), label(0.0), label(0.1)])) == 2


def test_no_frame_leaves_no_file(tmp_path: Path) -> None:
    with Overlay(tmp_path / "out.mp4", NAMES, frames_per_second=10):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_named_before_anything_is(tmp_path: Path) -> None:
    (tmp_path / "there.mp4").write_bytes(b"precious")
    with pytest.raises(ConfigError, match="a new file"):
        Overlay(tmp_path / "there.mp4", NAMES, frames_per_second=10)
    assert (tmp_path / "there.mp4").read_bytes() == b"precious"
    with pytest.raises(ConfigError, match="a folder at"):
        Overlay(tmp_path / "no" / "a.mp4", NAMES, frames_per_second=10)
    with pytest.raises(ReaderError, match="a video to write"):
        Overlay(tmp_path / "a.nonsense", NAMES, frames_per_second=10)
