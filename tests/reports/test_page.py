"""Pages: all text is escaped, a name that is missing is an error."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from unrolled.reports import render_page
from unrolled.reports.page import duration


def page(tmp_path: Path, content: str, **context) -> str:
    template = tmp_path / "task.html"
    head = "{% extends 'page.html' %}{% import 'parts.html' as parts %}{% block content %}"
    template.write_text(f"{head}{content}{{% endblock %}}")
    return render_page(template, context)


def test_text_is_escaped_in_every_part(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    for part in ("{{ x }}", "{{ parts.table([x], [[x]]) }}", "{{ parts.headline(x, x) }}"):
        html = page(tmp_path, part, x=bad)
        assert "<script>" not in html
        assert "&lt;script&gt;" in html


def test_a_missing_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError, match="'nothing' is undefined"):
        page(tmp_path, "{{ nothing }}")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (59.94, "59.9 s"), (59.97, "1 min 0 s"), (3599.7, "1 h 0 min")],
)
def test_times_carry_over(seconds: float, words: str) -> None:
    assert duration(seconds) == words
