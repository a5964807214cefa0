"""Videos: every frame carries its number, so a wrong one, or a right one at a wrong time, shows."""

import os
import random
import signal
import warnings
from bisect import bisect_right
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from acceptance.numbered_video import number_picture, read_number, write_numbered

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers import video_decoder
from unrolled.readers.clip import Frame
from unrolled.readers.video import (
    DamagedVideoWarning,
    iterate_frames,
    probe,
    read_clip,
    read_frames,
)
from unrolled.readers.video_decoder import Decoder
from unrolled.readers.video_file import VideoFile, fitted_size
from unrolled.readers.video_index import open_container
from unrolled.readers.video_process import Damage, VideoProcess, own_process

COUNT, RATE = 37, 25


def uneven(seed: int) -> list[int]:
    generator = random.Random(seed)
    return list(np.cumsum([0] + [generator.randint(1, 9) for _ in range(COUNT - 1)]).tolist())


EVEN = list(range(COUNT))
KINDS = {
    "B-frames": ("a.mp4", EVEN, {}),
    "variable rate": ("a.mp4", uneven(0), {"rate": 100}),
    "variable rate, Matroska": ("a.mkv", uneven(1), {"rate": 100}),
    "begins late": ("a.mp4", [tick + 10 for tick in EVEN], {}),
    "open groups": ("a.mp4", EVEN, {"codec_options": {"x264-params": "open-gop=1:bframes=3"}}),
    "no key frames": ("a.mp4", EVEN, {"codec_options": {"x264-params": "intra-refresh=1"}}),
    "B-frames in AVI": ("a.avi", EVEN, {"codec": "mpeg4"}),
    "AVI": ("a.avi", EVEN, {"codec": "mpeg4", "b_frames": 0}),
    "transport stream": ("a.ts", EVEN, {}),
    "MPEG-1": ("a.mpg", EVEN, {"codec": "mpeg1video"}),
    "no time stamps": ("a.h264", EVEN, {"file_format": "h264"}),
    "VP9": ("a.webm", EVEN, {"codec": "libvpx-vp9", "b_frames": 0}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_right_frame_right_time(kind: str, tmp_path: Path) -> None:
    name, ticks, options = KINDS[kind]
    path, rate = tmp_path / name, options.get("rate", RATE)
    write_numbered(path, ticks, **options)
    frames = list(iterate_frames(path))
    assert [read_number(frame.pixels) for frame in frames] == EVEN
    origin = frames[0].seconds if name in ("a.ts", "a.mpg") else 0.0  # these begin where they like
    times = [frame.seconds for frame in frames]
    np.testing.assert_allclose(times, origin + np.array(ticks) / rate, atol=1e-3)
    generator = random.Random(0)
    wanted = [generator.uniform(times[0] - 0.1, times[-1] + 0.2) for _ in range(20)] + times[::-3]
    clip = read_frames(path, wanted)
    shown = [max(bisect_right(times, time + 1e-6) - 1, 0) for time in wanted]
    assert [read_number(frame) for frame in clip.frames] == shown
    assert clip.pts_seconds.tolist() == [times[number] for number in shown]
    info = probe(path)
    assert (info.frame_count, info.height, info.width) == (COUNT, 64, 64)
    assert info.start_seconds == times[0]
    assert info.duration_seconds == pytest.approx(times[-1] - times[0] + 1 / rate, abs=0.1)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_pixels_are_those_of_a_plain_loop(codec: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    write_numbered(path, EVEN, codec=codec, codec_options=options)
    with av.open(str(path)) as container:
        plain = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    clip = read_clip(path)
    assert clip.frames.dtype == torch.uint8
    assert np.array_equal(clip.frames.numpy(), np.stack(plain).transpose(0, 3, 1, 2))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_as_the_file_asks(degrees: int, tmp_path: Path) -> None:
    write_numbered(tmp_path / "upright.mp4", range(5))
    write_numbered(tmp_path / "turned.mp4", range(5), rotation_degrees=degrees)
    upright, turned = (read_clip(tmp_path / f"{n}.mp4").frames for n in ("upright", "turned"))
    assert torch.equal(turned, torch.rot90(upright, degrees // 90, dims=(2, 3)))
    assert probe(tmp_path / "turned.mp4").rotation_degrees == degrees


def test_another_rate_is_made_by_time_stamps(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_numbered(path, [0, 10, 20, 55, 60, 100], rate=100)
    clip = read_clip(path, frames_per_second=5)  # at 0, 0.2, 0.4, 0.6, 0.8 and 1 s
    assert [read_number(frame) for frame in clip.frames] == [0, 2, 2, 4, 4, 5]
    np.testing.assert_allclose(clip.pts_seconds, [0, 0.2, 0.2, 0.6, 0.6, 1.0])
    clip = read_clip(path, frames_per_second=10, start_seconds=0.15, stop_seconds=0.75)
    assert [read_number(frame) for frame in clip.frames] == [1, 2, 2, 2, 3, 4]
    several = iterate_frames(path, frames_per_second=5)
    assert [read_number(frame.pixels) for frame in several] == [0, 2, 2, 4, 4, 5]


def test_a_stretch_has_its_first_frame_and_not_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_numbered(path, EVEN)
    clip = read_clip(path, start_seconds=0.8, stop_seconds=1.0)
    assert [read_number(frame) for frame in clip.frames] == [20, 21, 22, 23, 24]
    with pytest.raises(ReaderError, match=r"frames in .* from 90 s to 91 s, got none"):
        read_clip(path, start_seconds=90, stop_seconds=91)


def test_a_frame_costs_its_group_and_no_frame_is_decoded_twice(tmp_path: Path) -> None:
    path, work = tmp_path / "a.mp4", []
    write_numbered(path, range(96), key_interval=12)
    with VideoFile(path, on_work=lambda: work.append(1)) as file:
        assert len(list(file.frames_at([90 / RATE]))) == 1
        assert len(work) <= 12
    work.clear()
    with VideoFile(path, on_work=lambda: work.append(1)) as file:
        shown = list(file.frames_at([number / RATE for number in (2, 5, 5, 9, 50, 51, 88)]))
        assert [count for _, count in shown] == [1, 2, 1, 1, 1, 1]
        assert len(work) <= 3 * 12


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [(None, None, (64, 64)), (32, None, (32, 32)), (16, 24, (16, 24)), (None, 128, (128, 128))],
)
def test_sizes(height: int | None, width: int | None, size: tuple[int, int], tmp_path) -> None:
    write_numbered(tmp_path / "a.mp4", range(3))
    clip = read_clip(tmp_path / "a.mp4", height=height, width=width)
    assert clip.frames.shape == (3, 3, *size)


def test_what_stands_over_is_cropped_around_the_middle() -> None:
    assert fitted_size((100, 300), 50, 50) == ((50, 150), (50, 50))
    assert fitted_size((300, 100), 50, 60) == ((180, 60), (50, 60))
    assert fitted_size((7, 13), None, 5) == ((3, 5), (3, 5))


def test_frames_after_damage_are_kept_and_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_numbered(path, EVEN, key_interval=12)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    hurt = packets[17]
    data[hurt.pos : hurt.pos + hurt.size] = bytes(hurt.size)
    path.write_bytes(data)
    damage: list[Damage] = []
    come_before: list[int] = []
    frames: dict[int, Frame] = {}

    def hear(told: Damage) -> None:
        damage.append(told)
        come_before.append(len(frames))

    for frame in iterate_frames(path, on_damage=hear):
        frames[round(frame.seconds * RATE)] = frame
    assert come_before[0] == damage[0].frame  # it is told at its place
    for number in [*range(12), *range(24, COUNT)]:
        assert read_number(frames[number].pixels) == number
    assert damage
    assert 12 <= damage[0].seconds * RATE <= 24
    assert str(damage[0]).startswith(f"{path}: frame 1")
    clip = read_frames(path, [0.2, 1.2], on_damage=damage.append)
    with pytest.warns(DamagedVideoWarning):
        read_clip(path)
    assert [read_number(frame) for frame in clip.frames] == [5, 30]


def test_frames_that_damage_brings_out_of_order_are_sorted(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_numbered(path, EVEN, key_interval=12)
    with av.open(str(path)) as container:
        key = [p for p in container.demux(video=0) if p.size][12]
    data = bytearray(path.read_bytes())
    data[key.pos : key.pos + key.size] = bytes(key.size)  # and frames of its group are shown early
    path.write_bytes(data)
    damage: list[Damage] = []
    frames = list(iterate_frames(path, on_damage=damage.append))
    numbers = [round(frame.seconds * RATE) for frame in frames]
    assert numbers == sorted(numbers)
    assert {*range(12), *range(24, COUNT)} < set(numbers)
    assert damage
    assert not [d for d in damage if "comes after a later one" in d.words]


@pytest.mark.parametrize(("codec", "leaves_out"), [("libx264", True), ("mpeg4", False)])
def test_frames_that_nobody_wants_are_left_out_where_that_is_known_to_be_safe(
    codec: str, leaves_out: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    write_numbered(path, EVEN, codec=codec)
    with open_container(path) as container:
        decoder = Decoder(container, lambda *_: None, lambda: None)
        frames = list(iter(lambda: decoder.read(wanted={COUNT - 1}), None))
    assert (len(frames) < COUNT) == leaves_out


def test_a_cut_file_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_numbered(path, EVEN)
    path.write_bytes(path.read_bytes()[:-400])
    damage: list[Damage] = []
    frames = list(iterate_frames(path, on_damage=damage.append))
    assert 20 < len(frames) < COUNT
    assert any("frames are missing" in d.words for d in damage)


def audio_only(path: Path) -> None:
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def elsewhere(path: Path) -> None:
    write_numbered(path.with_name("secret.mp4"), range(3))
    path.write_text("ffconcat version 1.0\nfile secret.mp4\n")


BAD = {
    "missing": (str, "nothing there"),
    "a folder": (lambda path: path.mkdir(), "a folder"),
    "empty": (lambda path: path.touch(), "an empty file"),
    "text": (lambda path: path.write_text("no video\n" * 99), "a file that is none"),
    "sound": (audio_only, "a file that holds sound alone"),
    "a list of other files": (elsewhere, "a file that is none"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_video_is_said_in_one_line(kind: str, tmp_path: Path) -> None:
    make, words = BAD[kind]
    path = tmp_path / "a.mp4"
    make(path)
    for read in (probe, read_clip, lambda p: read_frames(p, [0.0])):
        with pytest.raises(ReaderError, match=f"expected a video at .*a.mp4, got {words}"):
            read(path)


def test_impossible_wishes_are_refused(tmp_path: Path) -> None:
    for wish in ({"start_seconds": 2, "stop_seconds": 1}, {"frames_per_second": 0}, {"height": 0}):
        with pytest.raises(ConfigError):
            read_clip(tmp_path / "a.mp4", **wish)
    for times in ([], [float("nan")]):
        with pytest.raises(ConfigError, match="at least one time"):
            read_frames(tmp_path / "a.mp4", times)


def test_frames_that_would_fill_the_memory_are_not_decoded(tmp_path: Path, monkeypatch) -> None:
    write_numbered(tmp_path / "a.mp4", range(3))
    monkeypatch.setattr(video_decoder, "MAX_PIXELS", 63 * 64)
    damage = []
    with VideoFile(tmp_path / "a.mp4", on_damage=lambda *d: damage.append(d)) as file:
        assert list(file.frames()) == []
    assert damage


def test_reading_can_stop_early_and_the_process_stays_warm(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_numbered(path, range(60))
    starts = own_process().starts
    for _ in range(3):
        frames = iterate_frames(path)
        assert read_number(next(frames).pixels) == 0
        frames.close()
    assert len(read_clip(path).frames) == 60
    assert own_process().starts <= max(starts, 1)


def child_of(process: VideoProcess) -> int:
    return process._child._process.pid


def test_a_decoder_that_crashes_costs_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_numbered(path, range(60))
    with VideoProcess() as process:
        pictures = process.pictures(path, on_damage=print)
        next(pictures)
        os.kill(child_of(process), signal.SIGSEGV)
        with pytest.raises(ReaderError, match=r"a\.mp4, got a decoder that crashed \(SIGSEGV\)"):
            list(pictures)
        assert len(list(process.pictures(path, on_damage=print))) == 60
        assert process.starts == 2


def test_a_decoder_that_hangs_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_numbered(path, range(60))
    with VideoProcess() as process:
        pictures = process.pictures(path, on_damage=print)
        next(pictures)
        process._silence_seconds = 0.2
        os.kill(child_of(process), signal.SIGSTOP)
        with pytest.raises(ReaderError, match="a decoder that hangs"):
            list(pictures)


def test_one_process_reads_frames_of_many_sizes(tmp_path: Path) -> None:
    write_numbered(tmp_path / "a.mp4", range(20))
    with VideoProcess() as process:
        for size in (16, 512, 32, 300):
            read = process.pictures(tmp_path / "a.mp4", on_damage=print, height=size, width=size)
            assert [p.pixels.shape for p in read] == [(size, size, 3)] * 20
        assert process.starts == 1


def test_the_picture_that_carries_a_number_can_say_no() -> None:
    picture = torch.from_numpy(number_picture(11)).permute(2, 0, 1)
    assert read_number(picture) == 11
    assert read_number(torch.zeros_like(picture)) is None
    assert read_number(torch.full_like(picture, 128)) is None


def test_no_warning_without_damage(tmp_path: Path) -> None:
    write_numbered(tmp_path / "a.mp4", EVEN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_clip(tmp_path / "a.mp4")


def test_a_relative_path_is_of_where_the_caller_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoder is kept warm, and began somewhere else."""
    for name, count in (("one", 3), ("other", 5)):
        (tmp_path / name).mkdir()
        write_numbered(tmp_path / name / "a.mp4", list(range(count)))
    for name, count in (("one", 3), ("other", 5)):
        monkeypatch.chdir(tmp_path / name)
        assert probe("a.mp4").frame_count == count
