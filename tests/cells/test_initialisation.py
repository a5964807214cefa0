"""How recurrent weights start, in every cell that lets one choose."""

import pytest
import torch

from unrolled.cells import (
    CIFG,
    FGR,
    GRU,
    LSTM,
    LSTM1997,
    MUT1,
    MUT3,
    RNN,
    LayerNormLSTM,
    LinearMemory,
    PeepholeLSTM,
)
from unrolled.errors import ConfigError

CELLS = [RNN, GRU, LSTM, LSTM1997, PeepholeLSTM, CIFG, FGR, MUT1, MUT3, LinearMemory, LayerNormLSTM]


@pytest.mark.parametrize("cls", CELLS, ids=lambda cls: cls.__name__)
def test_orthogonal_blocks_are_rotations(cls) -> None:
    for block in cls(7, 7, recurrent_init="orthogonal").weight_hh.split(7):
        assert torch.allclose(block @ block.T, torch.eye(7), atol=1e-5)
        assert not torch.equal(block, torch.eye(7))


@pytest.mark.parametrize("cls", CELLS, ids=lambda cls: cls.__name__)
def test_identity_blocks_are_the_identity(cls) -> None:
    for block in cls(7, 7, recurrent_init="identity").weight_hh.split(7):
        assert torch.equal(block, torch.eye(7))


def test_identity_leaves_only_the_forget_bias() -> None:
    rnn = RNN(5, 7, recurrent_init="identity")
    assert not rnn.bias_ih.any()
    assert not rnn.bias_hh.any()
    lstm = LSTM(5, 7, recurrent_init="identity", forget_bias=1.5)
    assert lstm.bias_ih.tolist() == [0.0] * 7 + [1.5] * 7 + [0.0] * 14


@pytest.mark.parametrize("cls", CELLS, ids=lambda cls: cls.__name__)
def test_another_start_is_refused(cls) -> None:
    with pytest.raises(ConfigError, match="'orthogonal' or 'identity', got 'zeros'"):
        cls(7, 7, recurrent_init="zeros")
