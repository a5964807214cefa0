"""The verbs are tested with short reports; tests/tasks/language/test_report.py has whole ones."""

import pytest


@pytest.fixture(autouse=True)
def _short_reports(monkeypatch) -> None:
    monkeypatch.setattr("unrolled.reports.curves.find_spec", lambda _: None)
    monkeypatch.setattr("unrolled.tasks.language.view._WRITTEN", {"char": 20, "word": 5, "bpe": 5})
