"""Pairs of layers, torch's and ours, on the same weights; inputs in every form; comparisons."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from unrolled import nn

C, D, P = 3, 7, 2
LENGTHS = (4, 7, 1, 6)


class Kind(NamedTuple):
    """A class of torch.nn by name, and what makes it of this kind."""

    name: str
    options: dict[str, Any]


KINDS = {
    "RNN": Kind("RNN", {}),
    "RNN-relu": Kind("RNN", {"nonlinearity": "relu"}),
    "GRU": Kind("GRU", {}),
    "LSTM": Kind("LSTM", {}),
    "LSTM-proj": Kind("LSTM", {"proj_size": P}),
}
FORMS = ("padded", "sorted", "unsorted", "unbatched")


def pair(kind: str, *args: Any, **options: Any) -> tuple[torch.nn.RNNBase, torch.nn.RNNBase]:
    """Return our layer and torch's, of the same weights."""
    name, own = KINDS[kind]
    ours = getattr(nn, name)(C, D, *args, **own, **options)
    theirs = getattr(torch.nn, name)(C, D, *args, **own, **options)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def draw(form: str, batch_first: bool = False, steps: int = 5) -> Tensor | PackedSequence:
    """Return an input; its numbers have gradients, and so has a packed one's ``data``."""
    if form == "unbatched":
        return torch.randn(steps, C, requires_grad=True)
    if form == "padded":
        shape = (2, steps, C) if batch_first else (steps, 2, C)
        return torch.randn(shape, requires_grad=True)
    lengths = sorted(LENGTHS, reverse=True) if form == "sorted" else LENGTHS
    packed = pack_sequence([torch.randn(n, C) for n in lengths], enforce_sorted=form == "sorted")
    return packed._replace(data=packed.data.requires_grad_())


def draw_state(layer: torch.nn.RNNBase, form: str) -> Any:
    """Return an hx, with gradients."""
    layers = layer.num_layers * (2 if layer.bidirectional else 1)
    batch = {"padded": [2], "unbatched": []}.get(form, [len(LENGTHS)])
    h, c = (
        torch.randn(layers, *batch, size, requires_grad=True) for size in (layer.proj_size or D, D)
    )
    return (h, c) if isinstance(layer, torch.nn.LSTM) else h


def data_of(x: Tensor | PackedSequence) -> Tensor:
    return x.data if isinstance(x, PackedSequence) else x


def tensors_of(result: Any) -> list[Tensor]:
    """Return y, h and c if there is one."""
    y, state = result
    return [data_of(y), *(state if isinstance(state, tuple) else [state])]


def gradients(layer: torch.nn.RNNBase, result: Any, *sources: Any) -> list[Tensor]:
    """Return the gradient of a fixed weighting of a result, by weights and sources: one vector."""
    wanted = [*layer.parameters()]
    for source in sources:
        wanted += source if type(source) is tuple else [data_of(source)]
    generator = torch.Generator().manual_seed(1)
    total = sum((t * torch.rand(t.shape, generator=generator)).sum() for t in tensors_of(result))
    return [torch.cat([gradient.flatten() for gradient in torch.autograd.grad(total, wanted)])]


def assert_same_form(got: Any, wanted: Any) -> None:
    """The same types and shapes; of a packed sequence, everything but the numbers is equal."""
    (y, state), (expected, expected_state) = got, wanted
    assert type(y) is type(expected)
    assert type(state) is type(expected_state)
    assert [t.shape for t in tensors_of(got)] == [t.shape for t in tensors_of(wanted)]
    if isinstance(y, PackedSequence):
        for one, other in zip(y[1:], expected[1:], strict=True):
            assert (one is None) == (other is None)
            assert one is None or torch.equal(one, other)


def assert_close(got: list[Tensor], wanted: list[Tensor]) -> None:
    """Equal to 1e-5 of the largest value."""
    for one, other in zip(got, wanted, strict=True):
        assert one.dtype == other.dtype
        difference, scale = (one - other).detach().abs().max(), other.detach().abs().max()
        assert difference <= 1e-5 * scale, (float(difference), float(scale))


def assert_equal(got: list[Tensor], wanted: list[Tensor]) -> None:
    """Equal to the last bit."""
    for one, other in zip(got, wanted, strict=True):
        assert torch.equal(one, other)
