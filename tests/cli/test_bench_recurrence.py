"""``unrolled bench recurrence``, small: one cell at the smallest shape."""

import json

import pytest
import torch

from tests.kernels.machines import needs_library
from unrolled import fused
from unrolled.benchmarks import recurrence
from unrolled.cli import main

SMALL = ["--cell", "Unseen", "--shape", "1", "--rounds", "1", "--threads", "1"]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A smaller product for the machine's ceiling, and one turn of everything."""
    monkeypatch.setattr("unrolled.benchmarks.timing._GEMM_SIZE", 64)


def test_it_says_how_each_part_compares(capsys) -> None:
    assert main(["bench", "recurrence", *SMALL, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (row,), (bound,) = found["padded"], found["context"]
    assert row["cell"] == "Unseen"
    assert row["loop training milliseconds"] > 0
    assert [ragged["cell"] for ragged in found["ragged"]] == ["LSTM", "GRU"]
    assert bound["vectors"] == 1
    assert bound["times_faster_than_loop"] == pytest.approx(
        bound["loop milliseconds"] / bound["ours milliseconds"]
    )


def test_it_prints_tables(capsys) -> None:
    assert main(["bench", "recurrence", *SMALL]) == 0
    printed = capsys.readouterr().out
    for title in ("Training;", "Ragged;", "bound to vectors", "One step", "Planning and memory"):
        assert title in printed


@needs_library
@pytest.mark.parametrize("seeing", [False, True])
def test_the_cell_that_nobody_knows_is_planned(seeing: bool) -> None:
    if seeing:
        vector = recurrence._Seen(torch.randn(2, 5))
        cell = recurrence._Seeing(3, 5).given(vector)
    else:
        cell = recurrence.build("Unseen", 3, 5)
    x = torch.randn(4, 7, 3)
    y, _ = cell(x)
    assert fused.answers(cell)[""].startswith("planned")
    torch.testing.assert_close(y, cell.plain_scan(x, cell.initial_state(4))[0])
