"""Every figure is drawn, and what it shows is what the library computes."""

import dataclasses
import importlib
import math
import re
from functools import cache
from itertools import combinations
from pathlib import Path

import matplotlib
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text

from unrolled import figures
from unrolled.cells import RNN
from unrolled.figures import (
    FIGURES,
    _cell_graphs,
    _learning,
    cells,
    dilation,
    drawing,
    hello,
    sampling_loop,
    search_tree,
    sequence_shapes,
    truncated_bptt,
    unrolled_graph,
)

ROOT = Path(__file__).parents[2]
TRAINED = (  # in the files beside
    *("gates", "recall_by_lag", "motion", "transitions", "filters"),
    *("soft_attention", "hard_attention", "caption_search"),
)
DRAWN = [name for name in FIGURES if name not in TRAINED]
PAGE = (ROOT / "docs" / "figures.md").read_text()


@cache
def drawn(name: str) -> Figure:
    return drawing.drawn(name)


def words(name: str) -> str:
    return "\n".join(text.get_text() for text in drawn(name).findobj(Text))


@pytest.mark.parametrize("name", DRAWN)
def test_it_is_drawn_in_a_slides_shape_with_a_title(name: str) -> None:
    figure = drawn(name)
    assert figure.get_size_inches().tolist() == [12.8, 7.2]
    assert figure.texts[0].get_fontsize() == drawing.TITLE


@pytest.mark.parametrize("name", DRAWN)
def test_every_text_is_on_the_slide_large_enough_and_clear_of_the_others(name: str) -> None:
    figure = drawn(name)
    figure.draw_without_rendering()  # sets the places of labels and ticks
    width, height = (figure.get_size_inches() * figure.dpi).tolist()
    texts = shown_texts(figure)
    for text in texts:
        assert text.get_fontsize() >= 10, text.get_text()
        area = text.get_window_extent()
        inside = area.x0 >= 0 and area.y0 >= 0 and area.x1 <= width and area.y1 <= height
        assert inside, text.get_text()
    assert overlapping(texts) == []


def shown_texts(figure: Figure) -> list[Text]:
    """Return all texts but the labels of ticks outside their axis, which are not drawn."""
    hidden = set()
    for axes in figure.axes:
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not axes.axison or not low <= tick.get_loc() <= high:
                    hidden |= {tick.label1, tick.label2}
    found = [text for text in figure.findobj(Text) if text not in hidden]
    return [text for text in found if text.get_text().strip() and text.get_visible()]


def overlapping(texts: list[Text]) -> list[tuple[str, str]]:
    areas = [text.get_window_extent().padded(-1) for text in texts]
    return [
        (a.get_text(), b.get_text())
        for (a, area), (b, other) in combinations(zip(texts, areas, strict=True), 2)
        if area.overlaps(other)
    ]


def test_texts_on_each_other_are_noticed() -> None:
    figure = drawing.slide("a title")
    figure.text(0.05, 0.955, "another")
    assert overlapping(shown_texts(figure)) == [("a title", "another")]


def test_files_are_the_same_bytes_whatever_the_users_own_style(tmp_path: Path) -> None:
    expected = drawing.save(drawing.drawn("unrolled_graph"), tmp_path, "plain")
    with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 30, "svg.hashsalt": "x"}):
        got = drawing.save(drawing.drawn("unrolled_graph"), tmp_path, "styled")
        assert matplotlib.rcParams["font.size"] == 30
    assert [path.read_bytes() for path in got] == [path.read_bytes() for path in expected]
    assert b"<dc:date>" not in got[1].read_bytes()


def test_drawing_leaves_torchs_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    for name in ("unrolled_graph", "truncated_bptt"):
        drawing.drawn(name)
    assert torch.equal(torch.rand(3), expected)


# The table, the files and the page


def test_the_table_the_modules_and_the_page_agree() -> None:
    folder = Path(figures.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if path.stem[0] != "_"} - {"drawing"}
    assert modules == set(FIGURES)
    assert all(importlib.import_module(f"unrolled.figures.{name}").draw for name in FIGURES)
    assert sorted(re.findall(r"^## (\w+)$", PAGE, flags=re.M)) == sorted(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_the_page_shows_topic_command_and_picture(name: str) -> None:
    section = PAGE.split(f"## {name}\n")[1].split("\n## ")[0]
    assert FIGURES[name] in section.replace("`", "")
    assert f"unrolled figure {name}`" in section
    assert f"(figures/{name}.png)" in section
    assert (ROOT / "docs" / "figures" / f"{name}.png").stat().st_size < 200_000


def test_the_pictures_are_small_and_all_of_them_are_shown() -> None:
    pictures = list((ROOT / "docs" / "figures").glob("*"))
    assert {path.name for path in pictures} == {f"{name}.png" for name in FIGURES}
    assert sum(path.stat().st_size for path in pictures) < 110_000 * len(pictures)


def test_errata_that_the_page_links_to_exist() -> None:
    headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / "errata.md").read_text(), flags=re.M)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    linked = re.findall(r"\(errata\.md#([\w-]+)\)", PAGE)
    assert linked
    assert set(linked) <= anchors


# What they show


def test_sequence_shapes_draws_a_box_for_every_step_and_the_shapes_seen() -> None:
    found = sequence_shapes.patterns()
    counts = [(len(p.inputs), p.num_steps, len(p.outputs)) for p in found]
    assert counts == [(1, 1, 1), (1, 3, 3), (3, 3, 1), (3, 5, 3), (3, 3, 3)]
    shown = [text.get_text() for text in drawn("sequence_shapes").findobj(Text)]
    assert shown.count("h") == sum(pattern.num_steps for pattern in found)
    assert "x [1, 3, 6]\nh [1, 5]\ny [1, 3, 3]" in shown


def test_the_gradient_of_a_shared_matrix_is_the_sum_over_the_steps() -> None:
    found = unrolled_graph.gradients()
    assert torch.allclose(sum(found.by_step), found.shared, rtol=1e-12, atol=1e-12)
    norms = [f"= {gradient.norm().item():.3f}" for gradient in found.by_step]
    assert len(set(norms)) == 4
    assert all(norm in words("unrolled_graph") for norm in norms)


def test_hello_is_spelt_and_its_numbers_are_those_of_the_equations() -> None:
    found = hello.spell()
    assert found.written == "hello"
    assert found.nats_per_character < 0.05
    model, _ = _learning.speller("hello", "helo", hidden_size=3, seed=0, steps=150)
    h = torch.zeros(3, dtype=torch.float64)
    for t in range(4):
        x = torch.tensor(found.one_hot[t], dtype=torch.float64)
        h = torch.tanh(model.weight_xh @ x + model.weight_hh @ h + model.bias_h)
        y = model.weight_hy @ h + model.bias_y
        assert h.tolist() == pytest.approx(found.hidden[t], abs=1e-12)
        assert y.tolist() == pytest.approx(found.scores[t], abs=1e-12)
        assert y.argmax() == "helo".index("hello"[t + 1])
        assert drawing.signed(y.max().item(), 2) in words("hello")


def test_the_gradient_is_exactly_zero_past_the_cut_and_the_same_before_it() -> None:
    whole = truncated_bptt.gradient_norms(truncated_bptt.STEPS)
    chunked = truncated_bptt.gradient_norms(truncated_bptt.CHUNK)
    assert min(whole) > 0
    assert chunked[:4] == whole[:4]
    assert chunked[4:] == [0.0] * 8
    assert words("truncated_bptt").split().count("0") >= 8


def test_a_sampled_text_has_the_probability_of_its_orange_bars() -> None:
    sampled = sampling_loop.sample_a_word()
    assert sampled.inputs[1:] + "." == sampled.drawn
    total = 0.0
    for shares, character in zip(sampled.distributions, sampled.drawn, strict=True):
        assert sum(shares) == pytest.approx(1.0, abs=1e-12)
        total += math.log(shares[sampling_loop.VOCABULARY.index(character)])
    assert total == pytest.approx(sampled.log_probability, abs=1e-9)
    assert f"{drawing.signed(total, 3)} nats" in words("sampling_loop")


def test_greedy_is_beaten_by_the_beam_and_the_beam_by_the_whole_tree() -> None:
    tree = search_tree.search()
    scores = [tree.log_probabilities[path] for path in tree.found.values()]
    assert scores[0] < scores[1] < scores[2]
    leaves = {path: s for path, s in tree.log_probabilities.items() if len(path) == 3}
    assert len(leaves) == 27
    assert sum(map(math.exp, leaves.values())) == pytest.approx(1.0, abs=1e-12)
    assert scores[2] == max(leaves.values())
    assert len(tree.survivors) == 6
    assert {path[:-1] for path in tree.survivors} <= {"", *tree.survivors}


def test_greedys_path_takes_the_best_letter_every_time() -> None:
    tree = search_tree.search()
    path = tree.found["greedy"]
    for length in (1, 2, 3):
        rivals = [path[: length - 1] + letter for letter in search_tree.LETTERS]
        assert path[:length] == max(rivals, key=tree.log_probabilities.__getitem__)


@pytest.mark.parametrize("graph", _cell_graphs.GRAPHS, ids=lambda graph: graph.title)
def test_a_cell_computed_as_it_is_drawn_is_the_librarys(graph) -> None:
    assert cells.differences(graph) < 1e-14


def test_a_wire_drawn_wrongly_is_noticed() -> None:
    graph = _cell_graphs.MUT3_GRAPH
    wires = [
        dataclasses.replace(wire, source="h") if wire.source == "tanh h" else wire
        for wire in graph.wires
    ]
    assert cells.differences(dataclasses.replace(graph, wires=tuple(wires))) > 0.01


def test_every_wire_ends_at_what_it_is_drawn_to() -> None:
    for graph in _cell_graphs.GRAPHS:
        places = {node.name: node.place for node in graph.nodes}
        for wire in graph.wires:
            if wire.target:
                assert math.dist(wire.points[-1], places[wire.target]) < 0.9
            if wire.source in places and wire.points[0][1] == places[wire.source][1]:
                continue  # leaves its node sideways, or branches off a line on its level
            if wire.source in places:
                assert abs(wire.points[0][0] - places[wire.source][0]) < 0.9


def test_what_a_dilated_stack_sees_is_what_the_formula_says() -> None:
    assert [len(steps) for steps in dilation.steps_that_reach()] == [16, 8, 4, 2, 1]
    assert dilation.spans(1, 12) == (4096, 4096)
    assert dilation.spans(2, 12) == (8191, 8191)
    for count in (1, 2):
        by_formula, probed = dilation.spans(count, 3)
        assert by_formula == probed == 1 + count * 7
    assert "4,096" in words("dilation")
    assert "8,191" in words("dilation")


def test_what_watches_the_states_changes_nothing() -> None:
    cell, x = RNN(3, 5), torch.randn(2, 7, 3)
    expected, _ = cell(x)
    got, _ = truncated_bptt._Watched(cell)(x)
    assert torch.allclose(got, expected, atol=1e-6)
