"""Show, Attend and Tell with hard attention: one place a word, learnt by trial."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Int64
from torch import Tensor
from torch.nn import functional as F

from unrolled.cells import LSTMState
from unrolled.errors import ConfigError
from unrolled.layers.hashing import uniform
from unrolled.models.captioner import Objective
from unrolled.models.show_attend_tell import _GatedAttending
from unrolled.shapes import check_shape

_KEPT = 0.9  # share of the old baseline in the new, Xu et al. 2015, §4.1


class HardAttentionState(NamedTuple):
    """What is carried: the LSTM's state, and which places a sequence will draw."""

    h: Float[Tensor, "B D"]
    c: Float[Tensor, "B D"]
    seed: Int64[Tensor, " B"]
    step: Int64[Tensor, " B"]


class HardAttentionOutput(NamedTuple):
    """What the decoder says, where it looked to say it, and how likely each place was."""

    logits: Float[Tensor, "*BT V"]
    weights: Float[Tensor, "*BT L"]  # 1 at the place looked at; or the probabilities themselves
    log_probabilities: Float[Tensor, "*BT L"]  # of looking at each place


class HardShowAttendTell(_GatedAttending[HardAttentionState, HardAttentionOutput]):
    """Decode words from a memory, one place of which is looked at for every word.

        p = softmax_l(w . tanh(keys_l + W_h h + b))                keys_l = W_a features_l
        s ~ p                weights = one_hot(s), in training;    argmax_l p_l in eval()
        z = sigmoid(w_beta . h + b_beta) * features_s
        h', c' = LSTM([E x; z], h, c)                              logits as in ``ShowAttendTell``

    The places of a sequence are a function of its seed and of the step, as masks of ``Dropout``
    are: cuts and resumed runs draw the same. For a share of the sequences z is the expectation
    instead, sum over l of p_l features_l. ``objective`` estimates the gradient of the bound
    sum over s of p(s) log p(words | s) <= log p(words); the estimate is unbiased with
    ``reinforce=1``, ``entropy=0`` and ``expectation=0``.

    Shapes: x [B, T] int64 words, B = K·N; context Memory(features [N, L, C], keys [N, L, A]);
        state HardAttentionState(h [B, D], c [B, D], seed [B], step [B]); y
        HardAttentionOutput(logits [B, T, V], weights [B, T, L], log_probabilities [B, T, L]).
    Args:
        vocabulary_size: V.
        feature_size: C, the length of an annotation.
        embedding_size: E, the length of a word's vector.
        hidden_size: D.
        attention_size: A, the hidden layer of the attention.
        reinforce: lambda_r, the weight of what the places learn from what came of them.
        entropy: lambda_e, the weight of the places' entropy.
        expectation: the share of sequences that look at the expectation in training.
        reward: what came of a place: "sentence", the log-probability of all words, as in the
            paper; "words_to_come", of the words from that step on, which varies less.
        evaluation: what is looked at in eval(): the likeliest place, "argmax"; or "expectation".
    Raises:
        ConfigError: an option outside its range.
        ContextError: no memory is bound, or B is not a multiple of its N.
        ShapeError: annotations have not C features.
    Source: Xu et al. 2015, arXiv:1502.03044, §4.1, eq. 8-12. Differs: as in ``ShowAttendTell``;
        the baseline is kept a word, b words for a sentence, since sentences differ in length.
    Example:
        >>> decoder = HardShowAttendTell(11, 5, embedding_size=3, hidden_size=7, attention_size=2)
        >>> memory = decoder.remember(torch.randn(2, 13, 5))
        >>> y, _ = decoder.eval().given(memory)(torch.zeros(6, 4, dtype=torch.int64))
        >>> y.weights.shape, y.weights.detach().unique()
        (torch.Size([6, 4, 13]), tensor([0., 1.]))
    """

    output_layer = "output"
    baseline: Tensor

    def __init__(
        self,
        vocabulary_size: int,
        feature_size: int,
        *,
        embedding_size: int = 512,
        hidden_size: int = 512,
        attention_size: int = 512,
        reinforce: float = 1.0,
        entropy: float = 0.002,
        expectation: float = 0.5,
        reward: str = "words_to_come",
        evaluation: str = "argmax",
    ) -> None:
        super().__init__(vocabulary_size, feature_size, embedding_size, hidden_size, attention_size)
        if reward not in ("sentence", "words_to_come"):
            raise ConfigError("a reward of sentence or words_to_come", repr(reward))
        if evaluation not in ("argmax", "expectation"):
            raise ConfigError("an evaluation of argmax or expectation", repr(evaluation))
        if not 0 <= expectation <= 1:
            raise ConfigError("a share of expectation in [0, 1]", str(expectation))
        self.reinforce = reinforce
        self.entropy = entropy
        self.expectation = expectation
        self.reward = reward
        self.evaluation = evaluation
        self.register_buffer("baseline", torch.zeros(()))  # nats a word, at most 0

    def initial_state(self, batch_size: int) -> HardAttentionState:
        """Return what the mean annotation says and, in training, a seed drawn for every row."""
        h, c = self.beginning(batch_size)
        step = torch.zeros(batch_size, dtype=torch.int64, device=h.device)
        seed = torch.zeros_like(step)
        if self.training:
            seed = torch.randint(2**62, (batch_size,), device=h.device)
        return HardAttentionState(h, c, seed, step)

    def step(
        self, x_t: Int[Tensor, " B"], state: HardAttentionState
    ) -> tuple[HardAttentionOutput, HardAttentionState]:
        """Look at one place, then say the next word."""
        check_shape("x_t", x_t, "B")
        y, state = self.plain_scan(x_t[:, None], state)
        return HardAttentionOutput(*(part[:, 0] for part in y)), state

    def plain_scan(
        self, x: Int[Tensor, "B T"], state: HardAttentionState
    ) -> tuple[HardAttentionOutput, HardAttentionState]:
        """Look step by step, and say all words in one product."""
        embedded = self.embedding(x)
        steps = state.step[:, None] + torch.arange(x.shape[1], device=x.device)
        found, (h, c) = self.turns(
            embedded,
            LSTMState(state.h, state.c),
            lambda scores, t: self.choose(scores, state.seed, steps[:, t]),
        )
        logits = self.say(embedded, found.h, found.z)
        y = HardAttentionOutput(logits, found.weights, found.scores.log_softmax(dim=-1))
        return y, HardAttentionState(h, c, state.seed, state.step + x.shape[1])

    def choose(
        self, scores: Float[Tensor, "B L"], seed: Int64[Tensor, " B"], step: Int64[Tensor, " B"]
    ) -> Float[Tensor, "B L"]:
        """Return what is looked at: 1 at a place, or every place with its probability."""
        p = scores.softmax(dim=-1)
        if self.training:
            limits = p.detach().to(torch.float64).cumsum(dim=-1)
            drawn = uniform(seed, step)[:, None] * limits[:, -1:]
            place = (limits < drawn).sum(dim=-1)
            expected = uniform(seed, torch.full_like(seed, -1)) < self.expectation
        else:
            place = p.argmax(dim=-1)
            expected = torch.full_like(seed, self.evaluation == "expectation", dtype=torch.bool)
        looked_at = F.one_hot(place, p.shape[-1]).to(p.dtype)
        return torch.where(expected[:, None], p, looked_at)

    def objective(
        self, y: HardAttentionOutput, targets: Int[Tensor, "B T"], valid: Bool[Tensor, "B T"]
    ) -> Objective:
        """Return nats a word, less what the places learn from, less their entropy.

            loss = -(sum of log p(word) + lambda_r (R - b) log p(place) + lambda_e H(place)) / words

        R is the reward and b its baseline, both without a graph; in training the baseline then
        becomes 0.9 b + 0.1 (mean of log p(word)). A sequence that looked at the expectation adds
        nothing to the middle term: the gradient of sum over l of p_l log p'_l at p' = p is 0.
        """
        words = valid.sum()
        spoken = y.logits.log_softmax(dim=-1).gather(2, targets.where(valid, 0)[..., None])
        spoken = spoken.squeeze(-1).where(valid, 0)  # [B, T]
        drawn = (y.weights.detach() * y.log_probabilities).sum(dim=-1).where(valid, 0)
        surprise = -(y.log_probabilities.exp() * y.log_probabilities).sum(dim=-1)
        nats, entropy = -spoken.sum() / words, surprise.where(valid, 0).sum() / words
        gained = self._advantage(spoken.detach(), valid)
        loss = nats - self.reinforce * (gained * drawn).sum() / words - self.entropy * entropy
        terms = {"nats_per_word": nats, "entropy": entropy, "baseline": self.baseline.clone()}
        if self.training:
            with torch.no_grad():
                self.baseline.lerp_(-nats.to(self.baseline.dtype), 1 - _KEPT)
        return Objective(loss, {name: term.detach() for name, term in terms.items()})

    def _advantage(self, spoken: Float[Tensor, "B T"], valid: Bool[Tensor, "B T"]) -> Tensor:
        """Return by how much the words after each place were likelier than usual: [B, T]."""
        better = (spoken - self.baseline).where(valid, 0)
        if self.reward == "sentence":
            return better.sum(dim=1, keepdim=True).expand_as(better)
        return better.flip(1).cumsum(dim=1).flip(1)
