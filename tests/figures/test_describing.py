"""The figures on captions: boards are what they say, and what is drawn is what was computed."""

import re

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.figures.test_figures import overlapping, shown_texts
from unrolled.decoding import beam_search
from unrolled.figures import (
    _describing,
    _looking,
    caption_search,
    drawing,
    hard_attention,
    soft_attention,
)
from unrolled.figures._describing import END, GRID, START, WORDS, annotations, board, bound
from unrolled.figures._looking import Looked

FIGURES = {
    "soft_attention": soft_attention,
    "hard_attention": hard_attention,
    "caption_search": caption_search,
}


@pytest.fixture(autouse=True)
def _hardly_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_describing, "_BOARDS", 40)
    for figure in FIGURES.values():
        monkeypatch.setattr(figure, "STEPS", 12)
    monkeypatch.setattr(_looking, "_BOARDS", 40)
    monkeypatch.setattr(_looking, "UNSEEN", 12)
    _looking.looker.cache_clear()
    _looking.looked.cache_clear()


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_drawn_with_texts_that_are_large_enough_and_on_the_slide(name: str) -> None:
    figure = drawing.drawn(name)
    figure.draw_without_rendering()
    width, height = (figure.get_size_inches() * figure.dpi).tolist()
    texts = shown_texts(figure)
    for text in texts:
        area = text.get_window_extent()
        inside = area.x0 >= 0 and area.y0 >= 0 and area.x1 <= width and area.y1 <= height
        assert inside, text.get_text()
        assert text.get_fontsize() >= 10, text.get_text()
    if name != "caption_search":  # which an untrained network makes a thicket of
        assert overlapping(texts) == []


def test_an_annotation_is_a_cell() -> None:
    picture = torch.zeros(1, 3, 40, 40, dtype=torch.uint8)
    picture[0, :, 10:20, 30:40] = 255  # row 1, column 3
    found = annotations(picture)[0]
    assert len(found) == GRID[0] * GRID[1]
    assert (found[7] > 1).all()
    others = torch.cat([found[:7], found[8:]])
    assert (others < 0).all()


def test_things_stand_as_one_reads_and_are_painted_in_their_cells() -> None:
    draws = np.random.default_rng(3)
    for _ in range(20):
        shown = board(draws)
        one, other = shown.things
        assert one.cell < other.cell
        assert (one.colour, one.noun) != (other.colour, other.noun)
        for thing in shown.things:
            row, column = divmod(thing.cell, GRID[1])
            middle = shown.pixels[:, 10 * row + 5, 10 * column + 5].tolist()
            assert middle == pytest.approx(thing.light, abs=3)
        assert shown.captions[0].startswith(f"a {one.colour} {one.noun} and")


def test_the_network_learns_to_name_what_it_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_describing, "_BOARDS", 24)
    losses = []
    for steps in (2, 60):
        network, shown = _describing.captioner("show_attend_tell", steps), board
        first = shown(np.random.default_rng(0))
        words = _describing.encoded(first.captions[0])[None]
        given = torch.cat([torch.full((1, 1), START), words[:, :-1]], dim=1)
        y, _ = bound(network, first)(given)
        valid = torch.ones_like(words, dtype=torch.bool)
        losses.append(network.objective(y, words, valid).terms["nats_per_word"].item())
    assert losses[1] < 0.6 * losses[0]


def test_a_place_is_its_cell_and_where_that_is() -> None:
    picture = torch.randint(256, (2, 3, 40, 40), dtype=torch.uint8)
    found = _looking.places(picture)
    where = torch.tensor([0, 1, 0, 0, 0, 0, 1, 0])  # row 1, column 2
    assert torch.equal(found[1, 6, -8:], _looking._PLACED * where)
    cell = annotations(picture)[1, 6].view(1, 3, 10, 10)
    assert torch.allclose(found[1, 6, :-8], F.avg_pool2d(cell, 2).flatten())


def test_hard_attention_begins_with_what_soft_attention_has_learnt() -> None:
    soft, hard = (_looking.looker(name, 0) for name in (_looking.SOFT, _looking.HARD))
    learnt = hard.state_dict()
    assert learnt.keys() - soft.state_dict().keys() == {"baseline"}
    assert all(torch.equal(learnt[name], value) for name, value in soft.state_dict().items())


def test_no_state_knows_the_board_before_a_place_is_looked_at() -> None:
    network = _looking.looker(_looking.SOFT, 2)
    model = network.given(network.remember(torch.randn(2, 16, 83)))
    h, c = model.initial_state(2)
    assert torch.equal(h[0], h[1])
    assert torch.equal(c[0], c[1])


def seen(shown: _describing.Board, *, places: list[int], words: str) -> Looked:
    weights = F.one_hot(torch.tensor(places), 16).float()
    return Looked(shown, words.split(), [1.0] * len(places), weights, weights)


def test_what_is_right_is_counted() -> None:
    shown = board(np.random.default_rng(0))
    one, other = (thing.cell for thing in shown.things)
    said, turned = shown.captions
    right = seen(shown, places=[0, one, one, 0, 0, other, other], words=said)
    wrong = seen(shown, places=[0, other, one, 0, 0, one, one], words=turned)
    short = Looked(shown, [], [], torch.zeros(0, 16), torch.zeros(0, 16))
    assert _looking.tally([right]) == (1, 1, 4, 4)
    assert _looking.tally([right, wrong]) == (1, 2, 5, 8)
    assert _looking.tally([short]) == (0, 1, 0, 4)
    assert "1 of 2 unseen boards named right" in str(_looking.tally([right, wrong]))


@pytest.fixture
def _small(_hardly_trained: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Boards of four cells and things of two colours, which are learnt in a few seconds."""
    two = {name: _describing.COLOURS[name] for name in ("red", "blue")}
    for name, value in {"COLOURS": two, "GRID": (2, 2), "_SIDE": 20}.items():
        monkeypatch.setattr(_describing, name, value)
    for module in (_looking, hard_attention):
        monkeypatch.setattr(module, "GRID", (2, 2))
    for name, value in {"_BOARDS": 150, "UNSEEN": 100, "_SEED": 0}.items():
        monkeypatch.setattr(_looking, name, value)


def shares(name: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[float]]:
    """Draw a figure, and return what it says was named right and looked at, network by network."""
    for figure in (soft_attention, hard_attention):
        monkeypatch.setattr(figure, "STEPS", steps)
    said = drawing.drawn(name).texts[1].get_text()
    found = {}
    for line in said.splitlines():
        counts = [int(a) / int(b) for a, b in re.findall(r"(\d+) of (\d+)", line)]
        found[line.split(":")[0]] = counts
    return found


@pytest.mark.usefixtures("_small")
def test_attention_names_what_it_has_not_seen_and_looks_at_what_it_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = shares("hard_attention", 120, monkeypatch)
    assert list(found) == ["soft", "hard"]
    assert min(*found["soft"], *found["hard"]) >= 0.8
    alone = shares("soft_attention", 120, monkeypatch)
    assert found["soft"] in alone.values()


@pytest.mark.usefixtures("_small")
def test_the_counts_of_a_network_that_has_not_learnt_are_low(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = shares("hard_attention", 5, monkeypatch)
    assert max(*found["soft"], *found["hard"]) < 0.8


def test_of_what_is_seen_alone_nothing_else_is_left() -> None:
    shown = board(np.random.default_rng(0))
    left = hard_attention.only(shown, F.one_hot(torch.tensor(6), 16)).pixels
    assert torch.equal(left[:, 10:20, 20:30], shown.pixels[:, 10:20, 20:30])
    left[:, 10:20, 20:30] = hard_attention._PAPER
    assert (left == hard_attention._PAPER).all()


def test_the_tree_is_what_beam_search_does() -> None:
    found = caption_search.search()
    network = _describing.captioner("show_attend_tell", caption_search.STEPS)
    beam = beam_search(
        bound(network, caption_search.orange_board()),
        torch.tensor([[START]]),
        max_length=_describing.CAPTION_LENGTH,
        stop=END,
        beam_size=caption_search.BEAM_SIZE,
    )
    lengths = beam.lengths[0].tolist()
    said = [
        tuple(WORDS[token] for token in tokens[:length])
        for tokens, length in zip(beam.tokens[0].tolist(), lengths, strict=True)
    ]
    assert found.found == said
    scores = [found.log_probabilities[prefix] for prefix in said]
    assert scores == pytest.approx(beam.log_probabilities[0].tolist())
    for dropped in found.dropped:
        kept = found.kept[len(dropped) - 1]
        assert dropped not in kept
        assert dropped[:-1] in [(), *found.kept[len(dropped) - 2]]
