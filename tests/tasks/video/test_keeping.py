"""Samples are decoded once; what they are kept for, and how they are read, tells them apart."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.tasks.video.clips import READING, TRAINING, samples
from unrolled.errors import ReaderError
from unrolled.tasks.video.data import VideoData
from unrolled.tasks.video.keeping import kept_for
from unrolled.tasks.video.model import VideoModel, prepare
from unrolled.tasks.video.options import IN_MEMORY


def counted(data: VideoData) -> tuple[VideoData, list[int]]:
    """Return the data, and a list of the samples that were read."""
    seen: list[int] = []

    def read(number: int) -> torch.Tensor:
        seen.append(number)
        return data.read(number)

    return replace(data, read=read, channels=3), seen


def test_a_second_run_over_the_same_data_decodes_nothing(tmp_path: Path) -> None:
    data, seen = counted(samples())
    on_disk = replace(READING, cache=str(tmp_path / "kept"))
    weights = []
    for reading, decoded in ((on_disk, 20), (on_disk, 0), (READING, 20)):
        seen.clear()
        learning = prepare(data, "causal_small", {}, reading=reading, training=TRAINING)
        learning.training.run()
        assert len(seen) == decoded
        weights.append(learning.model.network.state_dict())
    for other in weights[1:]:
        for name, tensor in weights[0].items():
            assert torch.equal(tensor, other[name])


def test_another_size_or_rate_is_read_anew(tmp_path: Path) -> None:
    data, seen = counted(samples())
    on_disk = replace(READING, cache=str(tmp_path / "kept"))
    kept_for(data, on_disk)
    for other, reading in (
        (data, replace(on_disk, height=6)),
        (data, replace(on_disk, resize="stretch", width=7)),
        (replace(data, frames_per_second=4.0), on_disk),
        (replace(data, how="columns"), on_disk),
    ):
        seen.clear()
        kept_for(other, reading)
        assert len(seen) == 20
    seen.clear()
    kept_for(data, replace(on_disk, flip=True, clip_frames=3))
    assert seen == []


def test_clips_beyond_memory_are_decoded_whenever_they_come() -> None:
    data, seen = counted(samples())
    every = sum(data.read(n).nbytes for n in range(20))
    seen.clear()
    small = replace(READING, cache_gigabytes=every / 2 / 2**30)
    kept, _ = kept_for(data, small)
    assert "of 20 found no room" in kept.notices[-1]
    homeless = int(kept.notices[-1].split()[0])
    assert 5 < homeless < 15
    seen.clear()
    plain, _ = kept_for(samples(), READING)
    for number in range(20):
        assert torch.equal(kept.read(number), plain.read(number))
    assert len(seen) == homeless


def test_what_cannot_be_read_is_counted_though_others_come_from_the_folder(tmp_path: Path) -> None:
    good = samples()

    def read(number: int) -> torch.Tensor:
        if number == 3:
            raise ReaderError("a video", "none")
        return good.read(number)

    reading = replace(READING, cache=str(tmp_path))
    for _ in range(2):
        kept, _ = kept_for(replace(good, read=read), reading)
        assert kept.rejected == (("clip 3", "a video: none"),)
        assert (len(kept.samples), kept.total) == (19, 20)
        assert torch.equal(kept.read(3), kept_for(good, READING)[0].read(4))
    with pytest.raises(ReaderError, match="nothing damaged in memory, got 1 of 20 rejected"):
        kept_for(replace(good, read=read), replace(reading, strict=True))


def test_a_model_does_not_carry_where_clips_were_kept(tmp_path: Path) -> None:
    reading = replace(READING, cache=str(tmp_path / "kept"))
    learning = prepare(samples(), "causal_small", {}, reading=reading, training=TRAINING)
    learning.model.save(tmp_path / "model", {})
    assert VideoModel.load(tmp_path / "model").reading.cache == IN_MEMORY
