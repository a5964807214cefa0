"""Small captioners of every kind, in float64, with features of two pictures or films."""

import torch
from torch import Tensor

import unrolled
from unrolled.models import Captioner

V, C, E, D, A, L = 11, 7, 3, 5, 2, 6

PICTURES = [
    "show_and_tell",
    "neural_talk",
    "m_rnn",
    "lrcn_captioner",
    "minds_eye",
    "show_attend_tell",
    "show_attend_tell_hard",
]
FILMS = ["mean_pool_captioner", "s2vt", "temporal_attention"]
ATTENDING = ["show_attend_tell", "show_attend_tell_hard", "temporal_attention"]


def build(name: str, vocabulary_size: int = V, **options: object) -> Captioner:
    """Make a captioner whose distributions are far from flat."""
    if name in ATTENDING:
        options = {"attention_size": A} | options
    if name == "m_rnn":
        options = {"multimodal_size": 2} | options
    torch.manual_seed(3)
    model = unrolled.build(
        name, vocabulary_size, C, embedding_size=E, hidden_size=D, **options
    ).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    return model.eval()


def some_features(num_pictures: int = 2, num_places: int = L) -> Tensor:
    torch.manual_seed(5)
    return torch.randn(num_pictures, num_places, C, dtype=torch.float64)


def some_words(*shape: int) -> Tensor:
    torch.manual_seed(7)
    return torch.randint(V, shape)
