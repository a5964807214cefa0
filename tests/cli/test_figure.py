"""``unrolled figure``, as a user types it."""

import json
import sys
from pathlib import Path

import pytest

from tests import forked
from unrolled.cli import figure as verb
from unrolled.cli import main
from unrolled.figures import FIGURES


def test_a_figure_is_written_as_png_and_svg(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["figure", "unrolled_graph"]) == 0
    out = capsys.readouterr().out
    assert "unrolled_graph" in out
    assert out.endswith("each is in figures as NAME.png and NAME.svg\n")
    assert Path("figures/unrolled_graph.png").read_bytes().startswith(b"\x89PNG")
    assert Path("figures/unrolled_graph.svg").read_text().startswith("<?xml")


def test_json_is_one_object(capsys, tmp_path: Path) -> None:
    out = str(tmp_path / "slides")
    assert main(["figure", "unrolled_graph", "--out", out, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["figures"]
    assert (row["name"], row["topic"]) == ("unrolled_graph", FIGURES["unrolled_graph"])
    assert Path(row["png"]).is_file()
    assert Path(row["svg"]).is_file()
    assert row["seconds"] < 30


def test_all_is_every_figure(capsys, monkeypatch, tmp_path: Path) -> None:
    few = {name: FIGURES[name] for name in ("unrolled_graph", "truncated_bptt")}
    monkeypatch.setattr("unrolled.figures.FIGURES", few)
    monkeypatch.setattr(verb, "FIGURES", few)
    assert main(["figure", "--all", "--out", str(tmp_path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["figures"]
    assert [row["name"] for row in rows] == list(few)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dilatoin"], "did you mean dilation?"),
        ([], "expected names of figures or --all, got neither"),
        (["hello", "--all"], "got hello and --all"),
        (["unrolled_graph", "--out", "taken"], "taken"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    capsys, monkeypatch, tmp_path: Path, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").touch()
    assert main(["figure", *arguments]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert captured.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_without_matplotlib_it_says_how_to_install_it(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["figure", "hello", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "unrolled: expected matplotlib, which draws the figures, got none; "
        "install it: pip install 'unrolled[figures]'\n"
    )


def test_help_has_an_example_and_needs_neither_torch_nor_matplotlib() -> None:
    code = (
        "import sys; from unrolled.cli import main; main(['figure', '--help']); main(['--help']); "
        "import unrolled; sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    done = forked.run("-c", code, light=True)
    assert done.returncode == 0
    assert "Example: unrolled figure" in done.stdout


def test_list_shows_the_figures(capsys) -> None:
    assert main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"] == FIGURES
