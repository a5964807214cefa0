"""Every captioner against its paper's equations, written out in numpy and float64."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.models.captioners import build, some_features, some_words

Weights = dict[str, np.ndarray]


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def relu(a: np.ndarray) -> np.ndarray:
    return np.maximum(a, 0)


def softmax(a: np.ndarray) -> np.ndarray:
    raised = np.exp(a - a.max())
    return raised / raised.sum()


def lstm(
    p: Weights, name: str, x: np.ndarray, h: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    a = p[f"{name}.weight_ih"] @ x + p[f"{name}.weight_hh"] @ h
    i, f, g, o = np.split(a + p[f"{name}.bias_ih"] + p[f"{name}.bias_hh"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def linear(p: Weights, name: str, x: np.ndarray) -> np.ndarray:
    y = p[f"{name}.weight"] @ x
    return y + p[f"{name}.bias"] if f"{name}.bias" in p else y


def rnn_sum(p: Weights, name: str, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    a = p[f"{name}.weight_ih"] @ x + p[f"{name}.bias_ih"]
    return a + p[f"{name}.weight_hh"] @ h + p[f"{name}.bias_hh"]


def show_and_tell(p: Weights, features: np.ndarray, words: list[int]) -> list[np.ndarray]:
    h = c = np.zeros(5)
    h, c = lstm(p, "cell", linear(p, "image", features.mean(0)), h, c)
    said = []
    for word in words:
        h, c = lstm(p, "cell", p["embedding.weight"][word], h, c)
        said.append(linear(p, "output", h))
    return said


def neural_talk(p: Weights, features: np.ndarray, words: list[int]) -> list[np.ndarray]:
    h, said = np.zeros(5), []
    for t, word in enumerate(words):
        a = rnn_sum(p, "cell", p["embedding.weight"][word], h)
        h = relu(a + linear(p, "image", features.mean(0)) if t == 0 else a)
        said.append(linear(p, "output", h))
    return said


def m_rnn(p: Weights, features: np.ndarray, words: list[int]) -> list[np.ndarray]:
    r, said = np.zeros(5), []
    for word in words:
        w = p["cell.weight_ih"] @ p["embedding.weight"][word] + p["cell.bias_ih"]
        r = relu(w + p["cell.weight_hh"] @ r + p["cell.bias_hh"])
        a = linear(p, "from_word", w) + linear(p, "from_state", r)
        m = 1.7159 * np.tanh(2 / 3 * (a + linear(p, "image", features.mean(0))))
        said.append(linear(p, "output", m))
    return said


def lrcn_captioner(p: Weights, features: np.ndarray, words: list[int]) -> list[np.ndarray]:
    h1 = c1 = h2 = c2 = np.zeros(5)
    said = []
    for word in words:
        h1, c1 = lstm(p, "lower", p["embedding.weight"][word], h1, c1)
        h2, c2 = lstm(p, "upper", np.concatenate([h1, features.mean(0)]), h2, c2)
        said.append(linear(p, "output", h2))
    return said


def mean_pool_captioner(p: Weights, features: np.ndarray, words: list[int]) -> list[np.ndarray]:
    h1 = c1 = h2 = c2 = np.zeros(5)
    said = []
    for word in words:
        x = np.concatenate([p["embedding.weight"][word], features.mean(0)])
        h1, c1 = lstm(p, "lower", x, h1, c1)
        h2, c2 = lstm(p, "upper", h1, h2, c2)
        said.append(linear(p, "output", h2))
    return said


def minds_eye(p: Weights, features: np.ndarray, words: list[int]) -> list[np.ndarray]:
    s, u, said = np.zeros(5), np.zeros(5), []
    for word in words:
        x = p["embedding.weight"][word]
        s = np.tanh(rnn_sum(p, "language", x, s) + linear(p, "image", features.mean(0)))
        u = np.tanh(rnn_sum(p, "visual", x, u))
        said.append(linear(p, "output", s) + linear(p, "from_visual", u))
    return said


def beginning(p: Weights, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = features.mean(0)
    return np.tanh(linear(p, "initial_h", mean)), np.tanh(linear(p, "initial_c", mean))


def looked_at(p: Weights, features: np.ndarray, h: np.ndarray) -> np.ndarray:
    hidden = [np.tanh(linear(p, "key", a) + linear(p, "query", h)) for a in features]
    return softmax(np.array([linear(p, "score", row)[0] for row in hidden]))


def show_attend_tell(
    p: Weights, features: np.ndarray, words: list[int], *, hard: bool = False
) -> list[np.ndarray]:
    (h, c), said = beginning(p, features), []
    for word in words:
        weights, embedded = looked_at(p, features, h), p["embedding.weight"][word]
        seen = features[weights.argmax()] if hard else weights @ features
        z = sigmoid(linear(p, "gate", h)) * seen
        h, c = lstm(p, "cell", np.concatenate([embedded, z]), h, c)
        inner = embedded + linear(p, "from_state", h) + linear(p, "from_memory", z)
        said.append(linear(p, "output", inner))
    return said


def show_attend_tell_hard(p: Weights, features: np.ndarray, words: list[int]) -> list[np.ndarray]:
    return show_attend_tell(p, features, words, hard=True)


def temporal_attention(p: Weights, features: np.ndarray, words: list[int]) -> list[np.ndarray]:
    (h, c), said = beginning(p, features), []
    for word in words:
        z, embedded = looked_at(p, features, h) @ features, p["embedding.weight"][word]
        h, c = lstm(p, "cell", np.concatenate([embedded, z]), h, c)
        inner = np.tanh(linear(p, "projection", np.concatenate([h, z, embedded])))
        said.append(linear(p, "output", inner))
    return said


def s2vt(p: Weights, features: np.ndarray, words: list[int]) -> list[np.ndarray]:
    h1 = c1 = h2 = c2 = np.zeros(5)
    nothing, said = np.zeros(3), []
    for frame in features:
        h1, c1 = lstm(p, "lower", linear(p, "frame", frame), h1, c1)
        h2, c2 = lstm(p, "upper", np.concatenate([nothing, h1]), h2, c2)
    for word in words:
        h1, c1 = lstm(p, "lower", nothing, h1, c1)
        h2, c2 = lstm(p, "upper", np.concatenate([p["embedding.weight"][word], h1]), h2, c2)
        said.append(linear(p, "output", h2))
    return said


@pytest.mark.parametrize(
    "equations",
    [
        show_and_tell,
        neural_talk,
        m_rnn,
        lrcn_captioner,
        minds_eye,
        show_attend_tell,
        show_attend_tell_hard,
        mean_pool_captioner,
        s2vt,
        temporal_attention,
    ],
    ids=lambda function: function.__name__,
)
def test_logits_are_those_of_the_equations(equations: Callable[..., list[np.ndarray]]) -> None:
    model, features, words = build(equations.__name__), some_features(), some_words(2, 5)
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        y, _ = model.given(model.remember(features))(words)
    for row in range(2):
        expected = np.stack(equations(weights, features[row].numpy(), words[row].tolist()))
        error = np.abs(y.logits[row].numpy() - expected).max()
        assert error <= 1e-12 * np.abs(expected).max()


def test_neural_talk_as_on_the_slide() -> None:
    model = build("neural_talk", feed_image="always", nonlinearity="tanh")
    features, words = some_features(1), some_words(1, 5)
    p = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        y, _ = model.given(model.remember(features))(words)
    h, v = np.zeros(5), features[0].numpy().mean(0)
    for t, word in enumerate(words[0].tolist()):
        h = np.tanh(rnn_sum(p, "cell", p["embedding.weight"][word], h) + linear(p, "image", v))
        assert np.abs(y.logits[0, t].numpy() - linear(p, "output", h)).max() <= 1e-12


def test_minds_eye_imagines_by_words_alone() -> None:
    model, words = build("minds_eye"), some_words(1, 5)
    p = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    one, other = (
        model.given(model.remember(features[None]))(words)[0] for features in some_features()
    )
    assert torch.equal(one.reconstruction, other.reconstruction)
    u = np.zeros(5)
    for t, word in enumerate(words[0].tolist()):
        u = np.tanh(rnn_sum(p, "visual", p["embedding.weight"][word], u))
        imagined = linear(p, "imagined", u)
        assert np.abs(one.reconstruction[0, t].detach().numpy() - imagined).max() <= 1e-12
