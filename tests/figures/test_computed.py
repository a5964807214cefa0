"""The figures that are experiments: what they draw obeys the law that they are drawn for."""

import math

import pytest
import torch

from unrolled.diagnostics import lstm_gates
from unrolled.figures import clipping, gates, power_method, recall_by_lag, vanishing
from unrolled.tasks.recall import Recall


def test_the_surface_is_the_error_that_the_descent_goes_down() -> None:
    places, errors = clipping.descend(clip_norm=clipping.CLIP_NORM)
    for place, error in list(zip(places, errors, strict=True))[::7]:
        assert clipping.surface(place[:1], place[1:]).item() == pytest.approx(error.item(), 1e-12)


def test_the_clipped_descent_stays_near_where_the_other_is_thrown() -> None:
    def lengths(clip_norm: float) -> torch.Tensor:
        places, _ = clipping.descend(clip_norm=clip_norm)
        return (places[1:] - places[:-1]).norm(dim=1)

    longest = clipping.LEARNING_RATE * clipping.CLIP_NORM
    free, clipped = lengths(0), lengths(clipping.CLIP_NORM)
    assert clipped.max() <= longest * (1 + 1e-6)
    assert clipped.max() > 0.99 * longest  # it did meet the cliff
    assert free.max() > 80 * longest


def test_clipping_changes_the_length_of_a_step_and_not_its_direction() -> None:
    before = clipping.descend(clip_norm=0)[0]
    after = clipping.descend(clip_norm=0.01)[0]  # below any gradient on the way
    first, shortened = before[1] - before[0], after[1] - after[0]
    assert torch.cosine_similarity(first, shortened, dim=0) == pytest.approx(1, abs=1e-12)
    assert shortened.norm().item() == pytest.approx(clipping.LEARNING_RATE * 0.01, rel=1e-4)


@pytest.mark.parametrize("rho", vanishing.RHOS)
def test_the_linear_networks_gradient_is_the_power_of_rho(rho: float) -> None:
    expected = rho ** torch.arange(vanishing.MAX_LAG + 1, dtype=torch.float64)
    assert (vanishing.linear_norms(rho) / expected - 1).abs().max() <= 1e-12


def test_the_tanh_networks_gradient_vanishes_below_a_bound_that_grows() -> None:
    flow = vanishing.rnn_flow(num_draws=1)
    assert (flow.norms <= flow.bound * (1 + 1e-12)).all()
    assert flow.bound[-1] > 1 > 1e-12 > flow.norms[-1]


def test_the_forget_gates_bias_decides_what_an_lstm_remembers() -> None:
    shut, ajar, open_ = (vanishing.lstm_norms(bias, num_draws=1)[-1] for bias in (0.0, 1.0, 3.0))
    assert shut < 1e-3 * ajar
    assert ajar < 1e-3 * open_


@pytest.mark.parametrize("largest", power_method.LARGEST)
def test_the_direction_converges_at_the_rate_of_the_eigenvalues(largest: float) -> None:
    vectors = power_method.powers(power_method.matrix(largest), power_method.start())
    tangents = power_method.angles(vectors).tan()
    k = torch.arange(len(vectors), dtype=torch.float64)
    expected = power_method.RATIO**k * math.tan(power_method.START_ANGLE)
    assert (tangents / expected - 1).abs().max() <= 1e-9
    aside = power_method.RATIO**k * math.tan(power_method.START_ANGLE)
    along = largest**k * math.cos(power_method.START_ANGLE)
    assert (vectors.norm(dim=1) / (along * (1 + aside**2).sqrt()) - 1).abs().max() <= 1e-12


def test_the_powers_are_those_of_the_matrix() -> None:
    w, v = power_method.matrix(1.15), power_method.start()
    assert torch.linalg.eigvalsh(w).tolist() == pytest.approx([0.69, 1.15], rel=1e-12)
    for k, vector in enumerate(power_method.powers(w, v)):
        assert (torch.linalg.matrix_power(w, k) @ v - vector).abs().max() <= 1e-12


def test_the_gates_are_those_of_the_trained_network() -> None:
    model = gates.trained_model(num_steps=3)
    text = "the red circle grows.\n"
    cell, x = gates.cell_and_input(model, text)
    found = lstm_gates(cell, x)
    assert (found.hidden - cell(x)[0]).abs().max() <= 1e-6
    logits, _ = model.network(model.vocabulary.encode(text)[None])
    *_, scores = model.network.children()
    assert (scores(found.hidden)[0] - logits).abs().max() <= 1e-5


def test_units_are_ranked_by_how_they_move_with_a_signal() -> None:
    signal = torch.tensor([0.0, 1.0, 0.0, 0.0, 1.0, 0.0])
    noise = torch.tensor([0.0, 0.0, 1.0, 0.0, 1.0, 1.0])
    gate = torch.stack([noise, 1 - signal, torch.full((6,), 0.5), 0.2 + 0.1 * signal], dim=1)
    assert gates.ranked_units(gate, signal, 2).tolist() == [3, 1]


def test_the_gates_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    small = gates.trained_model(num_steps=3)
    monkeypatch.setattr(gates, "trained_model", lambda: small)
    assert [axes.get_title(loc="left") for axes in gates.draw().axes[:3]] == [
        "input gate",
        "forget gate",
        "output gate",
    ]


def test_recall_is_drawn_as_measured() -> None:
    results = [
        Recall(label, trained_on, lag, seed, accuracy=0.5 + 0.1 * seed)
        for label in recall_by_lag.LEARNERS
        for trained_on in ("this lag", "all lags")
        for lag in (2, 31)
        for seed in (0, 1)
    ]
    left, right = recall_by_lag.plot(results).axes
    for axes in (left, right):
        line = axes.containers[0].lines[0]
        assert line.get_xdata().tolist() == [2, 31]
        assert line.get_ydata().tolist() == pytest.approx([0.55, 0.55])
