"""The loop: when it ends, what it leaves, and what stops it."""

import math
import os
import signal
import time

import pytest
import torch

from tests.training.runs import Pieces, model, squared_error, training
from unrolled.errors import ConfigError, NumericsError
from unrolled.training.optimizers import rate_at
from unrolled.training.options import TrainingOptions


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"epochs": 2}, 6),
        ({"max_steps": 5}, 5),
        ({"epochs": 1, "max_steps": 5}, 3),
        ({"max_steps": 40}, 40),  # further than the usual epochs go
        ({}, 30),
    ],
)
def test_the_nearest_limit_ends_the_run(options: dict, steps: int) -> None:
    run = training(**options)
    assert run.run()
    assert run.counters.step == steps


def test_minutes_end_a_run() -> None:
    run, began = training(epochs=10**6, max_minutes=0.01), time.monotonic()
    assert run.run()
    assert run.counters.step > 0
    assert time.monotonic() - began < 30


def test_the_weights_that_validated_best_are_left() -> None:
    network, figures, kept = model(), iter([3.0, 1.0, 2.0, 5.0, 4.0, 6.0]), []

    def validate(poll) -> float:
        poll()
        assert not network.training
        kept.append({k: v.clone() for k, v in network.state_dict().items()})
        return next(figures)

    told = []
    run = training(network, validate=validate, report=told.append, max_steps=12)
    assert run.run()
    assert run.counters.best == 1.0
    assert [p.validation for p in told if p.validation is not None] == [3, 1, 2, 5, 4, 6]
    assert all(torch.equal(v, kept[1][k]) for k, v in network.state_dict().items())
    assert not network.training


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "adagrad", "rmsprop"])
def test_every_optimizer_learns(optimizer: str) -> None:
    network, data = model(), Pieces()
    rate = {"sgd": 0.5, "adagrad": 0.1}.get(optimizer, 2e-2)
    before = squared_error(network(data.x)[0], data.target).item()

    def validate(_) -> float:
        return squared_error(network(data.x)[0], data.target).item()

    training(network, data, validate, optimizer=optimizer, learning_rate=rate, epochs=100).run()
    assert squared_error(network(data.x)[0], data.target).item() < 0.7 * before


def test_schedules_rise_and_fall() -> None:
    cosine = TrainingOptions(learning_rate=1.0, warm_up=0.1)
    rates = [rate_at(share, cosine) for share in (0.0, 0.05, 0.5, 1.0)]
    assert rates[0] == pytest.approx(0.05)
    assert rates[1] == pytest.approx(0.55 * (0.02 + 0.49 * (1 + math.cos(0.05 * math.pi))))
    assert rates[2] == pytest.approx(0.51)
    assert rates[3] == pytest.approx(0.02)
    steps = TrainingOptions(learning_rate=1.0, warm_up=0.0, schedule="steps")
    assert [rate_at(s, steps) for s in (0.4, 0.5, 0.8)] == pytest.approx([1, 0.1, 0.01])
    flat = TrainingOptions(learning_rate=1.0, warm_up=0.0, schedule="constant")
    assert rate_at(0.9, flat) == 1


def test_clipping_is_by_the_norm_and_not_by_its_square() -> None:
    """For g = (3, 4) and threshold 5 nothing changes; the sum of squares, 25, would clip."""
    network = torch.nn.Linear(2, 1, bias=False).double()
    network.weight.grad = torch.tensor([[3.0, 4.0]], dtype=torch.float64)
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    assert torch.allclose(network.weight.grad, torch.tensor([[3.0, 4.0]]).double(), atol=1e-5)
    seen = []
    network = model()
    run = training(
        network,
        loss_of=lambda y, target: 1e6 * squared_error(y, target),
        report=lambda p: p.loss and seen.append([q.grad.clone() for q in network.parameters()]),
        max_steps=1,
        clip_norm=0.5,
    )
    run.run()
    norm = math.sqrt(sum(float((gradient**2).sum()) for gradient in seen[0]))
    assert norm == pytest.approx(0.5, rel=1e-5)


def test_elements_can_be_clipped_by_value() -> None:
    network, seen = model(), []
    training(
        network,
        loss_of=lambda y, target: 1e6 * squared_error(y, target),
        report=lambda p: p.loss and seen.append([q.grad.clone() for q in network.parameters()]),
        max_steps=1,
        clip_norm=0.0,
        clip_value=0.25,
    ).run()
    assert max(float(gradient.abs().max()) for gradient in seen[0]) == 0.25


def test_a_bad_number_stops_before_the_update_and_says_where() -> None:
    network, data, weights = model(), Pieces(), []
    data.target[1, 5, 2] = math.inf  # in the second window
    run = training(
        network,
        data,
        report=lambda _: weights.append([p.detach().clone() for p in network.parameters()]),
    )
    with pytest.raises(NumericsError, match="at step 2, got infinity in loss; lower"):
        run.run()
    pairs = zip(network.parameters(), weights[-1], strict=True)
    assert all(torch.equal(p, kept) for p, kept in pairs)


def test_a_bad_number_in_the_input_names_its_streams() -> None:
    data = Pieces()
    data.x[1, 5, 2] = math.nan
    with pytest.raises(NumericsError, match=r"NaN \(1 of 24\) in input x, streams \[1\]"):
        training(data=data).run()


def test_a_bad_window_can_be_skipped_and_its_state_is_not_carried() -> None:
    network, data = model(), Pieces()
    data.x[1, 5, 2] = math.nan
    run = training(network, data, epochs=3, on_bad_number="skip")
    assert run.run()
    assert (run.counters.step, run.counters.skipped) == (6, 3)
    assert all(bool(p.isfinite().all()) for p in network.parameters())


def test_a_bad_weight_stops_even_where_windows_are_skipped() -> None:
    network = model()
    with torch.no_grad():
        network.get_submodule("0").weight_hh[3, 2] = math.inf
    with pytest.raises(NumericsError, match=r"infinity \(1 of 196\) in weight 0.weight_hh"):
        training(network, on_bad_number="skip").run()


def test_a_validation_that_is_not_a_number_stops() -> None:
    with pytest.raises(NumericsError, match="a finite figure in validation, got nan"):
        training(validate=lambda _: math.nan).run()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_between_steps(number: int) -> None:
    def interrupt(progress) -> None:
        if progress.step == 2:
            os.kill(os.getpid(), number)

    run = training(report=interrupt, epochs=100)
    before = signal.getsignal(number)
    assert not run.run()
    assert run.counters.step == 2
    assert signal.getsignal(number) == before


def test_a_second_signal_stops_at_once() -> None:
    def interrupt(progress) -> None:
        if progress.step == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        training(report=interrupt, epochs=100).run()


def test_a_signal_during_validation_is_obeyed_there() -> None:
    def validate(poll) -> float:
        os.kill(os.getpid(), signal.SIGTERM)
        poll()
        raise AssertionError("the stop was not obeyed")

    assert not training(validate=validate).run()


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("epochs", 0, "epochs above 0"),
        ("window", -1, "window above 0"),
        ("max_minutes", 0.0, "max_minutes above 0"),
        ("learning_rate", math.nan, "learning_rate above 0"),
        ("clip_norm", -1.0, "clip_norm of at least 0"),
        ("backward_steps", 65, "backward_steps a multiple of the window 64"),
    ],
)
def test_impossible_options_are_refused(option: str, value: float, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        TrainingOptions(**{option: value})
