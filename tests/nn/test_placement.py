"""The drop-in layers leave what is not on the CPU to torch's own."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from tests import elsewhere
from unrolled import nn as ours


@pytest.fixture(autouse=True)
def _plugged_in() -> Iterator[None]:
    with elsewhere.plugged_in():
        yield


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("packed", [False, True])
def test_layers_compute_there_as_torch_does(name: str, packed: bool) -> None:
    torch.manual_seed(0)
    layer = getattr(ours, name)(3, 5, num_layers=2, bidirectional=True)
    twin = getattr(nn, name)(3, 5, num_layers=2, bidirectional=True)
    twin.load_state_dict(layer.state_dict())
    x = torch.randn(7, 2, 3)
    there, here = (
        gone(layer.to(elsewhere.NAME), x.to(elsewhere.NAME), packed),
        gone(twin, x, packed),
    )
    assert {tensor.device.type for tensor in there} == {elsewhere.NAME}
    torch.testing.assert_close([tensor.cpu() for tensor in there], here)


def gone(layer: nn.Module, x: Tensor, packed: bool) -> list[Tensor]:
    """Return outputs, the state, and the gradients of the weights."""
    given: Any = x
    if packed:
        rows = pack_padded_sequence(x.cpu(), torch.tensor([7, 4]))
        given = PackedSequence(rows.data.to(x.device), rows.batch_sizes)  # counts stay on the CPU
    y, state = layer(given)
    y = y.data if packed else y
    y.square().sum().backward()
    states = list(state) if isinstance(state, tuple) else [state]
    gradients = [weight.grad for weight in layer.parameters() if weight.grad is not None]
    return [y.detach(), *(leaf.detach() for leaf in states), *gradients]
