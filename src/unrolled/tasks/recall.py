"""Recall after a lag: a symbol is shown, others follow, and it is asked for."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.errors import ConfigError
from unrolled.layers import Embedding, Linear, Serial
from unrolled.models import TCN
from unrolled.recurrence import Recurrence
from unrolled.registry import build_recurrence
from unrolled.tasks.loading import Chunks
from unrolled.training.device import seed_everything
from unrolled.training.loop import Poll, Training
from unrolled.training.options import TrainingOptions
from unrolled.training.truncated_bptt import Chunk

NUM_SYMBOLS, NUM_DISTRACTORS = 8, 8
QUESTION = NUM_SYMBOLS  # the token that asks; the distractors come after it
CHANCE = 1 / NUM_SYMBOLS

_NOT_ASKED = -100  # F.cross_entropy's mark for targets without a share in the loss
_TEST_SEED = 2**40  # far from any seed that training draws its sequences from
_EMBEDDING_SIZE = 16


@dataclass(frozen=True)
class Learner:
    """A network that is to learn to recall, and how far its gradient goes back.

    Args:
        name: of the cell in the registry, or "tcn".
        options: of the cell, or of the TCN.
        window: steps after which the gradient is cut; None never cuts.
        carry_state: whether a window of training goes on from the last one's state.
        hidden_size: of the cell, or channels of the TCN.
    """

    name: str
    options: dict[str, Any]
    window: int | None = None
    carry_state: bool = True
    hidden_size: int = 32

    def network(self) -> Recurrence[Any, Any, Any, Any]:
        """Return it untrained: tokens ``[B, T]`` in, a score for each symbol ``[B, T, K]`` out."""
        embedding = Embedding(QUESTION + 1 + NUM_DISTRACTORS, _EMBEDDING_SIZE)
        options, width = self.options, self.hidden_size
        if self.name == "tcn":
            tcn = TCN(_EMBEDDING_SIZE, NUM_SYMBOLS, hidden_size=width, **options)
            return Serial(embedding, tcn)
        cell = build_recurrence(self.name, _EMBEDDING_SIZE, width, **options)
        return Serial(embedding, cell, Linear(width, NUM_SYMBOLS))


class Episodes(Chunks):
    """Batches of sequences, drawn on demand: a symbol, distractors, and the question.

        x_0 = symbol        x_1 ... x_(lag - 1) = distractors        x_lag = the question
        target_lag = symbol

    The symbol is among 8, and what follows it is drawn from 8 others at random. All sequences of a
    batch have one lag, drawn from ``lags``. With a ``window``, a batch comes in pieces of so many
    steps, numbered from 0, over which ``TruncatedBPTT`` carries the state.

    Shapes: x [B, T], target [B, T], negative where nothing is asked.
    Args:
        lags: steps from symbol to question, to draw from.
        num_batches: how many batches there are.
        batch_size: B.
        window: steps of a piece; None makes a batch one piece.
        seed: of everything that is drawn.
    Raises:
        ConfigError: a lag or a window below 1.
    Source: Hochreiter & Schmidhuber 1997, §5.2, tasks 2b and 2c: a first symbol to be remembered
        among random ones. Differs: 8 symbols instead of 2, and a question that is always the same.
    Example:
        >>> chunk = Episodes([3], num_batches=1, batch_size=1)[0]
        >>> chunk.x.tolist(), chunk.target.tolist()
        ([[4, 14, 9, 8]], [[-100, -100, -100, 4]])
    """

    def __init__(
        self,
        lags: Sequence[int],
        *,
        num_batches: int,
        batch_size: int,
        window: int | None = None,
        seed: int = 0,
    ) -> None:
        if not lags or min(lags) < 1 or (window is not None and window < 1):
            raise ConfigError("lags and a window of at least 1", f"{lags = }, {window = }")
        self.batch_size, self.window, self.seed = batch_size, window, seed
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randint(len(lags), (num_batches,), generator=generator)
        self.lags = [lags[index] for index in chosen.tolist()]
        self.pieces = [
            (batch, number)
            for batch, lag in enumerate(self.lags)
            for number in range(math.ceil((lag + 1) / (window or lag + 1)))
        ]

    def __len__(self) -> int:
        return len(self.pieces)

    def _chunk(self, number: int) -> Chunk:
        batch, piece = self.pieces[number]
        x, target = self._batch(batch)
        window = self.window or x.shape[1]
        start, stop = piece * window, (piece + 1) * window
        return Chunk(x[:, start:stop], target[:, start:stop], piece)

    def _batch(self, number: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed((self.seed << 20) + number)
        shape = (self.batch_size, self.lags[number] + 1)
        symbol = torch.randint(NUM_SYMBOLS, shape[:1], generator=generator)
        x = QUESTION + 1 + torch.randint(NUM_DISTRACTORS, shape, generator=generator)
        x[:, 0], x[:, -1] = symbol, QUESTION
        target = torch.full(shape, _NOT_ASKED)
        target[:, -1] = symbol
        return x, target


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean of -ln p(symbol) over the questions, 0 where there is none."""
    total = F.cross_entropy(
        logits.flatten(0, 1), target.flatten(), ignore_index=_NOT_ASKED, reduction="sum"
    )
    return total / (target != _NOT_ASKED).sum().clamp(min=1)


@torch.no_grad()
def recall_accuracy(
    network: Recurrence[Any, Any, Any, Any], lag: int, *, num_sequences: int = 512
) -> float:
    """Return the share of symbols recalled after ``lag`` steps, in sequences never trained on."""
    (chunk,) = Episodes([lag], num_batches=1, batch_size=num_sequences, seed=_TEST_SEED)
    logits, _ = network(chunk.x)
    right = logits[:, -1].argmax(dim=1) == chunk.target[:, -1]
    return float(right.double().mean())


def learn_to_recall(
    learner: Learner, lags: Sequence[int], *, num_batches: int, batch_size: int = 32, seed: int = 0
) -> Recurrence[Any, Any, Any, Any]:
    """Train a learner on sequences with these lags, each sequence seen once, and return it.

    Args:
        learner: what learns.
        lags: what every batch's lag is drawn from.
        num_batches: batches to learn from; without a window that many updates, else one a piece.
        batch_size: sequences side by side.
        seed: of the weights and of the sequences.
    """
    seed_everything(seed)
    network = learner.network()
    data = Episodes(
        lags, num_batches=num_batches, batch_size=batch_size, window=learner.window, seed=seed
    )
    unseen = Episodes(lags, num_batches=4, batch_size=64, seed=_TEST_SEED + 1)
    options = TrainingOptions(
        epochs=1, learning_rate=0.01, carry_state=learner.carry_state, seed=seed
    )

    @torch.no_grad()
    def validate(_: Poll) -> float:
        losses = [loss_of(network(chunk.x)[0], chunk.target).item() for chunk in unseen]
        return sum(losses) / len(losses)

    Training(network, data, loss_of, validate, options).run()
    return network


@dataclass(frozen=True)
class Recall:
    """What one learner recalls after one lag.

    Args:
        learner: its label.
        trained_on: "this lag" alone, or "all lags" up to the longest.
        lag: steps from symbol to question.
        seed: of the run.
        accuracy: share of symbols recalled; chance is 1/8.
    """

    learner: str
    trained_on: str
    lag: int
    seed: int
    accuracy: float

    def figures(self) -> dict[str, Any]:
        """Return it for a report."""
        return asdict(self)


def recall_by_lag(
    learners: dict[str, Learner], lags: Sequence[int], *, num_batches: int, seeds: Sequence[int]
) -> Iterator[Recall]:
    """Train every learner on each lag alone, from scratch, and say what it then recalls."""
    for seed in seeds:
        for label, learner in learners.items():
            for lag in lags:
                network = learn_to_recall(learner, [lag], num_batches=num_batches, seed=seed)
                yield Recall(label, "this lag", lag, seed, recall_accuracy(network, lag))


def recall_after_all_lags(
    learners: dict[str, Learner], lags: Sequence[int], *, num_batches: int, seeds: Sequence[int]
) -> Iterator[Recall]:
    """Train every learner once on lags from 1 to the longest, short ones as often as long ones.

    The lag of a batch is drawn evenly on a logarithmic scale.
    """
    octaves = torch.linspace(0, math.log(max(lags)), 64, dtype=torch.float64)
    mixture = octaves.exp().round().long().tolist()
    for seed in seeds:
        for label, learner in learners.items():
            network = learn_to_recall(learner, mixture, num_batches=num_batches, seed=seed)
            for lag in lags:
                yield Recall(label, "all lags", lag, seed, recall_accuracy(network, lag))
