"""Which path runs: torch's own, to the bit, wherever the native one does not fit."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from tests.kernels.machines import choose
from tests.nn.conftest import Counts
from tests.nn.pairs import (
    FORMS,
    KINDS,
    assert_close,
    assert_equal,
    assert_same_form,
    draw,
    draw_state,
    gradients,
    pair,
    tensors_of,
)
from unrolled import nn

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_without_the_native_library_it_is_torch(
    kind: str, form: str, runs: list[Counts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unrolled.kernels.native.available", lambda: None)
    ours, theirs = pair(kind, 2, bidirectional=True)
    x = draw(form)
    got, wanted = ours(x), theirs(x)
    assert_same_form(got, wanted)
    assert_equal(tensors_of(got), tensors_of(wanted))
    assert_equal(gradients(ours, got, x), gradients(theirs, wanted, x))
    assert not runs


def test_the_variable_turns_the_native_path_off(
    runs: list[Counts], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, _ = pair("GRU")
    x = draw("padded")
    ours(x)
    assert len(runs) == 1
    monkeypatch.undo()  # the count, and whatever stood in for a missing library
    choose("none", monkeypatch)
    ours(x)
    assert len(runs) == 1


CONTEXTS: dict[str, Callable[[], Any]] = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "default device": lambda: torch.device("cpu"),  # a mode that sees every call
    "forward gradients": torch.autograd.forward_ad.dual_level,
}


@pytest.mark.parametrize("name", CONTEXTS)
@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_in_these_contexts_it_is_torch(kind: str, name: str, runs: list[Counts]) -> None:
    ours, theirs = pair(kind)
    x = draw("padded")
    with CONTEXTS[name]():
        assert_equal(tensors_of(ours(x)), tensors_of(theirs(x)))
    assert not runs


INPUTS: dict[str, Callable[[], Any]] = {
    "three steps": lambda: torch.randn(3, 2, 3),
    "no sequence": lambda: torch.randn(5, 0, 3),
    "short packed": lambda: pack_sequence([torch.randn(3, 3), torch.randn(1, 3)]),
}


@pytest.mark.parametrize("name", INPUTS)
def test_with_these_inputs_it_is_torch(name: str, runs: list[Counts]) -> None:
    ours, theirs = pair("GRU")
    x = INPUTS[name]()
    got, wanted = ours(x), theirs(x)
    assert_same_form(got, wanted)
    assert_equal(tensors_of(got), tensors_of(wanted))
    assert not runs


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("kind", KINDS)
def test_in_another_dtype_it_is_torch(kind: str, dtype: torch.dtype, runs: list[Counts]) -> None:
    ours, theirs = (layer.to(dtype) for layer in pair(kind))
    x = torch.randn(5, 2, 3, dtype=dtype)
    assert_equal(tensors_of(ours(x)), tensors_of(theirs(x)))
    assert not runs


def test_under_function_transforms_it_is_torch(runs: list[Counts]) -> None:
    ours, theirs = pair("GRU")
    x = torch.randn(5, 2, 3)

    def loss(layer: torch.nn.Module) -> Callable[[dict[str, Tensor]], Tensor]:
        return lambda weights: torch.func.functional_call(layer, weights, (x,))[0].square().sum()

    found = [
        torch.func.grad(loss(layer))(dict(layer.named_parameters())) for layer in (ours, theirs)
    ]
    assert_equal(list(found[0].values()), list(found[1].values()))
    assert not runs


def test_functional_call_uses_the_given_weights(runs: list[Counts]) -> None:
    ours, theirs = pair("LSTM", 2, bidirectional=True)
    x = draw("unsorted")
    weights = {name: torch.randn_like(p) / 3 for name, p in ours.named_parameters()}
    got, wanted = (torch.func.functional_call(layer, weights, (x,)) for layer in (ours, theirs))
    assert_close(tensors_of(got), tensors_of(wanted))
    assert runs


@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_compiled_it_is_torch(kind: str, runs: list[Counts]) -> None:
    ours, theirs = pair(kind)
    x = torch.randn(5, 2, 3)
    with torch._dynamo.config.patch(allow_rnn=True):
        compiled = torch.compile(ours, backend="eager", fullgraph=True)
        got = compiled(x)
    assert_close(tensors_of(got), tensors_of(theirs(x)))
    assert not runs
    torch._dynamo.reset()


def test_in_a_compiled_model_it_is_torch(runs: list[Counts]) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), pair("GRU")[0])
    x = torch.randn(5, 2, 3)
    got = torch.compile(model, backend="eager")(x)  # torch breaks the graph at recurrent layers
    assert not runs
    assert_close(tensors_of(got), tensors_of(model(x)))
    assert len(runs) == 1
    torch._dynamo.reset()


BAD: dict[str, Callable[[torch.nn.RNNBase], tuple[Any, ...]]] = {
    "features": lambda _: (torch.zeros(5, 2, 9),),
    "axes": lambda _: (torch.zeros(5, 2, 3, 1),),
    "one axis": lambda _: (torch.zeros(3),),
    "dtype": lambda _: (torch.zeros(5, 2, 3).double(),),
    "no steps": lambda _: (torch.zeros(0, 2, 3),),
    "no tensor": lambda _: ([[1.0, 2.0, 3.0]],),
    "None": lambda _: (None,),
    "packed features": lambda _: (pack_sequence([torch.zeros(5, 9), torch.zeros(4, 9)]),),
    "state of another batch": lambda layer: (torch.zeros(5, 3, 3), draw_state(layer, "padded")),
    "state without batch": lambda layer: (torch.zeros(5, 2, 3), draw_state(layer, "unbatched")),
    "state with batch": lambda layer: (torch.zeros(5, 3), draw_state(layer, "padded")),
    "packed state": lambda layer: (draw("sorted"), draw_state(layer, "padded")),
    "packed counts": lambda _: (PackedSequence(torch.zeros(5, 3), torch.tensor([2, 2, 2, 1])),),
    "number as a state": lambda _: (torch.zeros(5, 2, 3), 1.0),
    "state of another dtype": lambda layer: (
        torch.zeros(5, 2, 3),
        torch.utils._pytree.tree_map(Tensor.double, draw_state(layer, "padded")),
    ),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_refused_in_torchs_words(kind: str, name: str, runs: list[Counts]) -> None:
    errors = []
    for layer in pair(kind, bidirectional=True):
        torch.manual_seed(0)
        with pytest.raises(Exception) as caught:  # noqa: PT011 -- whatever torch's is
            layer(*BAD[name](layer))
        errors.append((type(caught.value), str(caught.value)))
    assert errors[0] == errors[1]
    assert not runs


@pytest.mark.parametrize("kind", ["RNN", "GRU"])
def test_weights_of_a_wrong_shape_are_refused_in_torchs_words(
    kind: str, runs: list[Counts]
) -> None:
    errors = []
    for layer in pair(kind):
        layer.weight_hh_l0 = torch.nn.Parameter(torch.zeros(len(layer.weight_hh_l0), 9))
        with pytest.raises(RuntimeError) as caught:
            layer(draw("padded"))
        errors.append(str(caught.value))
    assert errors[0] == errors[1]
    assert not runs


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize(
    "options",
    [{"num_layers": 0}, {"dropout": 2.0}, {"bias": 1}, {"proj_size": 9}, {"nonlinearity": "sin"}],
    ids=str,
)
def test_bad_options_are_refused_in_torchs_words(kind: str, options: dict[str, Any]) -> None:
    with pytest.raises(Exception) as expected:  # noqa: PT011 -- whatever torch's is
        getattr(torch.nn, kind)(3, 5, **options)
    with pytest.raises(type(expected.value)) as got:
        getattr(nn, kind)(3, 5, **options)
    assert str(got.value) == str(expected.value)


def test_gradients_of_gradients_are_refused_not_wrong(runs: list[Counts]) -> None:
    ours, _ = pair("GRU")
    x = draw("padded")
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(ours(x)[0].sum(), x, create_graph=True)
    assert runs
