"""torch.nn, its recurrent layers faster on CPUs: a model changes one import line.

    from unrolled import nn                     instead of    from torch import nn

``RNN``, ``LSTM`` and ``GRU`` are subclasses of torch's; every other name is torch.nn's own.
"""

from typing import TYPE_CHECKING, Any

import torch.nn

from unrolled.nn.gru import GRU
from unrolled.nn.lstm import LSTM
from unrolled.nn.rnn import RNN

if TYPE_CHECKING:
    from torch.nn import *  # type: ignore[assignment]  # noqa: F403

__all__ = ["GRU", "LSTM", "RNN"]


def __getattr__(name: str) -> Any:
    try:
        return getattr(torch.nn, name)
    except AttributeError:
        raise AttributeError(
            f"neither unrolled.nn nor torch.nn has an attribute {name!r}"
        ) from None


def __dir__() -> list[str]:
    return sorted({*__all__, *dir(torch.nn)})
