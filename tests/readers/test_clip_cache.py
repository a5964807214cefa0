"""What was decoded once is not decoded again, unless it should be."""

from pathlib import Path

import pytest
import torch
from acceptance.numbered_video import write_numbered

from unrolled.errors import ReaderError
from unrolled.readers.clip_cache import ClipCache
from unrolled.readers.video import read_clip


def test_memory_and_disk_give_what_decoding_gives(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_numbered(path, range(30))
    wanted = read_clip(path, frames_per_second=5, height=32, width=32)
    for number in range(2):
        cache = ClipCache(tmp_path / "kept", frames_per_second=5, height=32, width=32)
        for _ in range(2):
            clip = cache.read(path)
            assert torch.equal(clip.frames, wanted.frames)
            assert torch.equal(clip.pts_seconds, wanted.pts_seconds)
        assert (cache.hits, cache.misses) == ((1, 1), (2, 0))[number]


def test_another_file_stretch_or_size_is_another_clip(tmp_path: Path) -> None:
    path, cache = tmp_path / "a.mp4", ClipCache(tmp_path / "kept", height=16)
    write_numbered(path, range(20))
    assert len(cache.read(path).frames) == 20
    assert len(cache.read(path, stop_seconds=0.4).frames) == 10
    assert ClipCache(tmp_path / "kept", height=8).read(path).frames.shape[-1] == 8
    write_numbered(path, range(12))
    assert len(cache.read(path).frames) == 12
    (tmp_path / "copy.mp4").write_bytes(path.read_bytes())
    misses = cache.misses
    assert len(cache.read(tmp_path / "copy.mp4").frames) == 12
    assert cache.misses == misses


def test_a_damaged_cache_is_decoded_again(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_numbered(path, range(20))
    wanted = ClipCache(tmp_path / "kept").read(path)
    (kept,) = (tmp_path / "kept").rglob("*.safetensors")
    data = bytearray(kept.read_bytes())
    data[-1] ^= 1
    kept.write_bytes(data)
    cache = ClipCache(tmp_path / "kept")
    assert torch.equal(cache.read(path).frames, wanted.frames)
    assert cache.misses == 1


def test_damage_is_told_by_every_cache_that_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_numbered(path, range(30))
    path.write_bytes(path.read_bytes()[:-300])
    for _ in range(2):
        told = []
        cache = ClipCache(tmp_path / "kept", on_damage=told.append)
        cache.read(path)
        once = len(told)
        assert once
        cache.read(path)
        assert len(told) == once


def test_memory_has_a_bound(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.mp4" for n in range(4)]
    for number, path in enumerate(paths):
        write_numbered(path, range(3 + number))
    cache = ClipCache(most_bytes=2 * 5 * 3 * 64 * 64)
    for path in (*paths, *paths[::-1]):
        cache.read(path)
    assert cache.hits == 1
    assert cache.misses == 7


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"a video at .*gone.mp4, got No such file"):
        ClipCache().read(tmp_path / "gone.mp4")
