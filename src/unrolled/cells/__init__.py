"""Cells: recurrences that write one step, ``Cls(input_size, hidden_size, *, options)``."""

from unrolled.cells.conv_lstm import ConvLSTM, ConvLSTMState
from unrolled.cells.lstm import LSTM, LSTMState

__all__ = ["LSTM", "ConvLSTM", "ConvLSTMState", "LSTMState"]
