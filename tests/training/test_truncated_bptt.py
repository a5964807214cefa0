"""The loop: what is carried, what is cut, when it ends, and what is left in the model."""

import copy
import math
import time

import pytest
import torch
from torch import Tensor

from unrolled.cells import LSTM
from unrolled.errors import ConfigError, NumericsError
from unrolled.layers import Linear, Serial
from unrolled.state import detach
from unrolled.training.options import TrainingOptions
from unrolled.training.truncated_bptt import Chunk, Result, train

WINDOWS = (4, 4, 3)


class Pieces:
    """One stream of 11 steps in three windows."""

    def __init__(self) -> None:
        self.x, self.target = torch.randn(2, 11, 3).double(), torch.randn(2, 11, 5).double()

    def __len__(self) -> int:
        return len(WINDOWS)

    def __iter__(self):
        parts = zip(self.x.split(WINDOWS, 1), self.target.split(WINDOWS, 1), strict=True)
        for number, (x, target) in enumerate(parts):
            yield Chunk(x, target, begins=number == 0)


def squared_error(y: Tensor, target: Tensor) -> Tensor:
    return ((y - target) ** 2).mean()


def model() -> Serial:
    return Serial(LSTM(3, 7), Linear(7, 5)).double()


def run(network: Serial, data=None, validate=lambda: 1.0, report=lambda _: None, **options):
    data = data or Pieces()
    return train(network, data, squared_error, validate, TrainingOptions(**options), report=report)


def test_the_gradient_is_that_of_the_graph_cut_at_the_windows() -> None:
    network, data, seen = model(), Pieces(), []
    weights, chunks = [copy.deepcopy(network.state_dict())], list(data)

    def remember(_) -> None:
        seen.append([p.grad.clone() for p in network.parameters()])
        weights.append(copy.deepcopy(network.state_dict()))

    run(network, data, report=remember, max_steps=3, clip_norm=1e9)
    twin, state = model(), None
    for number, chunk in enumerate(chunks):
        twin.load_state_dict(weights[number])
        y, state = twin(chunk.x, None if state is None else detach(state))
        grads = torch.autograd.grad(squared_error(y, chunk.target), list(twin.parameters()))
        for got, expected in zip(seen[number], grads, strict=True):
            assert (got - expected).abs().max() <= 1e-10


def test_a_new_epoch_starts_without_the_old_state() -> None:
    class Spy(Serial):
        calls: list[bool]

        def state_like(self, x_t):
            self.calls.append(True)
            return super().state_like(x_t)

    network = Spy(LSTM(3, 7), Linear(7, 5)).double()
    network.calls = []
    run(network, epochs=2)
    assert len(network.calls) == 2


@pytest.mark.parametrize(
    ("options", "steps"),
    [({"epochs": 2}, 6), ({"max_steps": 5}, 5), ({"epochs": 1, "max_steps": 5}, 3)],
)
def test_the_nearest_limit_ends_the_run(options: dict, steps: int) -> None:
    assert run(model(), **options).steps == steps


def test_minutes_end_a_run() -> None:
    began = time.monotonic()
    result = run(model(), epochs=10**6, max_minutes=0.01)
    assert result.steps > 0
    assert time.monotonic() - began < 30


def test_the_weights_that_validated_best_are_left() -> None:
    network, figures, kept = model(), iter([3.0, 1.0, 2.0, 5.0, 4.0, 6.0]), []

    def validate() -> float:
        assert not network.training
        kept.append({k: v.clone() for k, v in network.state_dict().items()})
        return next(figures)

    result = run(network, validate=validate, max_steps=12)
    assert result.best == 1.0
    assert [p.validation for p in result.validations] == [3, 1, 2, 5, 4, 6]
    assert all(torch.equal(v, kept[1][k]) for k, v in network.state_dict().items())
    assert not network.training


def test_it_learns() -> None:
    network, data = model(), Pieces()
    before = squared_error(network(data.x)[0], data.target).item()
    run(
        network,
        data,
        validate=lambda: squared_error(network(data.x)[0], data.target).item(),
        epochs=200,
        learning_rate=2e-2,
    )
    assert squared_error(network(data.x)[0], data.target).item() < 0.3 * before


def test_a_number_that_is_not_finite_stops_before_the_update() -> None:
    network, data = model(), Pieces()
    data.target[1, 5, 2] = math.inf  # in the second window
    weights = []
    with pytest.raises(NumericsError, match="at step 2; lower the learning rate"):
        run(
            network,
            data,
            report=lambda _: weights.append([p.detach().clone() for p in network.parameters()]),
        )
    assert all(
        torch.equal(p, kept) for p, kept in zip(network.parameters(), weights[-1], strict=True)
    )


def test_ctrl_c_ends_the_run_and_leaves_a_model_that_was_validated() -> None:
    def interrupt(progress) -> None:
        if progress.step == 2:
            raise KeyboardInterrupt

    result = run(model(), report=interrupt)
    assert result.interrupted
    assert result.best == 1.0
    assert isinstance(result, Result)


@pytest.mark.parametrize(
    ("option", "value"),
    [("epochs", 0), ("window", -1), ("max_minutes", 0.0), ("learning_rate", math.nan)],
)
def test_impossible_options_are_refused(option: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{option} above 0"):
        TrainingOptions(**{option: value})
