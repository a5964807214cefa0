"""What captioners with additive attention share: where they look, and how they go on from there."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import TypeVar

from unrolled.cells import LSTM, LSTMState
from unrolled.models.captioner import Captioner
from unrolled.recurrence import group_rows, repeat_rows
from unrolled.shapes import check_shape
from unrolled.state import Tree, map_leaves, state_dtype

StateT = TypeVar("StateT", bound=Tree, default=Any)
OutputT = TypeVar("OutputT", bound=Tree, default=Any)

#: scores of L places [B, L] at a step of the chunk, to the weights that they are looked at with
Choice = Callable[[Tensor, int], Tensor]


class Memory(NamedTuple):
    """What is looked at: the annotations, and their part of the attention's first layer."""

    features: Float[Tensor, "N L C"]
    keys: Float[Tensor, "N L A"]


class AttentionOutput(NamedTuple):
    """What the decoder says, and where it looked to say it."""

    logits: Float[Tensor, "*BT V"]
    weights: Float[Tensor, "*BT L"]  # sum to 1 over L


class Turn(NamedTuple):
    """What one step found, before anything is said of it; or all steps of a chunk."""

    h: Float[Tensor, "*BT D"]
    z: Float[Tensor, "*BT C"]  # what was looked at
    weights: Float[Tensor, "*BT L"]
    scores: Float[Tensor, "*BT L"]


class _Attending(Captioner[StateT, OutputT, Memory]):
    """An LSTM that reads a word and what additive attention, asked by h, has found for it.

        scores = w . tanh(keys_l + W_h h + b)              keys_l = W_a features_l
        z = sum over l of weights_l features_l             weights chosen by scores
        z = sigmoid(w_beta . h + b_beta) * z               where it is gated
        h', c' = LSTM([E x; z], h, c)
        h_0 = tanh(W_init_h mean_l(features_l) + b_init_h)         c_0 likewise

    A subclass says how weights are chosen, and what is said of it all.
    """

    context_type = Memory
    feed_image = "always"

    def __init__(
        self,
        vocabulary_size: int,
        feature_size: int,
        *,
        embedding_size: int,
        hidden_size: int,
        attention_size: int,
        gated: bool = False,
    ) -> None:
        super().__init__()
        self.feature_size = feature_size
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.key = nn.Linear(feature_size, attention_size, bias=False)
        self.query = nn.Linear(hidden_size, attention_size)
        self.score = nn.Linear(attention_size, 1, bias=False)
        self.gate = nn.Linear(hidden_size, 1) if gated else None
        self.cell = LSTM(embedding_size + feature_size, hidden_size)
        self.initial_h = nn.Linear(feature_size, hidden_size)
        self.initial_c = nn.Linear(feature_size, hidden_size)

    def remember(self, features: Float[Tensor, "N L C"]) -> Memory:
        """Make a context of ``features``; its keys are computed here once, not at every step."""
        self.check_features(features)
        return Memory(features, self.key(features))

    @abstractmethod
    def say(self, embedded: Tensor, h: Tensor, z: Tensor) -> Tensor:
        """Return logits ``[..., V]`` of a word's vector, the state after it, and what was seen."""

    def beginning(self, batch_size: int) -> LSTMState:
        """Return what the mean annotation says."""
        mean = repeat_rows(self.context.features.mean(dim=1), batch_size)
        h, c = torch.tanh(self.initial_h(mean)), torch.tanh(self.initial_c(mean))
        dtype = state_dtype(mean.dtype)
        return LSTMState(h.to(dtype), c.to(dtype))

    def look(
        self, h: Float[Tensor, "B D"], choose: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return z, the weights, and the scores that these were chosen by."""
        features, keys = self.context
        query = group_rows(self.query(h), len(features))  # [N, K, A]
        hidden = torch.tanh(keys[:, None] + query[:, :, None])  # [N, K, L, A]
        scores = self.score(hidden).squeeze(-1).flatten(0, 1)  # [B, L]
        weights = choose(scores)
        z = (group_rows(weights, len(features)) @ features).flatten(0, 1)
        if self.gate is not None:
            z = torch.sigmoid(self.gate(h)) * z
        return z, weights, scores

    def turn(
        self, embedded: Float[Tensor, "B E"], state: LSTMState, choose: Callable[[Tensor], Tensor]
    ) -> tuple[Turn, LSTMState]:
        """Look, and read the word beside what was found."""
        z, weights, scores = self.look(state.h.to(embedded.dtype), choose)
        h, state = self.cell.step(torch.cat([embedded, z], dim=-1), state)
        return Turn(h, z, weights, scores), state

    def turns(
        self, embedded: Float[Tensor, "B T E"], state: LSTMState, choose: Choice
    ) -> tuple[Turn, LSTMState]:
        """Do what ``turn`` does for a chunk; the words' part of the gates is one product."""
        of_word, of_z = self.cell.weight_ih.split([embedded.shape[2], self.feature_size], dim=1)
        turns, h = [], state.h
        for t, gates in enumerate(F.linear(embedded, of_word, self.cell.bias_ih).unbind(1)):
            z, weights, scores = self.look(
                h.to(embedded.dtype),
                lambda scores, t=t: choose(scores, t),  # type: ignore[misc]
            )
            h, state = self.cell.advance(gates + F.linear(z, of_z), state)
            turns.append(Turn(h.to(embedded.dtype), z, weights, scores))
        return map_leaves(lambda *rows: torch.stack(rows, dim=1), *turns), state


class _SoftAttending(_Attending[LSTMState, AttentionOutput]):
    """Attention that looks everywhere, more at some places than at others.

    weights = softmax_l(scores)
    """

    def initial_state(self, batch_size: int) -> LSTMState:
        """Return what the mean annotation says."""
        return self.beginning(batch_size)

    def step(self, x_t: Int[Tensor, " B"], state: LSTMState) -> tuple[AttentionOutput, LSTMState]:
        """Look, then say the next word."""
        check_shape("x_t", x_t, "B")
        embedded = self.embedding(x_t)
        found, state = self.turn(embedded, state, _softmax)
        return AttentionOutput(self.say(embedded, found.h, found.z), found.weights), state

    def plain_scan(
        self, x: Int[Tensor, "B T"], state: LSTMState
    ) -> tuple[AttentionOutput, LSTMState]:
        """Look step by step, and say all words in one product."""
        embedded = self.embedding(x)
        found, state = self.turns(embedded, state, lambda scores, _: _softmax(scores))
        return AttentionOutput(self.say(embedded, found.h, found.z), found.weights), state


def _softmax(scores: Tensor) -> Tensor:
    return scores.softmax(dim=-1)
