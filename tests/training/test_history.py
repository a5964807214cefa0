"""What the log tells, the clock beside it."""

import json
from pathlib import Path

import pytest

from unrolled.errors import ReaderError
from unrolled.training.history import read_history
from unrolled.training.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.new(tmp_path, "test", {}, keep=1)


def test_curves_have_their_steps_and_times(folder: RunFolder) -> None:
    folder.log({"step": 1, "share": 0.1, "loss": 3.0})
    folder.log({"step": 3, "share": 0.3, "loss": 2.0, "sample": "abc"})
    folder.log({"step": 3, "share": 0.3, "validation": 2.5})
    for step, seconds in ((1, 10.0), (5, 18.0)):
        folder.log_time(step, seconds)
    history = read_history(folder)
    assert (history.loss.steps, history.loss.values) == ([1, 3], [3.0, 2.0])
    assert history.loss.seconds == [10.0, 14.0]
    assert (history.validation.steps, history.validation.values) == ([3], [2.5])
    (seen,) = history.observations.values()
    assert (seen.step, seen.figure, seen.validated, seen.found) == (
        3,
        2.0,
        False,
        {"sample": "abc"},
    )


def test_of_two_observations_of_a_step_the_second_stands(folder: RunFolder) -> None:
    folder.log({"step": 3, "loss": 2.0, "sample": "abc"})
    folder.log({"step": 3, "validation": 2.5, "sample": "abc"})
    (seen,) = read_history(folder).observations.values()
    assert (seen.figure, seen.validated) == (2.5, True)


def test_a_clock_notes_once_a_second_and_forgets_what_was_gone_back_on(folder: RunFolder) -> None:
    folder.log({"step": 1})
    for step, seconds in ((1, 1.0), (2, 1.9), (3, 2.0), (9, 5.0)):
        folder.log_time(step, seconds)
    assert folder.read_clock() == [(1, 1.0), (3, 2.0), (9, 5.0)]
    again = RunFolder.open(folder.path)  # from a checkpoint of step 4 after 2.5 s
    again.log_time(5, 3.0)
    again.log_time(7, 4.0)
    assert again.read_clock() == [(1, 1.0), (3, 2.0), (5, 3.0), (7, 4.0)]


def test_a_run_that_was_stopped_at_once_has_an_empty_history(folder: RunFolder) -> None:
    assert read_history(folder).loss.steps == []


def test_half_a_last_line_is_left_out_and_damage_before_it_is_named(folder: RunFolder) -> None:
    folder.log({"step": 1, "loss": 3.0})
    log = folder.path / "metrics.jsonl"
    log.write_text(log.read_text() + json.dumps({"step": 2, "loss": 2.0})[:9])
    assert read_history(folder).loss.steps == [1]
    log.write_text("{\n" + log.read_text())
    with pytest.raises(ReaderError, match=r"JSON lines in .*metrics\.jsonl, got line 1"):
        read_history(folder)


def test_what_a_killed_beginning_left_behind_does_not_count(tmp_path: Path) -> None:
    (tmp_path / ".config.yaml.123.tmp").write_text("{")
    assert RunFolder.new(tmp_path, "test", {}, keep=1).path == tmp_path
