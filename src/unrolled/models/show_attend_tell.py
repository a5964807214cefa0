"""Show, Attend and Tell: a decoder that looks somewhere else for every word."""

from jaxtyping import Bool, Int
from torch import Tensor, nn

from unrolled.cells import LSTMState
from unrolled.models._attending import (
    AttentionOutput,
    Memory,
    OutputT,
    StateT,
    _Attending,
    _SoftAttending,
)
from unrolled.models.captioner import Objective, cross_entropy

__all__ = ["AttentionOutput", "Memory", "ShowAttendTell"]


class _GatedAttending(_Attending[StateT, OutputT]):
    """What soft and hard attention share: the gate beta, and what is said.

    z = sigmoid(w_beta . h + b_beta) * sum over l of weights_l features_l
    logits = W_o (E x + W_s h' + W_z z) + b_o
    """

    gated = True

    def __init__(
        self,
        vocabulary_size: int,
        feature_size: int,
        embedding_size: int,
        hidden_size: int,
        attention_size: int,
    ) -> None:
        super().__init__(vocabulary_size, feature_size, embedding_size, hidden_size, attention_size)
        self.from_state = nn.Linear(hidden_size, embedding_size, bias=False)
        self.from_memory = nn.Linear(feature_size, embedding_size, bias=False)
        self.output = nn.Linear(embedding_size, vocabulary_size)

    def say(self, embedded: Tensor, h: Tensor, z: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.output(embedded + self.from_state(h) + self.from_memory(z))
        return logits


class ShowAttendTell(_GatedAttending[LSTMState, AttentionOutput], _SoftAttending):
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
        embedding_size: E, the length of a word's vector.
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
        >>> import torch
        >>> decoder = ShowAttendTell(11, 5, embedding_size=3, hidden_size=7, attention_size=2)
        >>> memory = decoder.remember(torch.randn(2, 13, 5))
        >>> y, _ = decoder.given(memory)(torch.zeros(6, 4, dtype=torch.int64))
        >>> y.logits.shape, y.weights.shape
        (torch.Size([6, 4, 11]), torch.Size([6, 4, 13]))
    """

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
        super().__init__(vocabulary_size, feature_size, embedding_size, hidden_size, attention_size)
        self.doubly_stochastic = doubly_stochastic

    def objective(
        self, y: AttentionOutput, targets: Int[Tensor, "B T"], valid: Bool[Tensor, "B T"]
    ) -> Objective:
        """Return nats a word + lambda sum over b, l of (1 - sum over t of weights_btl)² a word."""
        nats = cross_entropy(y.logits, targets, valid)
        seen = (y.weights * valid[..., None]).sum(dim=1)  # [B, L]
        penalty = self.doubly_stochastic * (1 - seen).square().sum() / valid.sum()
        terms = {"nats_per_word": nats.detach(), "doubly_stochastic": penalty.detach()}
        return Objective(nats + penalty, terms)
