"""min-char-rnn against its gradients derived by hand, in numpy."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from unrolled.models import MinCharRNN, MinCharRNNState

V, D, T = 11, 7, 13


def by_hand(weights: dict[str, np.ndarray], x: list[int], targets: list[int], h: np.ndarray):
    """Return the summed loss, its gradients clipped to [-5, 5], and the last h."""
    W_xh, W_hh, W_hy = weights["weight_xh"], weights["weight_hh"], weights["weight_hy"]
    onehots, hidden, probabilities, loss = [], [h], [], 0.0
    for token, target in zip(x, targets, strict=True):
        onehots.append(np.eye(V)[token])
        hidden.append(np.tanh(W_xh @ onehots[-1] + W_hh @ hidden[-1] + weights["bias_h"]))
        y = W_hy @ hidden[-1] + weights["bias_y"]
        probabilities.append(np.exp(y) / np.exp(y).sum())
        loss -= np.log(probabilities[-1][target])
    gradients = {name: np.zeros_like(weight) for name, weight in weights.items()}
    dh_next = np.zeros_like(h)
    for t in reversed(range(len(x))):  # only when all of the forward pass is done
        dy = probabilities[t].copy()
        dy[targets[t]] -= 1
        gradients["weight_hy"] += np.outer(dy, hidden[t + 1])
        gradients["bias_y"] += dy
        dh = W_hy.T @ dy + dh_next
        dh_raw = (1 - hidden[t + 1] ** 2) * dh
        gradients["bias_h"] += dh_raw
        gradients["weight_xh"] += np.outer(dh_raw, onehots[t])
        gradients["weight_hh"] += np.outer(dh_raw, hidden[t])
        dh_next = W_hh.T @ dh_raw
    return loss, {k: v.clip(-5, 5) for k, v in gradients.items()}, hidden[-1]


def test_loss_and_clipped_gradients_equal_those_derived_by_hand() -> None:
    model = MinCharRNN(V, D).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)  # large enough for the clipping to matter
    x, targets = torch.randint(V, (2, 1, T))
    h = torch.randn(1, D, dtype=torch.float64)
    y, state = model(x, MinCharRNNState(h))
    loss = F.cross_entropy(y[0], targets[0], reduction="sum")
    loss.backward()
    largest = max(float(p.grad.abs().max()) for p in model.parameters())
    assert largest > 5
    torch.nn.utils.clip_grad_value_(model.parameters(), 5)
    weights = {name: value.detach().numpy() for name, value in model.named_parameters()}
    expected, gradients, last_h = by_hand(weights, x[0].tolist(), targets[0].tolist(), h[0].numpy())
    assert abs(loss.item() - expected) <= 1e-10
    assert np.abs(state.h.detach().numpy()[0] - last_h).max() <= 1e-10
    for name, parameter in model.named_parameters():
        assert np.abs(parameter.grad.numpy() - gradients[name]).max() <= 1e-10


def test_a_new_model_knows_nothing() -> None:
    # 25 characters at -ln(1 / V) each is where the original's smooth_loss starts.
    x, targets = torch.randint(65, (2, 1, 25))
    y, _ = MinCharRNN(65)(x)
    loss = F.cross_entropy(y[0], targets[0], reduction="sum")
    assert math.isclose(loss.item(), 25 * math.log(65), rel_tol=1e-3)


def test_parameter_count() -> None:
    # V D + D² + D V + D + V at V = 65, D = 100.
    assert sum(p.numel() for p in MinCharRNN(65).parameters()) == 23_165


def test_it_learns_hello() -> None:
    model = MinCharRNN(4, 3)
    x, targets = torch.tensor([[0, 1, 2, 2]]), torch.tensor([1, 2, 2, 3])  # hell -> ello
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.1)
    for _ in range(600):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x)[0][0], targets)
        loss.backward()
        torch.nn.utils.clip_grad_value_(model.parameters(), 5)
        optimizer.step()
    assert loss < 0.1
    assert model(x)[0][0].argmax(-1).tolist() == targets.tolist()
