"""The table of tasks: what it says of a run, whatever the task."""

from dataclasses import replace

import pytest

from unrolled.tasks.table import task_named


@pytest.mark.parametrize(
    ("finished", "words"),
    [(True, "learnt in 1,234 steps, 57 s: well"), (False, "stopped after 1,234 steps, 57 s: well")],
)
def test_a_run_is_said_to_be_finished_or_stopped(finished: bool, words: str) -> None:
    task = replace(task_named("language"), outcome=lambda figures: figures["how"])
    figures = {"steps": 1234, "seconds": 56.7, "how": "well"}
    assert task.summary(figures, finished=finished) == words
