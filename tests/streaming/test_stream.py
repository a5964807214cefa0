"""Streams: the same answers as the whole sequence, for any module, kept across a file."""

from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from unrolled.cells import LSTM, ConvLSTM
from unrolled.errors import ConfigError, ReaderError, ShapeError, StateError
from unrolled.layers import CausalConv1d, CausalSelfAttention, Serial
from unrolled.recurrence import Recurrence
from unrolled.state import leaves, map_leaves, time_steps
from unrolled.streaming import Stream
from unrolled.testing.case import Case
from unrolled.testing.compare import STEP_TOLERANCE, assert_trees_close
from unrolled.testing.examples import EXAMPLES, Example


def pushed(stream: Stream, x, stride: int):
    outputs = [map_leaves(torch.clone, stream.push(x_t)) for x_t in time_steps(x, stride)]
    return map_leaves(lambda *row: torch.stack(row, 1), *outputs)


def case_of(example: Example) -> Case:
    module, x = example.build(), example.x()
    context = example.context(module, len(x)) if example.context else None
    return Case.of(module, x, context, torch.float32)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_stream_says_what_the_whole_sequence_says(example: Example, tmp_path: Path) -> None:
    case = case_of(example)
    expected, _ = case.bound(case.x)
    stride, half = case.module.stride, case.num_steps // 2 // case.module.stride
    stream, path = Stream(case.bound), tmp_path / "stream.safetensors"
    frames = time_steps(case.x, stride)
    outputs = [map_leaves(torch.clone, stream.push(x_t)) for x_t in frames[:half]]
    stream.save(path)
    resumed = Stream(case.bound)
    resumed.load(path)
    for x_t in frames[half:]:
        y_t = map_leaves(torch.clone, resumed.push(x_t))
        assert_trees_close("stream", "y_t", y_t, stream.push(x_t), {torch.float32: 0})
        outputs.append(y_t)
    y = map_leaves(lambda *row: torch.stack(row, 1), *outputs)
    assert_trees_close("stream", "y", y, expected, STEP_TOLERANCE)
    assert resumed.steps.tolist() == [len(frames)] * case.batch_size


def test_streams_side_by_side_go_their_own_ways() -> None:
    cell, x = LSTM(3, 5).eval(), torch.randn(3, 4, 3)
    stream = Stream(cell)
    stream.push(x[:, 0])
    rows = torch.tensor([2, 0])
    y_t = stream.push(x[rows, 1], rows=rows)
    stream.reset(torch.tensor([0]))
    last = stream.push(x[:, 2])
    assert torch.allclose(y_t[0], cell(x[2:, :2])[0][0, -1], atol=1e-6)
    assert torch.allclose(last[0], cell(x[:1, 2:3])[0][0, -1], atol=1e-6), "row 0 began anew"
    skipped = torch.stack([x[1, 0], x[1, 2]])[None]
    assert torch.allclose(last[1], cell(skipped)[0][0, -1], atol=1e-6), "row 1 missed a frame"
    assert stream.steps.tolist() == [1, 2, 3]


def test_a_reset_stream_begins_anew_even_from_nan() -> None:
    cell, x = LSTM(3, 5).eval(), torch.randn(2, 3)
    stream = Stream(cell)
    stream.push(torch.full((2, 3), torch.nan))
    stream.reset()
    assert stream.steps.tolist() == [0, 0]
    assert torch.equal(stream.push(x), Stream(cell).push(x))


def test_the_modules_own_tensors_are_never_written() -> None:
    class LearnedStart(Recurrence):
        """Hands its own parameter out as the initial state, and steps in place."""

        def __init__(self) -> None:
            super().__init__()
            self.start = torch.nn.Parameter(torch.ones(1, 3))

        def initial_state(self, batch_size):
            return self.start.expand(batch_size, 3)

        def step(self, x_t, state):
            return state + x_t, state + x_t

        def step_(self, x_t, state):
            return state.add_(x_t), state

    module = LearnedStart().eval()
    Stream(module).push(torch.ones(1, 3))
    assert module.start.tolist() == [[1, 1, 1]]


def test_a_ring_of_any_age_equals_the_whole() -> None:
    attention = Serial(CausalSelfAttention(6, 2, window=3), CausalSelfAttention(6, 3, window=5))
    x = torch.randn(2, 31, 6)
    y = pushed(Stream(attention.eval()), x, 1)
    assert torch.allclose(y, attention(x)[0], atol=1e-5)


def test_a_stream_takes_blocks_where_there_is_a_stride() -> None:
    conv = CausalConv1d(3, 5, kernel_size=3, stride=2).eval()
    x = torch.randn(2, 8, 3)
    assert torch.allclose(pushed(Stream(conv), x, 2), conv(x)[0], atol=1e-6)


class Frame(NamedTuple):
    rgb: Tensor
    flow: Tensor


class Sum(Recurrence):
    def state_like(self, x_t):
        return torch.zeros(len(x_t.rgb), x_t.flow.shape[-1])

    def step(self, x_t, state):
        state = state + x_t.rgb + x_t.flow
        return state, state


def test_frames_of_several_parts_survive_a_file(tmp_path: Path) -> None:
    stream = Stream(Sum().eval())
    frame = Frame(torch.ones(2, 3), torch.ones(2, 3))
    stream.push(frame)
    stream.save(tmp_path / "s.safetensors")
    resumed = Stream(Sum().eval())
    resumed.load(tmp_path / "s.safetensors")
    assert resumed.push(frame).tolist() == [[4.0] * 3] * 2


def test_frames_may_lie_anyhow_and_are_not_kept() -> None:
    torch.manual_seed(0)
    cell, x = LSTM(5, 7).eval(), torch.randn(2, 6, 5)
    with torch.no_grad():
        expected, _ = cell(x)
    frames = [
        x[:, 0].clone(),
        x[:, 1].t().contiguous().t(),  # columns side by side
        x[:, 2],  # every sixth row
        x[:, 3].clone().requires_grad_(),
        x[:, 4].clone(),
        x[:, 5].t().contiguous().t().requires_grad_(),
    ]
    stream = Stream(cell)
    for t, frame in enumerate(frames):
        y_t = stream.push(frame)
        assert torch.allclose(y_t, expected[:, t], atol=1e-6), t
        assert not y_t.requires_grad
        frame.data.zero_()  # its owner's to write over


def test_what_a_stream_refuses(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"call module.eval\(\) first"):
        Stream(LSTM(3, 5))
    stream = Stream(LSTM(3, 5).eval())
    with pytest.raises(StateError, match="push one first"):
        _ = stream.state
    with pytest.raises(StateError, match="first frame for every stream"):
        stream.push(torch.zeros(1, 3), rows=torch.tensor([0]))
    stream.push(torch.zeros(2, 3))
    with pytest.raises(ShapeError, match="a frame of 2 rows like the first"):
        stream.push(torch.zeros(3, 3))
    with pytest.raises(ShapeError, match="like the first"):
        stream.push(torch.zeros(2, 3, dtype=torch.float64))
    stream.save(tmp_path / "s.safetensors")
    other = Stream(LSTM(3, 7).eval())
    with pytest.raises(StateError, match="load it into the module that it was saved from"):
        other.load(tmp_path / "s.safetensors")
    with pytest.raises(ReaderError, match="nothing there"):
        other.load(tmp_path / "none.safetensors")


def test_a_stream_keeps_no_graph_and_shows_copies_of_its_state() -> None:
    stream = Stream(ConvLSTM(2, 3).eval())
    stream.push(torch.randn(1, 2, 5, 7))
    shown = stream.state
    assert not any(leaf.requires_grad for leaf in leaves(shown))
    shown.h.fill_(7)
    assert not (stream.state.h == 7).any()
