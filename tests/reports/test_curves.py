"""Drawings: in the page's colours, with nothing to fetch, exact where there are few points."""

import re

import numpy as np
import pytest

from unrolled.reports import Line, draw_curves


def points_of(svg: str, colour: str) -> np.ndarray:
    """Return the corners of the line of a colour, [N, 2]."""
    paths = re.findall(rf'<path d="([^"]*)"[^>]*stroke: {re.escape(colour)}', svg)
    path = max(paths, key=len)
    return np.array([list(map(float, pair)) for pair in re.findall(r"[ML] (\S+) (\S+)", path)])


def test_a_line_goes_through_its_points() -> None:
    x, y = [0.0, 1.0, 3.0, 4.0], [5.0, 2.0, 1.0, 3.0]
    svg = draw_curves([Line("a", x, y)], x_label="steps", y_label="nats")
    found = points_of(svg, "var(--line-1)")
    # The page's coordinates are an affine map of x and of y, y pointing down.
    for axis, values in enumerate((x, y)):
        slope, _ = np.polyfit(values, found[:, axis], 1)
        assert np.corrcoef(values, found[:, axis])[0, 1] ** 2 == pytest.approx(1, abs=1e-9)
        assert (slope > 0) == (axis == 0)


def test_many_points_are_averaged_in_groups() -> None:
    x = list(range(3000))
    svg = draw_curves([Line("a", x, [value % 2 for value in x])], x_label="x", y_label="y")
    found = points_of(svg, "var(--line-1)")
    assert len(found) <= 150
    assert np.ptp(found[:, 1]) == pytest.approx(0, abs=1e-6), "the mean of every 20 is 1/2"


def test_nothing_in_it_is_fetched_and_its_words_are_escaped() -> None:
    svg = draw_curves([Line("a", [0, 1], [0, 1])], x_label="<script>", y_label="&", rules={"r": 1})
    assert svg.startswith("<svg")
    assert "http" not in svg
    assert "<script>" not in svg
    assert "currentColor" not in svg or "#00000" not in svg
    assert "#00000" not in svg, "every colour is the page's"


@pytest.mark.parametrize("points", [[], [(0, 1.0)]])
def test_few_points_are_no_error(points) -> None:
    x, y = [p[0] for p in points], [p[1] for p in points]
    assert draw_curves([Line("a", x, y)], x_label="x", y_label="y", scale="log")


def test_without_matplotlib_there_is_none(monkeypatch) -> None:
    monkeypatch.setattr("unrolled.reports.curves.find_spec", lambda _: None)
    assert draw_curves([Line("a", [0, 1], [0, 1])], x_label="x", y_label="y") is None
