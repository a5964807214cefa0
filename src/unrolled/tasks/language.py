"""Language: predict the next character of a text."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.decoding import sampled_tokens
from unrolled.errors import ConfigError, ReaderError
from unrolled.models import RecurrentLanguageModel
from unrolled.recurrence import Recurrence
from unrolled.tasks.language_options import NetworkOptions
from unrolled.tasks.model_folder import read_model, write_model
from unrolled.tasks.vocabulary import Vocabulary
from unrolled.training.options import TrainingOptions
from unrolled.training.truncated_bptt import Chunk, Progress, Result, train

_HELD_OUT = 0.1  # share of a text, at its end
_VALIDATION_STREAMS = 32
_EVALUATION_WINDOW = 1024


@dataclass(frozen=True)
class Score:
    """How well a model predicts a text.

    Args:
        part: which part of the text: "held-out" or "all".
        characters: how many were predicted.
        nats_per_character: mean of -ln p(character | all before it).
    """

    part: str
    characters: int
    nats_per_character: float

    @property
    def bits_per_character(self) -> float:
        """The same in bits."""
        return self.nats_per_character / log(2)

    def figures(self) -> dict[str, Any]:
        """Return the figures for a report."""
        return {**asdict(self), "bits_per_character": self.bits_per_character}


@dataclass(frozen=True)
class LanguageModel:
    """A trained network with what is needed to use it.

    Args:
        network: gives logits ``[B, T, V]``.
        vocabulary: its characters.
        options: how the network was built.
        text_hash: SHA-256 of the text that it was trained on, whose end was held out.
    """

    network: Recurrence[Any, Any, Any, Any]
    vocabulary: Vocabulary
    options: NetworkOptions
    text_hash: str

    @classmethod
    def new(cls, text: str, options: NetworkOptions) -> "LanguageModel":
        """Return an untrained model for a text."""
        vocabulary = Vocabulary.of(text)
        network = RecurrentLanguageModel(len(vocabulary), **asdict(options))
        return cls(network, vocabulary, options, hash_text(text))

    @classmethod
    def load(cls, folder: str | Path) -> "LanguageModel":
        """Read a model folder."""
        config, tensors = read_model(Path(folder), task="language")
        try:
            options = NetworkOptions(**config["network"])
            vocabulary = Vocabulary(config["vocabulary"])
            network = RecurrentLanguageModel(len(vocabulary), **asdict(options))
            network.load_state_dict(tensors)
        except (KeyError, TypeError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise ReaderError(f"a language model in {folder}", reason) from None
        return cls(network.eval(), vocabulary, options, config["text_hash"])

    def save(self, folder: str | Path, figures: dict[str, Any]) -> None:
        """Write a model folder, enough by itself to evaluate and generate."""
        config = {
            "network": asdict(self.options),
            "vocabulary": self.vocabulary.characters,
            "text_hash": self.text_hash,
            "figures": figures,
        }
        write_model(Path(folder), "language", config, self.network.state_dict())


class Streams:
    """A text cut into B contiguous streams, read side by side in windows.

    Each stream goes on where its last window ended, so that carried state means something.

    Shapes: windows x [B, T], targets [B, T]: the characters one further on.
    """

    def __init__(self, tokens: Tensor, batch_size: int, window: int) -> None:
        length = (len(tokens) - 1) // batch_size
        if length < 1:
            raise ConfigError(
                f"more than {batch_size} characters, one for each of batch_size streams",
                str(len(tokens)),
                "take a longer text or a smaller batch size",
            )
        self.x = tokens[: batch_size * length].view(batch_size, length)
        self.target = tokens[1 : batch_size * length + 1].view(batch_size, length)
        self.window = window

    def __len__(self) -> int:
        return -(-self.x.shape[1] // self.window)

    def __iter__(self) -> Iterator[Chunk]:
        for start in range(0, self.x.shape[1], self.window):
            stop = start + self.window
            yield Chunk(self.x[:, start:stop], self.target[:, start:stop], begins=start == 0)


def hash_text(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def split_text(text: str) -> tuple[str, str]:
    """Return the part to learn from, and the end that is held out."""
    place = int((1 - _HELD_OUT) * len(text))
    if place < 2 or len(text) - place < 2:
        raise ReaderError("a text of at least 20 characters", f"{len(text)}")
    return text[:place], text[place:]


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean of -ln p(target)."""
    return F.cross_entropy(logits.flatten(0, 1), target.flatten())


@torch.no_grad()
def mean_nats(network: Recurrence[Any, Any, Any, Any], streams: Streams) -> float:
    """Return the mean of -ln p over all windows, the state carried from one to the next."""
    state, total = None, 0.0
    for chunk in streams:
        logits, state = network(chunk.x, state)
        total += loss_of(logits, chunk.target).item() * chunk.target.numel()
    return total / streams.target.numel()


def learn(
    text: str,
    network: NetworkOptions,
    options: TrainingOptions,
    *,
    report: Callable[[Progress, LanguageModel], None] = lambda _, __: None,
) -> tuple[LanguageModel, Result]:
    """Train a model on a text, the last tenth held out for validation.

    A text too short for the batch or the window makes them smaller.
    """
    torch.manual_seed(options.seed)
    model = LanguageModel.new(text, network)
    learnt, held_out = (model.vocabulary.encode(part) for part in split_text(text))
    batch_size = min(options.batch_size, len(learnt) - 1)
    streams = Streams(learnt, batch_size, options.window)
    validation = Streams(held_out, min(_VALIDATION_STREAMS, len(held_out) - 1), _EVALUATION_WINDOW)
    result = train(
        model.network,
        streams,
        loss_of,
        lambda: mean_nats(model.network, validation),
        options,
        report=lambda progress: report(progress, model),
    )
    return model, result


def share_learnt(nats: float, floor: float, vocabulary_size: int) -> float:
    """Return how far a model has come from knowing nothing to knowing all that can be known.

    Args:
        nats: what the model needs a character.
        floor: what the best reader needs, the entropy of the source.
        vocabulary_size: V; who knows nothing needs ln V.
    """
    return (log(vocabulary_size) - nats) / (log(vocabulary_size) - floor)


def evaluate(model: LanguageModel, text: str, *, part: str | None = None) -> Score:
    """Score a model on a text, read from its beginning in one piece with the state carried.

    Args:
        model: a trained model.
        text: any text of the model's characters.
        part: "held-out" for the last tenth, "all" for the whole; None takes the held-out part of
            the text that the model was trained on, and all of any other.
    """
    if part is None:
        part = "held-out" if hash_text(text) == model.text_hash else "all"
    if part not in ("held-out", "all"):
        raise ConfigError("a part: held-out or all", repr(part))
    chosen = split_text(text)[1] if part == "held-out" else text
    if len(chosen) < 2:
        raise ReaderError("a text of at least 2 characters", str(len(chosen)))
    streams = Streams(model.vocabulary.encode(chosen), 1, _EVALUATION_WINDOW)
    return Score(part, streams.target.numel(), mean_nats(model.network, streams))


def written(
    model: LanguageModel,
    prompt: str | None = None,
    *,
    temperature: float = 1.0,
    seed: int | None = None,
) -> Iterator[str]:
    """Write on from a prompt, one character after the other, without end.

    The network is used as it is, in eval() or in train().

    Args:
        model: a trained model.
        prompt: at least one character that the model knows; None is a line end, or the model's
            first character where it knows none.
        temperature: divides the logits.
        seed: of the draws; None draws anew every time.
    """
    if prompt is None:
        prompt = "\n" if "\n" in model.vocabulary.characters else model.vocabulary.characters[0]
    if not prompt:
        raise ConfigError("a prompt of at least one character", "an empty one", "leave it out")
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    tokens = model.vocabulary.encode(prompt, what="the prompt")[None]
    for drawn, _ in sampled_tokens(
        model.network, tokens, temperature=temperature, generator=generator
    ):
        yield model.vocabulary.decode(drawn)
