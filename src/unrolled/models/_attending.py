"""What captioners with additive attention share: where they look, and how they go on from there."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import TypeVar

from unrolled.cells import LSTM, LSTMState
from unrolled.context import group_rows, repeat_rows
from unrolled.models.captioner import Captioner
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


class Turns(NamedTuple):
    """What the steps of a chunk found, before anything is said of it."""

    h: Float[Tensor, "*BT D"]
    z: Float[Tensor, "*BT C"]  # what was seen
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
    gated: ClassVar[bool] = False
    output: nn.Linear  # the last thing that ``say`` does

    def __init__(
        self,
        vocabulary_size: int,
        feature_size: int,
        embedding_size: int,
        hidden_size: int,
        attention_size: int,
    ) -> None:
        super().__init__(vocabulary_size, feature_size, embedding_size)
        self.key = nn.Linear(feature_size, attention_size, bias=False)
        self.query = nn.Linear(hidden_size, attention_size)
        self.score = nn.Linear(attention_size, 1, bias=False)
        self.gate = nn.Linear(hidden_size, 1) if self.gated else None
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

    def scores(self, h: Float[Tensor, "B D"]) -> Float[Tensor, "B L"]:
        """Return how much h asks for each place."""
        keys = self.context.keys
        query = group_rows(self.query(h), len(keys))  # [N, K, A]
        hidden = torch.tanh(keys[:, None] + query[:, :, None])  # [N, K, L, A]
        scores: Tensor = self.score(hidden)
        return scores.squeeze(-1).flatten(0, 1)

    def seen(self, weights: Float[Tensor, "B L"], h: Float[Tensor, "B D"]) -> Float[Tensor, "B C"]:
        """Return z, what is seen with these weights; where there is a gate, h opens it."""
        features = self.context.features
        z = (group_rows(weights, len(features)) @ features).flatten(0, 1)
        return z if self.gate is None else torch.sigmoid(self.gate(h)) * z

    def turns(
        self, embedded: Float[Tensor, "B T E"], state: LSTMState, choose: Choice
    ) -> tuple[Turns, LSTMState]:
        """Look and go on, word by word; the words' part of the LSTM's gates is one product."""
        of_word, of_z = self.cell.weight_ih.split([embedded.shape[2], self.feature_size], dim=1)
        turns = []
        for t, gates in enumerate(F.linear(embedded, of_word, self.cell.bias_ih).unbind(1)):
            asking = state.h.to(embedded.dtype)
            scores = self.scores(asking)
            weights = choose(scores, t)
            z = self.seen(weights, asking)
            h, state = self.cell.advance(gates + F.linear(z, of_z), state)
            turns.append(Turns(h.to(embedded.dtype), z, weights, scores))
        return map_leaves(lambda *rows: torch.stack(rows, dim=1), *turns), state


class _SoftAttending(_Attending[LSTMState, AttentionOutput]):
    """Attention that looks everywhere, more at some places than at others.

    weights = softmax_l(scores)
    """

    output_layer = "output"

    def initial_state(self, batch_size: int) -> LSTMState:
        """Return what the mean annotation says."""
        return self.beginning(batch_size)

    def step(self, x_t: Int[Tensor, " B"], state: LSTMState) -> tuple[AttentionOutput, LSTMState]:
        """Look, then say the next word."""
        check_shape("x_t", x_t, "B")
        embedded = self.embedding(x_t)
        asking = state.h.to(embedded.dtype)
        weights = self.scores(asking).softmax(dim=-1)
        z = self.seen(weights, asking)
        h, state = self.cell.step(torch.cat([embedded, z], dim=-1), state)
        return AttentionOutput(self.say(embedded, h, z), weights), state

    def plain_scan(
        self, x: Int[Tensor, "B T"], state: LSTMState
    ) -> tuple[AttentionOutput, LSTMState]:
        """Look step by step, and say all words in one product."""
        embedded = self.embedding(x)
        found, state = self.turns(embedded, state, lambda scores, _: scores.softmax(dim=-1))
        return AttentionOutput(self.say(embedded, found.h, found.z), found.weights), state
