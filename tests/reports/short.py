"""Reports without curves and with few samples, where a test is about something else."""

import pytest


def shorten_reports(patched: pytest.MonkeyPatch) -> None:
    """Leave out what takes the longest of a report."""
    patched.setattr("unrolled.reports.curves.find_spec", lambda _: None)
    patched.setattr("unrolled.tasks.language.view._WRITTEN", {"char": 20, "word": 5, "bpe": 5})
