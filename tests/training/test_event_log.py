"""TensorBoard's own reader finds every event of the log once, also after a resume."""

import json
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.test_resume import Killed, folder_at, run_of

OPTIONS = {"max_steps": 10, "checkpoint_seconds": 0}


def events_in(path: Path) -> dict[str, list[tuple[int, float]]]:
    reader = EventAccumulator(str(path / "tensorboard"))
    reader.Reload()
    return {
        tag: [(event.step, event.value) for event in reader.Scalars(tag)]
        for tag in reader.Tags()["scalars"]
    }


def logged_in(path: Path) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for line in map(json.loads, (path / "metrics.jsonl").read_text().splitlines()):
        for name in ("loss", "validation", "learning_rate", "gradient_norm"):
            if name in line:
                found.setdefault(name, []).append((line["step"], pytest.approx(line[name], 1e-6)))
    return found


def test_events_are_the_log(tmp_path: Path) -> None:
    assert run_of(folder_at(tmp_path), **OPTIONS).run()
    assert events_in(tmp_path) == logged_in(tmp_path)
    assert len(events_in(tmp_path)["loss"]) == 10


@pytest.mark.parametrize("killed_at", range(2, 11))
def test_a_resumed_run_has_every_event_once(tmp_path: Path, killed_at: int, monkeypatch) -> None:
    # Files of events are read in the order of the seconds in their names; here each has its own.
    seconds = SimpleNamespace(time=count(1_700_000_000).__next__)
    monkeypatch.setattr("tensorboard.summary.writer.event_file_writer.time", seconds)
    folder = folder_at(tmp_path)
    first = run_of(folder, **OPTIONS)

    def kill(progress) -> None:
        if progress.step == killed_at:  # logged, but later than the last checkpoint
            raise Killed

    first.report = kill
    with pytest.raises(Killed):
        first.run()
    second = run_of(folder, **OPTIONS)
    second.restore(folder.checkpoints.load()[0])
    assert second.counters.step == killed_at - 1
    assert second.run()
    assert events_in(tmp_path) == logged_in(tmp_path)
    assert len(events_in(tmp_path)["loss"]) == 10


def test_words_are_kept_as_text(tmp_path: Path) -> None:
    run = run_of(folder_at(tmp_path), max_steps=1)
    run.observe = lambda progress: {"sample": "a\n*b*"} if progress.loss else {}
    run.run()
    reader = EventAccumulator(str(tmp_path / "tensorboard"))
    reader.Reload()
    (event,) = reader.Tensors("sample/text_summary")
    assert event.step == 1
    assert event.tensor_proto.string_val == [b"    a\n    *b*"]


def test_without_tensorboard_there_is_nothing_and_no_error(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("unrolled.training.event_log.find_spec", lambda _: None)
    assert run_of(folder_at(tmp_path), max_steps=2).run()
    assert (tmp_path / "metrics.jsonl").exists()
    assert not (tmp_path / "tensorboard").exists()
