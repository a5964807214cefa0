"""The layers against torch's, over every option: values, last states and all gradients."""

from itertools import product
from typing import Any

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence

from tests.nn.conftest import Counts
from tests.nn.pairs import (
    FORMS,
    KINDS,
    LENGTHS,
    assert_close,
    assert_same_form,
    draw,
    draw_state,
    gradients,
    pair,
    tensors_of,
)
from unrolled import nn
from unrolled.nn._steps import plan_of

LAYERS = [(1, False), (1, True), (2, False), (2, True)]


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "plain"])
@pytest.mark.parametrize(("num_layers", "bidirectional"), LAYERS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_values_and_gradients_are_torchs(
    kind: str, num_layers: int, bidirectional: bool, bias: bool, runs: list[Counts]
) -> None:
    for batch_first in (False, True):
        ours, theirs = pair(
            kind, num_layers, bias=bias, batch_first=batch_first, bidirectional=bidirectional
        )
        packed = "sorted" if batch_first else "unsorted"  # which batch_first is nothing to
        for form, with_state in product(("padded", "unbatched", packed), (False, True)):
            x = draw(form, batch_first)
            state = [draw_state(ours, form)] if with_state else []
            runs.clear()
            got, wanted = ours(x, *state), theirs(x, *state)
            assert_same_form(got, wanted)
            assert_close(tensors_of(got), tensors_of(wanted))
            assert_close(gradients(ours, got, x, *state), gradients(theirs, wanted, x, *state))
            # Forth and back, once for every layer and direction: this was not torch's own path.
            assert len(runs) == 2 * num_layers * (2 if bidirectional else 1)


@pytest.mark.parametrize("form", ["padded", "unsorted"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_dropout_between_layers_draws_torchs_masks(
    kind: str, bidirectional: bool, form: str, runs: list[Counts]
) -> None:
    ours, theirs = pair(kind, 3, dropout=0.4, bidirectional=bidirectional)
    x = draw(form)

    def seeded(layer: torch.nn.Module) -> tuple[Any, torch.Tensor]:
        torch.manual_seed(5)
        return layer(x), torch.rand(3)  # the draws that come after are the same too

    (got, after), (wanted, expected_after) = seeded(ours), seeded(theirs)
    assert_close(tensors_of(got), tensors_of(wanted))
    assert torch.equal(after, expected_after)
    assert_close(gradients(ours, got, x), gradients(theirs, wanted, x))
    other, _ = ours(x)
    assert not torch.equal(tensors_of((other, ()))[0], tensors_of(got)[0])  # new masks
    ours.eval(), theirs.eval()
    assert_close(tensors_of(ours(x)), tensors_of(theirs(x)))
    assert runs


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("sizes", [(1, 1), (2, 3), (3, 2), (64, 1), (1, 33), (40, 100)])
def test_any_size_is_planned(kind: str, sizes: tuple[int, int], runs: list[Counts]) -> None:
    ours = getattr(nn, kind)(*sizes)
    theirs = getattr(torch.nn, kind)(*sizes)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(6, 3, sizes[0])
    assert_close(tensors_of(ours(x)), tensors_of(theirs(x)))
    assert len(runs) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_frozen_parts_get_no_gradient(kind: str, runs: list[Counts]) -> None:
    ours, theirs = pair(kind, bidirectional=True)
    x = draw("unsorted")
    for layer in (ours, theirs):
        layer.weight_hh_l0.requires_grad_(False)
        layer.bias_ih_l0_reverse.requires_grad_(False)
        tensors_of(layer(x))[0].square().sum().backward()
    got = {name: p.grad for name, p in ours.named_parameters()}
    for name, parameter in theirs.named_parameters():
        assert (got[name] is None) == (parameter.grad is None)
        if parameter.grad is not None:
            assert_close([got[name]], [parameter.grad])
    assert runs


def test_without_gradients_the_values_are_the_same(runs: list[Counts]) -> None:
    ours, theirs = pair("LSTM", 2, bidirectional=True)
    x = draw("unsorted")
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            assert_close(tensors_of(ours(x)), tensors_of(theirs(x)))
    assert len(runs) == 2 * 4


def test_a_plan_made_in_inference_mode_trains(runs: list[Counts]) -> None:
    plan_of.cache_clear()
    ours, theirs = pair("GRU")
    x = draw("padded")
    with torch.inference_mode():
        ours(x)
    got, wanted = ours(x), theirs(x)
    assert_close(gradients(ours, got, x), gradients(theirs, wanted, x))
    assert len(runs) == 3


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["RNN", "GRU"])
def test_the_output_is_the_callers_to_overwrite(kind: str, form: str, runs: list[Counts]) -> None:
    ours, theirs = pair(kind)
    x = draw(form)
    found: list[list[torch.Tensor]] = []
    for layer in (ours, theirs):
        y, h = layer(x)
        data = y.data if isinstance(y, PackedSequence) else y
        data.mul_(3.0).relu_()
        h.mul_(2.0)
        found.append(gradients(layer, (data, h), x))
    assert_close(*found)
    assert runs


def test_a_packed_batch_costs_its_valid_steps(runs: list[Counts]) -> None:
    ours, _ = pair("LSTM", 2, bidirectional=True)
    x = draw("unsorted")
    ours(x)[0].data.sum().backward()
    assert runs == [tuple(x.batch_sizes.tolist())] * 8
    assert sum(runs[0]) == sum(LENGTHS) < max(LENGTHS) * len(LENGTHS)


def test_neither_input_nor_state_is_written(runs: list[Counts]) -> None:
    ours, _ = pair("LSTM", 2, bidirectional=True)
    x, (h, c) = torch.randn(5, 2, 3), draw_state(ours, "padded")
    before = [t.detach().clone() for t in (x, h, c, *ours.parameters())]
    y, _ = ours(x, (h, c))
    y.sum().backward()
    for now, then in zip((x, h, c, *ours.parameters()), before, strict=True):
        assert torch.equal(now, then)
    assert runs


def test_garbage_in_other_sequences_stays_there(runs: list[Counts]) -> None:
    ours, _ = pair("GRU", 2, bidirectional=True)
    x = draw("unsorted")
    clean = ours(x)
    data = x.data.detach().clone()
    longest = int(x.sorted_indices[0])
    rows = x.batch_sizes.cumsum(0) - x.batch_sizes  # where the longest sequence is in the data
    data[rows] = float("nan")
    got = ours(x._replace(data=data))
    keep = torch.ones(len(data), dtype=torch.bool)
    keep[rows] = False
    assert torch.equal(got[0].data[keep], clean[0].data[keep])
    assert got[0].data[~keep].isnan().all()
    others = [b for b in range(4) if b != longest]
    assert torch.equal(got[1][:, others], clean[1][:, others])
    assert runs
