"""Every module of the tables computes on a device that is no CPU, with nothing left behind.

The device is ``elsewhere``, with CUDA's rules on placement: see ``tests/elsewhere.py``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests import elsewhere
from unrolled import fused
from unrolled.cells import LSTM
from unrolled.cells.lstm import LSTMState
from unrolled.layers import BatchNorm, Dropout
from unrolled.models import HardShowAttendTell
from unrolled.recurrence import Recurrence
from unrolled.state import Tree, map_leaves, named_leaves, to
from unrolled.streaming import Stream
from unrolled.testing.examples import EXAMPLES, Example, floats
from unrolled.testing.network_examples import NETWORK_EXAMPLES, NetworkExample

Case = tuple[Recurrence[Any, Any, Any, Any], Tensor, Tree | None]
STREAMED = [
    example
    for example in EXAMPLES
    if example.name
    in {
        *("lstm", "causal_conv_strided", "dropout", "conv_lstm", "causal_conv3d", "batch_norm"),
        *("causal_mean_pool", "running_mean", "self_attention", "tcn", "causal_small"),
    }
]  # each keeps its state in a way of its own
OTHER_IN_TRAINING = (Dropout, BatchNorm, HardShowAttendTell, nn.Dropout, nn.BatchNorm2d)
DRAWING = [
    example
    for example in EXAMPLES
    if any(isinstance(module, OTHER_IN_TRAINING) for module in example.build().modules())
]


@pytest.fixture(autouse=True)
def _plugged_in() -> Iterator[None]:
    with elsewhere.plugged_in():
        yield


def made(example: Example) -> Case:
    torch.manual_seed(0)
    module, x = example.build(), example.x()
    context = None if example.context is None else example.context(module, len(x))
    return module, x, None if context is None else map_leaves(torch.detach, context)


def moved(case: Case) -> Case:
    module, x, context = case
    module.zero_grad()
    context = None if context is None else to(context, device=elsewhere.NAME)
    return module.to(elsewhere.NAME), x.to(elsewhere.NAME), context


def gone_over(case: Case) -> dict[str, Tensor]:
    """Begin x, go on over rows of different lengths, and back; return all that came of it."""
    module, x, context = case
    bound = module if context is None else module.given(context)
    x = x.clone().requires_grad_() if x.is_floating_point() else x
    cut, lengths = module.stride, torch.full((len(x),), x.shape[1])
    lengths[0] = cut
    y, state = bound(x[:, :cut])
    ragged, last = bound(x, state, lengths=lengths)
    trees = {"y": y, "state": state, "ragged": ragged, "last": last}
    found = {path: leaf for name, tree in trees.items() for path, leaf in named(tree, name)}
    return with_gradients(found, {"x": x, **dict(module.named_parameters())})


def with_gradients(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    losses = [leaf.sum() for leaf in found.values() if leaf.requires_grad]
    if losses:
        torch.stack(losses).sum().backward()
    gradients = {
        f"gradient of {name}": leaf.grad for name, leaf in wanted.items() if leaf.grad is not None
    }
    return {name: leaf.detach() for name, leaf in (found | gradients).items()}


def named(tree: Tree, name: str) -> list[tuple[str, Tensor]]:
    # Clones: a native stream writes its next answer where the last one was.
    return [(path, leaf.clone()) for path, leaf in named_leaves(tree, name).items()]


def require_elsewhere(found: dict[str, Tensor]) -> None:
    assert [name for name, leaf in found.items() if leaf.device.type != elsewhere.NAME] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_a_module_computes_there(example: Example) -> None:
    module, x, context = made(example)
    require_elsewhere(gone_over(moved((module.eval(), x, context))))


@pytest.mark.parametrize("example", DRAWING, ids=lambda e: e.name)
def test_a_module_draws_there_as_it_learns(example: Example) -> None:
    module, x, context = made(example)
    require_elsewhere(gone_over(moved((module.train(), x, context))))


@pytest.mark.parametrize("example", STREAMED, ids=lambda e: e.name)
def test_a_stream_says_there_what_it_says_here(example: Example, tmp_path: Path) -> None:
    module, x, _ = made(example)
    module.eval()
    here = pushed(Stream(module), x, tmp_path / "here")
    module.to(elsewhere.NAME)
    there = pushed(Stream(module), x.to(elsewhere.NAME), tmp_path / "there")
    require_elsewhere(there)
    back = {name: leaf.cpu() for name, leaf in there.items()}
    torch.testing.assert_close(back, here, rtol=1e-4, atol=1e-5)


def pushed(stream: Stream[Any, Any, Any, Any], x: Tensor, path: Path) -> dict[str, Tensor]:
    """Push frames, one row begun anew, one pushed alone; save, load and go on."""
    stride = stream.module.stride
    frames = [x[:, 0], x[:, 1]] if stride == 1 else [x[:, :stride], x[:, stride : 2 * stride]]
    found = dict(named(stream.push(frames[0]), "first"))
    stream.reset(torch.tensor([1], device=x.device))
    found |= dict(named(stream.push(frames[1]), "anew"))
    found |= dict(named(stream.push(frames[1][:1], rows=torch.tensor([0], device=x.device)), "one"))
    stream.save(path)
    again = Stream(stream.module)
    again.load(path, device=x.device)
    return found | dict(named(again.push(frames[0]), "again")) | dict(named(again.state, "state"))


@pytest.mark.parametrize("example", NETWORK_EXAMPLES, ids=lambda e: e.name)
def test_a_network_computes_there(example: NetworkExample) -> None:
    network = example.build().eval().to(elsewhere.NAME)
    y = network(example.x().to(elsewhere.NAME))
    require_elsewhere(with_gradients({"y": y}, dict(network.named_parameters())))


def test_native_code_stands_aside() -> None:
    cell, x = LSTM(3, 5).eval(), torch.randn(2, 4, 3)
    cell(x)
    assert fused.answers(cell)[""].startswith("planned")
    cell.to(elsewhere.NAME)(x.to(elsewhere.NAME))
    assert fused.answers(cell)[""] == f"it runs on {elsewhere.NAME}"
    stream = Stream(cell)
    stream.push(x[:, 0].to(elsewhere.NAME))
    assert not stream.is_native


# What these tests are good for: modules that are right on a CPU, and nowhere else.


class BeginsHere(LSTM):
    def initial_state(self, batch_size: int) -> LSTMState:
        return LSTMState(torch.zeros(batch_size, 7), torch.zeros(batch_size, 7))


class StepsHere(Recurrence[tuple[()]]):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(5))

    def step(self, x_t: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        return self.weight * x_t + torch.zeros(5), state


class CountsHere(StepsHere):
    """Its state is not with its output, which no step minds."""

    def initial_state(self, batch_size: int) -> Tensor:
        return torch.zeros(batch_size)

    def step(self, x_t: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        return x_t * self.weight, state + 1


class DrawsHere(Recurrence[tuple[()]]):
    """Its draws are those of the CPU's generator, wherever it is."""

    def step(self, x_t: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        return x_t + torch.zeros_like(x_t).normal_(generator=torch.Generator()), state


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: BeginsHere(5, 7), "expected all tensors to be elsewhere"),
        (StepsHere, r"got \[\[5\]\] on the CPU"),
        (CountsHere, r"got \[\[3\], \[3\]\] on the CPU"),
        (DrawsHere, "expected a generator elsewhere"),
    ],
)
def test_what_stays_behind_is_found_out(build: Any, words: str) -> None:
    example = Example("broken", build, floats(3, 4, 5))
    gone_over(made(example))
    with pytest.raises(RuntimeError, match=words):
        test_a_module_draws_there_as_it_learns(example)
    with pytest.raises(AssertionError, match="y"):
        require_elsewhere({"y": torch.zeros(1)})
