"""``unrolled stream``, run as a user does, on videos that the test makes."""

import json
import os
import signal
import tempfile
from pathlib import Path

import av
import pytest
import torch

from tests import forked
from tests.forked import Forked, Pipe
from tests.readers.tiny_videos import write_video
from unrolled.cli import main
from unrolled.readers.video import read_clip
from unrolled.tasks.video.model import VideoModel, describe
from unrolled.tasks.video.networks import build_video_network
from unrolled.tasks.video.options import VideoOptions
from unrolled.tasks.video.preprocessing import Preprocessing

NAMES = ("left", "right", "background")
KEYS = ["seconds", "label", "probability", "compute_milliseconds", "behind_milliseconds", "skipped"]


def save_model(folder: Path, name: str, options: dict) -> VideoModel:
    """Write an untrained model for 5 frames a second of 32 x 32."""
    torch.manual_seed(0)
    reading = VideoOptions(clip_frames=4, height=32, width=32, frames_per_second=5.0)
    network = build_video_network(name, len(NAMES), options, (4, 3, 32, 32)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(2)  # opinions
    preprocessing = Preprocessing(32, 32, 5.0)
    parts = {"train": [], "valid": [], "test": []}
    model = VideoModel(network, NAMES, preprocessing, describe(name, options), reading, parts)
    model.save(folder, {})
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    save_model(path, "causal_small", {"widths": [3, 5], "hidden_size": 7, "dropout": 0.0})
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "tiny.mkv"
    write_video(path, 24)
    return path


def stream(capsys, *arguments: object) -> tuple[int, list[str], str]:
    code = main(["stream", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


def test_a_line_a_frame_says_what_the_whole_clip_says(capsys, folder: Path, video: Path) -> None:
    code, lines, err = stream(capsys, folder, video, "--json")
    assert (code, err) == (0, "")
    found = [json.loads(line) for line in lines]
    assert [list(one) for one in found] == [KEYS] * 12
    assert [one["seconds"] for one in found] == pytest.approx([n / 5 for n in range(12)])
    model = VideoModel.load(folder)
    frames = read_clip(video, frames_per_second=5.0).frames
    whole = model.driven(model.preprocessing(frames)[None])[0][0].softmax(-1)
    best, labels = whole.max(-1)
    assert [one["label"] for one in found] == [NAMES[k] for k in labels.tolist()]
    assert [one["probability"] for one in found] == pytest.approx(best.tolist(), abs=1e-4)


def test_it_computes_on_as_many_threads_as_it_is_told(capsys, folder: Path, video: Path) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        code, lines, _ = stream(capsys, folder, video, "--threads", 1)
        assert (code, len(lines), torch.get_num_threads()) == (0, 12, 1)
    finally:
        torch.set_num_threads(before)


def test_damage_is_counted_and_the_first_is_named(capsys, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "torn.mkv"
    write_video(path, 100)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 300] = bytes(300)
    path.write_bytes(content)
    code, lines, err = stream(capsys, folder, path)
    assert code == 0
    assert len(lines) > 20  # what is behind the damage too
    assert f"damaged places in {path}; first: {path}: frame " in err


def test_lines_for_people(capsys, folder: Path, video: Path) -> None:
    _, lines, _ = stream(capsys, folder, video)
    assert len(lines) == 12
    assert lines[1].split()[:2] == ["0.20", "s"]
    assert lines[1].endswith("ms behind")


def test_bytes_on_stdin_are_labelled_as_they_come(folder: Path, tmp_path: Path) -> None:
    video = tmp_path / "long.mkv"
    write_video(video, 600)  # more than FFmpeg looks at before the first frame
    command = ["-m", "unrolled", "stream", str(folder), "-", "--json"]
    done = forked.run(*command, given=video.read_bytes())
    assert len(done.stdout.splitlines()) == 300
    with Pipe() as given, Pipe() as said, open(os.devnull, "w") as unread:
        process = Forked(command, given.reader, said.writer, unread)
        given.writer.write(video.read_bytes())
        given.writer.flush()
        first = json.loads(said.reader.readline())  # flushed, while the pipe is still open
        assert first["seconds"] == 0.0
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130, "Ctrl-C ends it even while nothing comes"


def test_events_are_said_once_with_their_ends(capsys, folder: Path, video: Path) -> None:
    options = ("--events", "--threshold", "0.34", "--hold-seconds", "0")
    code, lines, _ = stream(capsys, folder, video, *options, "--json")
    events = [json.loads(line) for line in lines]
    _, frames, _ = stream(capsys, folder, video, "--json")
    labels = [json.loads(line)["label"] for line in frames]
    assert code == 0
    assert events
    for event in events:
        assert event["label"] in labels
        assert event["label"] != "background"
        assert 0 <= event["start_seconds"] < event["end_seconds"] <= 2.4001
    ends = [event["end_seconds"] for event in events]
    assert ends == sorted(ends)
    _, lines, _ = stream(capsys, folder, video, *options)
    assert len(lines) == len(events)


def test_a_network_over_clips_slides_a_window_and_says_so(
    capsys, tmp_path: Path, video: Path
) -> None:
    save_model(tmp_path, "late_fusion_pooling", {"width": 4})
    code, lines, err = stream(capsys, tmp_path, video, "--json")
    assert code == 0
    assert len(lines) == 12
    assert "does not stream: it sees a window of 4 frames" in err


def test_overlay_writes_every_labelled_frame(
    capsys, folder: Path, video: Path, tmp_path: Path
) -> None:
    out = tmp_path / "labelled.mp4"
    code, lines, _ = stream(capsys, folder, video, "--overlay", out)
    assert code == 0
    assert len(lines) == 12
    with av.open(str(out)) as file:
        assert len(list(file.decode(video=0))) == 12


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing.mp4"], "a source of video at nothing.mp4"),
        (["lavfi:nonsense"], "video from lavfi:nonsense"),
        (["rtsp://127.0.0.1:9/x"], "video from rtsp://127.0.0.1:9/x"),
        (["lavfi:sine=d=1"], "audio alone"),
        (["lavfi:testsrc=d=1", "--show"], "a terminal with colours"),
        (["lavfi:testsrc=d=1", "--show", "--json"], "--show alone"),
        (["lavfi:testsrc=d=1", "--threshold", "2"], "a threshold above 0"),
        (["lavfi:testsrc=d=1", "--overlay", "/nowhere/a.mp4"], "a folder at /nowhere"),
    ],
)
def test_bad_input_is_one_line(capsys, folder: Path, arguments: list[str], says: str) -> None:
    code, lines, err = stream(capsys, folder, *arguments)
    assert (code, lines) == (2, [])
    assert says in err
    assert err.count("\n") == 1


def test_a_model_that_is_none_is_named(capsys, tmp_path: Path, video: Path) -> None:
    code, _, err = stream(capsys, tmp_path, video)
    assert code == 2
    assert "a model folder" in err


def test_who_reads_the_lines_may_stop(folder: Path) -> None:
    command = ["-m", "unrolled", "stream", str(folder), "lavfi:testsrc=size=32x32"]
    with Pipe() as said, tempfile.TemporaryFile() as complaints, open(os.devnull) as nothing:
        process = Forked(command, nothing, said.writer, complaints)
        said.writer.close()
        said.reader.readline()
        said.reader.close()
        assert process.wait() == 0
        complaints.seek(0)
        assert complaints.read() == b""
