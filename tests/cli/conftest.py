"""The verbs are tested without drawings; tests/tasks/test_language_report.py has them."""

import pytest


@pytest.fixture(autouse=True)
def _no_drawings(monkeypatch) -> None:
    monkeypatch.setattr("unrolled.reports.curves.find_spec", lambda _: None)
