"""Cells: recurrences that write one step, ``Cls(input_size, hidden_size, *, options)``."""

from unrolled.cells.conv_gru import ConvGRU, ConvGRUState
from unrolled.cells.conv_lstm import ConvLSTM, ConvLSTMState
from unrolled.cells.conv_rnn import ConvRNN, ConvRNNState
from unrolled.cells.greff import CIFG, FGR, NFG, NIAF, NIG, NOAF, NOG, NP, FGRState
from unrolled.cells.gru import GRU, GRUState
from unrolled.cells.layer_norm_lstm import LayerNormLSTM
from unrolled.cells.linear_memory import LinearMemory, LinearMemoryState
from unrolled.cells.lstm import LSTM, LSTMState
from unrolled.cells.lstm1997 import LSTM1997
from unrolled.cells.mut import MUT1, MUT2, MUT3, MUTState
from unrolled.cells.peephole_lstm import PeepholeLSTM
from unrolled.cells.rnn import RNN, RNNState

__all__ = [
    "CIFG",
    "FGR",
    "GRU",
    "LSTM",
    "LSTM1997",
    "MUT1",
    "MUT2",
    "MUT3",
    "NFG",
    "NIAF",
    "NIG",
    "NOAF",
    "NOG",
    "NP",
    "RNN",
    "ConvGRU",
    "ConvGRUState",
    "ConvLSTM",
    "ConvLSTMState",
    "ConvRNN",
    "ConvRNNState",
    "FGRState",
    "GRUState",
    "LSTMState",
    "LayerNormLSTM",
    "LinearMemory",
    "LinearMemoryState",
    "MUTState",
    "PeepholeLSTM",
    "RNNState",
]
