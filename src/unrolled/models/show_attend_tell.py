"""Show, Attend and Tell: a decoder that looks somewhere else for every word."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from unrolled.cells import LSTM, LSTMState
from unrolled.models.captioner import Captioner, Objective, cross_entropy
from unrolled.recurrence import group_rows, repeat_rows
from unrolled.shapes import check_shape
from unrolled.state import state_dtype


class Memory(NamedTuple):
    """What is looked at: the annotations, and their part of the attention's first layer."""

    features: Float[Tensor, "N L C"]
    keys: Float[Tensor, "N L A"]


class AttentionOutput(NamedTuple):
    """What the decoder says, and where it looked to say it."""

    logits: Float[Tensor, "*BT V"]
    weights: Float[Tensor, "*BT L"]  # sum to 1 over L


class ShowAttendTell(Captioner[LSTMState, AttentionOutput, Memory]):
    """Decode words from a memory with soft attention.

        weights = softmax_l(w . tanh(keys_l + W_h h + b))          keys_l = W_a features_l
        z = sigmoid(w_beta . h + b_beta) * sum over l of weights_l features_l
        h', c' = LSTM([E x; z], h, c)
        logits = W_o (E x + W_s h' + W_z z) + b_o
        h_0 = tanh(W_init_h mean_l(features_l) + b_init_h)         c_0 likewise

    Bind what it looks at before a call: ``decoder.given(decoder.remember(features))``.

    Shapes: x [B, T] int64 words, B = K·N; context Memory(features [N, L, C], keys [N, L, A]);
        state LSTMState(h [B, D], c [B, D]); y AttentionOutput(logits [B, T, V], weights [B, T, L]).
    Args:
        vocabulary_size: V.
        feature_size: C, the length of an annotation.
        embedding_size: length of a word's vector.
        hidden_size: D.
        attention_size: A, the hidden layer of the attention.
        doubly_stochastic: lambda, what it costs in training not to look everywhere alike in all.
    Raises:
        ContextError: no memory is bound, or B is not a multiple of its N.
        ShapeError: annotations have not C features.
    Source: Xu et al. 2015, arXiv:1502.03044, eq. 1-7 and 13 with the gate beta of §4.2.1;
        ``objective``: eq. 14. Differs: the initial state is one layer each, of tanh; loss and
        penalty are both divided by the number of words, so that batches weigh by their words.
    Example:
        >>> decoder = ShowAttendTell(11, 5, embedding_size=3, hidden_size=7, attention_size=2)
        >>> memory = decoder.remember(torch.randn(2, 13, 5))
        >>> y, _ = decoder.given(memory)(torch.zeros(6, 4, dtype=torch.int64))
        >>> y.logits.shape, y.weights.shape
        (torch.Size([6, 4, 11]), torch.Size([6, 4, 13]))
    """

    context_type = Memory

    def __init__(
        self,
        vocabulary_size: int,
        feature_size: int,
        *,
        embedding_size: int = 512,
        hidden_size: int = 512,
        attention_size: int = 512,
        doubly_stochastic: float = 1.0,
    ) -> None:
        super().__init__()
        self.doubly_stochastic = doubly_stochastic
        self.feature_size = feature_size
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.key = nn.Linear(feature_size, attention_size, bias=False)
        self.query = nn.Linear(hidden_size, attention_size)
        self.score = nn.Linear(attention_size, 1, bias=False)
        self.gate = nn.Linear(hidden_size, 1)
        self.cell = LSTM(embedding_size + feature_size, hidden_size)
        self.initial_h = nn.Linear(feature_size, hidden_size)
        self.initial_c = nn.Linear(feature_size, hidden_size)
        self.from_state = nn.Linear(hidden_size, embedding_size, bias=False)
        self.from_memory = nn.Linear(feature_size, embedding_size, bias=False)
        self.output = nn.Linear(embedding_size, vocabulary_size)

    def remember(self, features: Float[Tensor, "N L C"]) -> Memory:
        """Make a context of ``features``; its keys are computed here once, not at every step."""
        self.check_features(features)
        return Memory(features, self.key(features))

    def initial_state(self, batch_size: int) -> LSTMState:
        """Return what the mean annotation says."""
        mean = repeat_rows(self.context.features.mean(dim=1), batch_size)
        h, c = torch.tanh(self.initial_h(mean)), torch.tanh(self.initial_c(mean))
        dtype = state_dtype(mean.dtype)
        return LSTMState(h.to(dtype), c.to(dtype))

    def step(self, x_t: Int[Tensor, " B"], state: LSTMState) -> tuple[AttentionOutput, LSTMState]:
        """Look, then say the next word."""
        check_shape("x_t", x_t, "B")
        embedded = self.embedding(x_t)
        z, weights = self._look(state.h.to(embedded.dtype))
        h, state = self.cell.step(torch.cat([embedded, z], dim=-1), state)
        logits = self.output(embedded + self.from_state(h) + self.from_memory(z))
        return AttentionOutput(logits, weights), state

    def objective(
        self, y: AttentionOutput, targets: Int[Tensor, "B T"], valid: Bool[Tensor, "B T"]
    ) -> Objective:
        """Return nats a word + lambda sum over b, l of (1 - sum over t of weights_btl)² a word."""
        nats = cross_entropy(y.logits, targets, valid)
        seen = (y.weights * valid[..., None]).sum(dim=1)  # [B, L]
        penalty = self.doubly_stochastic * (1 - seen).square().sum() / valid.sum()
        terms = {"nats_per_word": nats.detach(), "doubly_stochastic": penalty.detach()}
        return Objective(nats + penalty, terms)

    def _look(self, h: Float[Tensor, "B D"]) -> tuple[Tensor, Tensor]:
        features, keys = self.context
        query = group_rows(self.query(h), len(features))  # [N, K, A]
        hidden = torch.tanh(keys[:, None] + query[:, :, None])  # [N, K, L, A]
        weights = self.score(hidden).squeeze(-1).softmax(dim=-1)  # [N, K, L]
        z = (weights @ features).flatten(0, 1)
        return torch.sigmoid(self.gate(h)) * z, weights.flatten(0, 1)
