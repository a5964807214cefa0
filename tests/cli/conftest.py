"""The verbs are tested with short reports; tests/tasks/language/test_report.py has whole ones."""

import pytest


@pytest.fixture(autouse=True)
def _short_reports(short_reports: None) -> None:
    """Have them in every test of this folder."""
