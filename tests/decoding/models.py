"""Small models to decode with, in float64, and what they say about a text."""

from typing import Any

import torch
from torch import Tensor

from unrolled.decoding import Hypotheses
from unrolled.models import RecurrentLanguageModel, ShowAttendTell
from unrolled.recurrence import Recurrence


class Markov(Recurrence):
    """The next token depends on the last alone: row of a table of probabilities, or of logits."""

    def __init__(self, table: Any, *, of_logits: bool = False) -> None:
        super().__init__()
        values = torch.as_tensor(table, dtype=torch.float64)
        self.logits = torch.nn.Parameter(values if of_logits else values.log())

    def scan(self, x, state):
        return self.logits[x], state


def random_markov(size: int, *, scale: float = 2.0) -> Markov:
    return Markov(scale * torch.randn(size, size), of_logits=True)


def language_model(size: int, *, scale: float = 4.0) -> RecurrentLanguageModel:
    """Make an untrained LSTM, its weights enlarged so that its distributions are far from flat."""
    model = RecurrentLanguageModel(size, embedding_size=5, hidden_size=7, num_layers=2)
    return sharpened(model, scale)


def captioner(size: int, num_pictures: int) -> ShowAttendTell:
    """Make an untrained decoder that looks at ``num_pictures``."""
    model = ShowAttendTell(size, 7, embedding_size=3, hidden_size=5, attention_size=2)
    model = sharpened(model, 3.0)
    return model.given(model.remember(torch.randn(num_pictures, 11, 7, dtype=torch.float64)))


def sharpened(model: Any, scale: float) -> Any:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale)
    return model.double().eval()


def recomputed(
    model: Recurrence, prompt: Tensor, found: Hypotheses, state: Any = None
) -> list[list[float]]:
    """Score every hypothesis by one run over the prompt and its tokens, one row at a time."""
    scores = []
    for row in range(len(prompt)):
        alone = model.rows(torch.tensor([row]))
        scores.append([])
        for tokens, length in zip(found.tokens[row], found.lengths[row], strict=True):
            tokens = tokens[:length]
            with torch.no_grad():
                y, _ = alone(torch.cat([prompt[row], tokens])[None, :-1], state)
            logits = getattr(y, "logits", y)[0, prompt.shape[1] - 1 :]
            picked = logits.log_softmax(dim=-1).gather(1, tokens[:, None])
            scores[-1].append(picked.sum().item())
    return scores


def rows_of(found: Hypotheses, row: int) -> Hypotheses:
    """Return one prompt's hypotheses, without the padding that other prompts ask for."""
    longest = int(found.lengths[row].max())
    parts = Hypotheses(*(part[row : row + 1] for part in found))
    return parts._replace(tokens=parts.tokens[..., :longest])


def assert_same(a: Hypotheses, b: Hypotheses) -> None:
    assert torch.equal(a.tokens, b.tokens)
    assert torch.equal(a.lengths, b.lengths)
    assert torch.equal(a.finished, b.finished)
    assert torch.allclose(a.log_probabilities, b.log_probabilities, rtol=1e-12, atol=1e-12)
