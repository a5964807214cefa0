"""Show, Attend and Tell: where it looks, and what it makes of it."""

import torch

from unrolled.models import ShowAttendTell


def decoder() -> ShowAttendTell:
    return ShowAttendTell(11, 7, embedding_size=3, hidden_size=5, attention_size=2).double()


def test_weights_sum_to_one_and_logits_follow_the_paper() -> None:
    model, words = decoder(), torch.tensor([[3], [4]])
    features = torch.randn(2, 13, 7, dtype=torch.float64)
    bound = model.given(model.remember(features))
    state = bound.initial_state(2)
    mean = features.mean(1)
    assert torch.allclose(state.h, torch.tanh(model.initial_h(mean)))
    assert torch.allclose(state.c, torch.tanh(model.initial_c(mean)))
    y, _ = bound(words)
    assert torch.allclose(y.weights.sum(-1), torch.ones(2, 1, dtype=torch.float64))

    embedded = model.embedding(words[:, 0])
    hidden = torch.tanh(model.key(features) + model.query(state.h)[:, None])
    weights = model.score(hidden)[..., 0].softmax(-1)
    z = torch.sigmoid(model.gate(state.h)) * torch.einsum("nl,nlc->nc", weights, features)
    h, _ = model.cell.step(torch.cat([embedded, z], -1), state)
    logits = model.output(embedded + model.from_state(h) + model.from_memory(z))
    assert (y.weights[:, 0] - weights).abs().max() <= 1e-12
    assert (y.logits[:, 0] - logits).abs().max() <= 1e-12


def test_without_scores_it_looks_everywhere_alike() -> None:
    model = decoder()
    torch.nn.init.zeros_(model.score.weight)
    y, _ = model.given(model.remember(torch.randn(2, 13, 7, dtype=torch.float64)))(
        torch.zeros(2, 4, dtype=torch.int64)
    )
    assert torch.allclose(y.weights, torch.full_like(y.weights, 1 / 13))


def test_gradients_reach_every_place_that_is_looked_at() -> None:
    model = decoder()
    features = torch.randn(2, 13, 7, dtype=torch.float64, requires_grad=True)
    y, _ = model.given(model.remember(features))(torch.zeros(2, 4, dtype=torch.int64))
    (gradient,) = torch.autograd.grad(y.logits.sum(), features)
    assert (gradient.abs().sum(-1) > 0).all()
