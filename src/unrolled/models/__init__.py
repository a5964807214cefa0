"""Networks from papers, assembled from cells and layers; one file a paper."""

from unrolled.models.language_model import RecurrentLanguageModel
from unrolled.models.show_attend_tell import AttentionOutput, Memory, ShowAttendTell
from unrolled.models.tcn import TCN, TCNLanguageModel
from unrolled.models.transformer import CausalTransformerLanguageModel

__all__ = [
    "TCN",
    "AttentionOutput",
    "CausalTransformerLanguageModel",
    "Memory",
    "RecurrentLanguageModel",
    "ShowAttendTell",
    "TCNLanguageModel",
]
