"""Video as it comes: files, pipes, addresses on this machine, and sources that are lost."""

import http.server
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.readers.tiny_videos import number_of, write_video
from unrolled.errors import ReaderError
from unrolled.readers import live_source as module
from unrolled.readers.live_source import LiveFrame, LiveSource, Loss
from unrolled.readers.video import read_clip


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "tiny.mp4"
    write_video(path)
    return path


@pytest.mark.parametrize("rate", [None, 5.0, 4.0, 25.0])
def test_a_file_gives_what_the_whole_clip_gives(video: Path, rate: float | None) -> None:
    clip = read_clip(video, frames_per_second=rate)
    with LiveSource(str(video), frames_per_second=rate) as source:
        frames = list(source)
    assert torch.equal(torch.stack([frame.pixels for frame in frames]), clip.frames)
    step = 1 / (rate or 10)
    assert [frame.seconds for frame in frames] == pytest.approx(
        [n * step for n in range(len(frames))]
    )
    assert not source.is_live
    assert sum(frame.skipped for frame in frames) == 0
    due = [frame.due_seconds - frames[0].due_seconds for frame in frames]
    assert due == pytest.approx([frame.seconds for frame in frames])


def test_a_file_skips_nothing_however_slow_the_reader(tmp_path: Path) -> None:
    write_video(tmp_path / "long.mp4", 60)
    with LiveSource(str(tmp_path / "long.mp4")) as source:
        numbers = []
        for frame in source:
            numbers.append(number_of(frame.pixels))
            time.sleep(0.002)
    assert numbers == [n % 12 for n in range(60)]


def test_a_pipe_gives_what_the_file_gives(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "tiny.mkv"
    write_video(path)
    expected = read_clip(path, frames_per_second=5.0).frames
    reader, writer = os.pipe()
    threading.Thread(target=_feed, args=(writer, path.read_bytes()), daemon=True).start()
    monkeypatch.setattr(module, "parse_address", lambda _: _pipe(reader))
    with LiveSource("-", frames_per_second=5.0) as source:
        frames = torch.stack([frame.pixels for frame in source])
    os.close(reader)
    assert torch.equal(frames, expected)


def _feed(writer: int, data: bytes) -> None:
    with os.fdopen(writer, "wb") as file:
        file.write(data)


def _pipe(reader: int) -> module.Address:
    return module.Address("stdin", f"pipe:{reader}", cure="send -f matroska")


def test_a_pipe_that_cannot_be_read_has_a_cure(monkeypatch) -> None:
    reader, writer = os.pipe()
    threading.Thread(target=_feed, args=(writer, b"no video at all"), daemon=True).start()
    monkeypatch.setattr(module, "parse_address", lambda _: _pipe(reader))
    with pytest.raises(ReaderError, match=r"stdin.*; send -f matroska"):
        LiveSource("-")
    os.close(reader)


@pytest.fixture
def address(video: Path) -> Iterator[str]:
    """Serve the folder of the video on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args) -> None:
            super().__init__(*args, directory=str(video.parent))

        def log_message(self, *_) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_recording_at_an_address_is_read_to_its_end(address: str) -> None:
    with LiveSource(f"{address}/tiny.mp4") as source:
        numbers = [number_of(frame.pixels) for frame in source]
    assert numbers == list(range(12))
    assert not source.is_live, "it says how long it is"


def test_an_address_with_nothing_there_is_named(address: str) -> None:
    with pytest.raises(ReaderError, match=r"nothing.mp4.*404"):
        LiveSource(f"{address}/nothing.mp4")
    with pytest.raises(ReaderError, match=r"127.0.0.1:9/x"):
        LiveSource("rtsp://127.0.0.1:9/x")


def test_a_live_source_gives_the_newest_frame_and_counts_the_skipped() -> None:
    graph = "lavfi:testsrc=size=32x32:rate=50:duration=1,realtime"
    with LiveSource(graph, live=True, give_up_seconds=0.0) as source:
        frames: list[LiveFrame] = []
        with pytest.raises(ReaderError, match=r"none for .* the stream ended"):
            _take_slowly(source, frames)
    assert len(frames) < 12
    assert sum(frame.skipped for frame in frames) + len(frames) == 50
    lateness = [frame.due_seconds - frame.seconds for frame in frames]
    assert max(lateness) - min(lateness) < 0.5, "the newest, not the next"


def _take_slowly(source: LiveSource, frames: list[LiveFrame]) -> None:
    for frame in source:
        frames.append(frame)
        time.sleep(0.11)


def test_a_lost_source_is_named_and_tried_again() -> None:
    losses: list[Loss] = []
    graph = "lavfi:testsrc=size=32x32:rate=20:duration=0.2,realtime"
    with LiveSource(graph, live=True, on_lost=losses.append, first_wait_seconds=0.05) as source:
        frames = []
        for frame in source:
            frames.append(frame)
            if len(losses) == 2 and len(frames) > 9:
                break
    assert [loss.name for loss in losses] == [graph] * 2
    assert "the stream ended" in str(losses[0])
    assert losses[0].wait_seconds == 0.05
    seconds = [frame.seconds for frame in frames]
    assert seconds == sorted(seconds), "time goes on through a loss"
    assert not source._thread.is_alive()


def test_waits_grow_while_it_stays_away_and_an_end_is_made_of_it(monkeypatch) -> None:
    losses: list[Loss] = []
    graph = "lavfi:testsrc=size=32x32:rate=20:duration=0.1"
    source = LiveSource(
        graph, live=True, on_lost=losses.append, first_wait_seconds=0.02, give_up_seconds=0.5
    )

    def gone(address: module.Address) -> None:
        raise ReaderError(f"video from {address.name}", "No such device")

    monkeypatch.setattr(module, "open_address", gone)
    with source, pytest.raises(ReaderError, match=r"none for .* No such device"):
        list(source)
    waits = [loss.wait_seconds for loss in losses]
    assert waits == pytest.approx([0.02 * 2**n for n in range(len(waits))])
    assert len(waits) >= 3
    assert losses[1].reason == "No such device"


def test_leaving_early_ends_the_thread(video: Path) -> None:
    with LiveSource(str(video)) as source:
        next(iter(source))
    source._thread.join(timeout=5)
    assert not source._thread.is_alive()


def test_damage_is_counted_and_a_broken_file_named(video: Path, tmp_path: Path) -> None:
    data = bytearray(video.read_bytes())
    middle = data.index(b"mdat") + 300
    data[middle : middle + 40] = bytes(40)
    (tmp_path / "torn.mp4").write_bytes(data)
    with LiveSource(str(tmp_path / "torn.mp4")) as source:
        assert len(list(source)) >= 10
    assert source.damaged > 0
    assert "torn.mp4: frame" in source.damages[0]
    (tmp_path / "text.mp4").write_text("no video at all")
    with pytest.raises(ReaderError, match=r"text.mp4"):  # noqa: SIM117
        with LiveSource(str(tmp_path / "text.mp4")) as broken:
            list(broken)
