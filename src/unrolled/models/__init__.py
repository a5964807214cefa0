"""Networks from papers, assembled from cells and layers; one file a paper."""

from unrolled.models.bigram import BigramLanguageModel, bigram_nats
from unrolled.models.language_model import RecurrentLanguageModel
from unrolled.models.min_char_rnn import MinCharRNN, MinCharRNNState
from unrolled.models.show_attend_tell import AttentionOutput, Memory, ShowAttendTell

__all__ = [
    "AttentionOutput",
    "BigramLanguageModel",
    "Memory",
    "MinCharRNN",
    "MinCharRNNState",
    "RecurrentLanguageModel",
    "ShowAttendTell",
    "bigram_nats",
]
