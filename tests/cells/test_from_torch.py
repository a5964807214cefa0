"""What of torch's layers can be taken over, and what cannot."""

import pytest
import torch
from torch import nn

from unrolled.cells import GRU, LSTM, RNN
from unrolled.errors import ConfigError

KINDS = [(RNN, nn.RNN, nn.RNNCell), (GRU, nn.GRU, nn.GRUCell), (LSTM, nn.LSTM, nn.LSTMCell)]


@pytest.mark.parametrize(("ours", "layer", "cell"), KINDS)
def test_weights_and_dtype_are_copied(ours, layer, cell) -> None:
    for theirs in (layer(5, 7).double(), cell(5, 7, bias=False)):
        taken = ours.from_torch(theirs)
        for mine, original in zip(taken.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(mine, original)
            assert mine.dtype == original.dtype
            assert mine.data_ptr() != original.data_ptr()


def test_the_nonlinearity_is_carried_over() -> None:
    assert RNN.from_torch(nn.RNN(5, 7, nonlinearity="relu")).nonlinearity == "relu"
    assert RNN.from_torch(nn.RNNCell(5, 7)).nonlinearity == "tanh"


@pytest.mark.parametrize(("ours", "layer", "_cell"), KINDS)
def test_what_a_cell_cannot_do_is_refused(ours, layer, _cell) -> None:
    with pytest.raises(ConfigError, match="a single layer, got num_layers=2; make one cell"):
        ours.from_torch(layer(5, 7, num_layers=2))
    with pytest.raises(ConfigError, match="one direction, got bidirectional=True"):
        ours.from_torch(layer(5, 7, bidirectional=True))
    with pytest.raises(ConfigError, match=r"a torch.nn.\w+ or torch.nn.\w+Cell, got Linear"):
        ours.from_torch(nn.Linear(5, 7))


def test_a_projection_is_refused() -> None:
    with pytest.raises(ConfigError, match="no projection of h, got proj_size=3"):
        LSTM.from_torch(nn.LSTM(5, 7, proj_size=3))


def test_the_cells_are_not_taken_for_each_other() -> None:
    with pytest.raises(ConfigError, match="got LSTM; each cell takes its own kind"):
        GRU.from_torch(nn.LSTM(5, 7))
