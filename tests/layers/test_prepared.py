"""The prepared stream of a network against its own steps: same answers, same state, bounded."""

from functools import cache

import pytest
import torch
from torch import nn

from unrolled.kernels.trace import UnplannableError
from unrolled.layers import (
    BatchNorm,
    CausalConv3d,
    CausalMeanPool,
    PerFrame,
    Residual,
    Serial,
    SqueezeExcitation,
)
from unrolled.layers.prepared import PreparedStepper
from unrolled.models import CausalR2Plus1D, CausalSmall, CausalX3D
from unrolled.recurrence import Recurrence
from unrolled.state import named_leaves
from unrolled.streaming import Stream


def settled(network: Recurrence, size: int) -> Recurrence:
    """Give batch normalisation statistics, scales and shifts that would show."""
    generator = torch.Generator().manual_seed(3)
    for part in network.modules():
        if isinstance(part, BatchNorm):
            for tensor in (part.weight.data, part.running_var):
                tensor.uniform_(0.5, 1.5, generator=generator)
            for tensor in (part.bias.data, part.running_mean):
                tensor.uniform_(-0.5, 0.5, generator=generator)
    network.train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.randn(4, 5, 3, size, size))
    return network.eval()


NETWORKS = {
    "small": lambda: CausalSmall(5, widths=(4, 6, 8), hidden_size=7),
    "r2plus1d": lambda: CausalR2Plus1D(5, width=4),
    "x3d": lambda: CausalX3D(5, widths=(4, 6), depths=(1, 3), head_size=7, window=3),
    "dense": lambda: Serial(CausalConv3d(3, 5, kernel_size=(3, 3, 3), dilation=2)),
    "depthwise": lambda: Serial(CausalConv3d(3, 3, kernel_size=(2, 3, 3), groups=3)),
    "depthwise_dilated": lambda: Serial(
        CausalConv3d(3, 3, kernel_size=(3, 1, 1), dilation=2, groups=3, bias=False)
    ),
    "pointwise": lambda: Serial(CausalConv3d(3, 5, kernel_size=(1, 1, 1), bias=False)),
    "pointwise_strided": lambda: Serial(
        CausalConv3d(3, 5, kernel_size=(2, 1, 1), spatial_stride=2),
        CausalConv3d(5, 5, kernel_size=(2, 1, 1), spatial_stride=3, groups=5),
    ),
    "pointwise_padded": lambda: Serial(
        CausalConv3d(3, 5, kernel_size=(2, 1, 1), spatial_padding=(1, 2)),
        CausalConv3d(5, 5, kernel_size=(2, 1, 1), spatial_padding=(2, 1), groups=5),
    ),
    "in_place": lambda: Serial(
        CausalConv3d(3, 3, kernel_size=(1, 1, 1)),
        Residual(
            Serial(CausalConv3d(3, 3, kernel_size=(3, 1, 1))),
            Serial(PerFrame(nn.ReLU(inplace=True)), CausalConv3d(3, 3, kernel_size=(1, 1, 1))),
        ),
    ),
    "swishing": lambda: Serial(
        PerFrame(nn.SiLU()),  # of the caller's frame
        CausalConv3d(3, 4, kernel_size=(1, 1, 1)),
        PerFrame(SqueezeExcitation(4, 2)),
        CausalConv3d(4, 4, kernel_size=(1, 1, 1), bias=False),
        Residual(  # the way around needs what the swish is made of
            Serial(PerFrame(nn.SiLU()), CausalConv3d(4, 4, kernel_size=(1, 1, 1))),
        ),
        CausalConv3d(4, 3, kernel_size=(2, 1, 1)),
        PerFrame(nn.SiLU()),
        CausalConv3d(3, 3, kernel_size=(2, 1, 1)),  # keeps what the swish gives
        PerFrame(nn.SiLU()),
    ),
    "residual": lambda: Serial(
        Residual(Serial(CausalConv3d(3, 3, kernel_size=(2, 1, 1)), PerFrame(nn.ReLU()))),
        PerFrame(nn.ReLU()),
        CausalMeanPool(2),
    ),
}


@cache
def network_named(name: str) -> Recurrence:
    """Build a network once for the tests that only run it."""
    torch.manual_seed(0)
    return settled(NETWORKS[name](), 17)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_stream_gives_what_the_clip_gives(name: str, rows: int) -> None:
    network, x = network_named(name), torch.randn(rows, 11, 3, 17, 19)
    with torch.no_grad():
        expected, state = network(x)
    stream = Stream(network)
    y = torch.stack([stream.push(x_t) for x_t in x.unbind(1)], dim=1)
    assert stream.is_native
    assert (y - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert expected.std(1).max() > 1e-3 * expected.abs().max()  # it is not all bias
    for path, leaf in named_leaves(stream.state).items():
        wanted = named_leaves(state)[path]
        scale = wanted.abs().max() if wanted.numel() else 1
        assert torch.allclose(leaf, wanted, rtol=0, atol=1e-5 * float(scale)), path


def test_the_frame_and_what_a_module_gave_are_not_written_over() -> None:
    network = settled(NETWORKS["residual"](), 8)
    stream, x_t = Stream(network), torch.randn(1, 3, 8, 8)
    before = x_t.clone()
    first = stream.push(x_t)
    kept = first.clone()
    stream.push(torch.randn(1, 3, 8, 8))
    assert torch.equal(x_t, before)
    assert torch.equal(first, kept)


@pytest.mark.parametrize("name", ["dense", "depthwise", "residual"])
def test_a_frame_that_is_filled_anew_by_its_owner_was_kept_as_it_came(name: str) -> None:
    network, x = network_named(name), torch.randn(1, 6, 3, 17, 19)
    with torch.no_grad():
        expected, _ = network(x)
    stream = Stream(network)
    # As convolutions want it: what is laid out so already is not copied on the way.
    x_t = torch.empty(1, 3, 17, 19).to(memory_format=torch.channels_last)
    for t in range(6):
        y_t = stream.push(x_t.copy_(x[:, t]))
        assert (y_t - expected[:, t]).abs().max() <= 1e-5 * expected.abs().max()
        x_t.zero_()


def test_a_stepper_that_is_put_elsewhere_forgets_its_frames() -> None:
    network, x = network_named("dense"), torch.randn(1, 4, 3, 17, 19)
    fresh = network.state_like(x[:, 0])
    stepper = PreparedStepper(network, fresh)
    with torch.no_grad():
        first = [stepper(x_t) for x_t in x.unbind(1)]
        stepper.put(fresh)  # nobody has asked for its state in between
        again = [stepper(x_t) for x_t in x.unbind(1)]
    assert all(map(torch.equal, first, again))


def test_a_prepared_stream_is_saved_resumed_and_reset(tmp_path) -> None:
    network, x = network_named("small"), torch.randn(2, 6, 3, 17, 19)
    stream = Stream(network)
    for x_t in x[:, :3].unbind(1):
        stream.push(x_t)
    stream.save(tmp_path / "stream.safetensors")
    expected = stream.push(x[:, 3])
    again = Stream(network)
    again.load(tmp_path / "stream.safetensors")
    assert torch.equal(again.push(x[:, 3]), expected)
    again.reset(torch.tensor([1]))
    with torch.no_grad():
        y, _ = network(x[1:, 4:5])
    assert (again.push(x[:, 4])[1:] - y[:, 0]).abs().max() <= 1e-5 * y.abs().max()


@pytest.mark.parametrize("name", NETWORKS)
def test_rows_side_by_side_are_their_solo_runs_to_the_bit(name: str) -> None:
    network, x = network_named(name), torch.randn(5, 6, 3, 17, 19)
    together = Stream(network)
    alone = [Stream(network) for _ in range(5)]
    for x_t in x[:, :3].unbind(1):
        y = together.push(x_t)
        for row, stream in enumerate(alone):
            assert torch.equal(stream.push(x_t[row : row + 1]), y[row : row + 1])
    together.reset(torch.tensor([1, 4]))
    alone[1].reset()
    alone[4].reset()
    for t, some in ((3, [4, 0]), (4, [2]), (5, [0, 1, 2, 3, 4])):
        y = together.push(x[some, t], rows=torch.tensor(some))
        for place, row in enumerate(some):
            assert torch.equal(alone[row].push(x[row : row + 1, t]), y[place : place + 1])
    for path, leaf in named_leaves(together.state).items():
        solo = [named_leaves(stream.state)[path] for stream in alone]
        assert torch.equal(leaf, torch.cat(solo)), path


def test_what_cannot_be_prepared_says_why() -> None:
    def conv() -> CausalConv3d:
        return CausalConv3d(4, 4, kernel_size=(2, 3, 3), groups=2)

    for network, reason in (
        (Serial(PerFrame(nn.ReLU())), "no causal convolution"),
        (Serial(conv()).double(), "not float32"),
        (Serial(conv()), "groups of several channels"),
    ):
        state = network.state_like(torch.zeros(1, 4, 5, 5, dtype=torch.float32))
        with pytest.raises(UnplannableError, match=reason):
            PreparedStepper(network, state)
