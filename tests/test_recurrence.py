"""The protocol itself: what forward refuses, what it promises, contexts, limits."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn.utils.parametrizations import weight_norm

from unrolled.cells import LSTM
from unrolled.context import group_rows, repeat_rows
from unrolled.errors import ContextError, DtypeError, ShapeError, StateError
from unrolled.layers import CausalConv1d, Linear, Serial
from unrolled.models import ShowAttendTell
from unrolled.recurrence import Recurrence, Supports
from unrolled.testing import check_recurrence


class Clip(NamedTuple):
    frames: Tensor
    sound: Tensor


class Fused(NamedTuple):
    sum: Tensor
    loudest: Tensor


class TwoSenses(Recurrence):
    """Takes a NamedTuple, returns a NamedTuple, and remembers the loudest sound."""

    def state_like(self, x_t):
        return x_t.sound.new_full((len(x_t.sound), 1), -1e3)

    def step(self, x_t, state):
        loudest = torch.maximum(state, x_t.sound.amax(-1, keepdim=True))
        return Fused(x_t.frames.sum((1, 2)) + x_t.sound.sum(-1), loudest), loudest


def test_inputs_and_outputs_may_be_named_tuples() -> None:
    clip = Clip(torch.randn(3, 5, 2, 7), torch.randn(3, 5, 11))
    y, state = TwoSenses()(clip)
    assert y.sum.shape == (3, 5)
    assert torch.equal(y.loudest[:, -1], state)
    check_recurrence(TwoSenses(), clip)


def test_parts_of_an_input_must_share_batch_and_time() -> None:
    with pytest.raises(ShapeError, match=r"frames \[3, 5, 2\], sound \[3, 4, 2\]"):
        TwoSenses()(Clip(torch.randn(3, 5, 2), torch.randn(3, 4, 2)))


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.zeros(3), r"x of shape \[B, T, ...\]"),
        (torch.zeros(3, 0, 5), "got T=0"),
        (torch.zeros(3, 2, 4), r"x of shape \[B, T, C=5\], got \[3, 2, 4\]"),
    ],
)
def test_a_wrong_shape_is_named(x: Tensor, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        LSTM(5, 7)(x)


def test_a_chunk_that_is_no_multiple_of_the_stride_is_refused() -> None:
    conv = CausalConv1d(5, 7, kernel_size=2, stride=3)
    with pytest.raises(ShapeError, match="multiple of the stride 3, got T=4; cut chunks"):
        conv(torch.zeros(2, 4, 5))
    with pytest.raises(ShapeError, match="lengths that are multiples of stride = 3"):
        conv(torch.zeros(2, 6, 5), lengths=torch.tensor([3, 4]))
    reset = torch.zeros(2, 6, dtype=torch.bool)
    reset[1, 2] = True
    with pytest.raises(
        ShapeError, match="resets at multiples of stride = 3, got a reset at step 2"
    ):
        conv(torch.zeros(2, 6, 5), reset=reset)


def test_another_dtype_than_the_parameters_is_refused() -> None:
    with pytest.raises(DtypeError, match=r"torch.float32.*got torch.float64; convert"):
        LSTM(5, 7)(torch.zeros(2, 3, 5, dtype=torch.float64))


def test_a_state_of_another_batch_is_refused() -> None:
    cell = LSTM(5, 7)
    with pytest.raises(StateError, match=r"state of 3 rows.*got h of shape \[2, 7\]"):
        cell(torch.zeros(3, 4, 5), cell.initial_state(2))


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        (torch.tensor([1.0, 2.0]), "lengths of integers"),
        (torch.tensor([1]), "lengths of integers"),
        (torch.tensor([1, 4]), r"between 0 and T=3, got \[1, 4\]"),
        (torch.tensor([-1, 1]), "between 0 and T=3"),
    ],
)
def test_impossible_lengths_are_refused(lengths: Tensor, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        LSTM(5, 7)(torch.zeros(2, 3, 5), lengths=lengths)


def test_a_reset_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(ShapeError, match="reset of bool"):
        LSTM(5, 7)(torch.zeros(2, 3, 5), reset=torch.zeros(2, 3))


def test_forward_is_final() -> None:
    with pytest.raises(TypeError, match="Own: forward is final; write step or scan"):

        class Own(Recurrence):
            def forward(self, x, state=None):
                return x, state


def test_a_module_must_write_step_or_scan() -> None:
    class Nothing(Recurrence):
        pass

    with pytest.raises(TypeError, match="Nothing must define step"):
        Nothing()


def test_a_state_sized_by_the_frame_says_so() -> None:
    from unrolled.cells import ConvLSTM

    with pytest.raises(StateError, match=r"ConvLSTM's state depends on.*call state_like"):
        ConvLSTM(2, 3).initial_state(5)


def decoder() -> ShowAttendTell:
    return ShowAttendTell(11, 7, embedding_size=3, hidden_size=5, attention_size=2)


def test_a_missing_or_foreign_context_is_named() -> None:
    with pytest.raises(ContextError, match=r"a bound Memory, got none; call module.given"):
        decoder()(torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(ContextError, match="a context of ShowAttendTell: Memory, got Clip"):
        decoder().given(Clip(torch.zeros(1), torch.zeros(1)))
    with pytest.raises(ContextError, match="a context of LSTM: none, got Clip"):
        LSTM(5, 7).given(Clip(torch.zeros(1), torch.zeros(1)))


def test_a_batch_must_be_a_multiple_of_the_context_rows() -> None:
    module = decoder()
    bound = module.given(module.remember(torch.randn(2, 13, 7)))
    with pytest.raises(ContextError, match="a context of N=2, got B=3"):
        bound(torch.zeros(3, 4, dtype=torch.int64))


def test_binding_shares_parameters_and_leaves_the_module_unbound() -> None:
    module = decoder()
    bound = module.given(module.remember(torch.randn(2, 13, 7)))
    assert [id(p) for p in bound.parameters()] == [id(p) for p in module.parameters()]
    with pytest.raises(ContextError):
        _ = module.context
    y, _ = bound(torch.zeros(2, 3, dtype=torch.int64))
    y.logits.sum().backward()
    assert module.key.weight.grad is not None, "the gradient reaches the keys' maker"


def test_a_series_hands_the_context_to_the_layer_that_takes_it() -> None:
    module = decoder()

    class Tokens(Recurrence):
        def scan(self, x, state):
            return x.argmax(-1), state

    series = Serial(Linear(5, 11), Serial(Tokens(), module))
    memory = module.remember(torch.randn(2, 13, 7))
    x = torch.randn(4, 6, 5)
    y, _ = series.given(memory)(x)
    tokens = series.layers[0](x)[0].argmax(-1)
    expected, _ = module.given(memory)(tokens)
    assert torch.equal(y.logits, expected.logits)
    kept = series.given(memory).rows(torch.tensor([1]))
    assert torch.allclose(kept(x[2:])[0].logits, y.logits[2:], atol=1e-6)


def test_a_context_is_bound_beside_layers_with_parametrizations() -> None:
    class Logits(Recurrence):
        def scan(self, x, state):
            return x.logits, state

    module = decoder()
    series = Serial(module, Logits(), weight_norm(Linear(11, 5)))
    memory = module.remember(torch.randn(2, 13, 7))
    bound = series.given(memory)
    y, _ = bound(torch.randint(11, (2, 3)))
    y.sum().backward()
    gain = series.layers[2].parametrizations.weight.original0
    assert y.shape == (2, 3, 5)
    assert gain.grad is not None


def test_rows_group_and_repeat_consecutively() -> None:
    assert group_rows(torch.arange(6), 2).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert repeat_rows(torch.tensor([3, 5]), 4).tolist() == [3, 3, 5, 5]


def test_limits_add_up() -> None:
    limited = Supports(training="batch statistics", gradient=True)
    assert Supports() & limited == limited
    assert (Supports(gradient="rounds") & limited).gradient == "rounds"


def test_resets_past_a_length_did_not_happen() -> None:
    cell, x = LSTM(5, 7), torch.randn(2, 4, 5)
    reset = torch.zeros(2, 4, dtype=torch.bool)
    reset[0, 3] = True
    _, state = cell(x, lengths=torch.tensor([2, 4]), reset=reset)
    _, expected = cell(x, lengths=torch.tensor([2, 4]))
    assert torch.equal(state.c, expected.c)


def test_autocast_keeps_the_state_in_float32() -> None:
    cell = LSTM(5, 7)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, state = cell(torch.randn(2, 3, 5))
    assert state.c.dtype == torch.float32
    assert y.dtype == torch.float32
