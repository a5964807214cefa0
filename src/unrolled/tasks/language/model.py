"""Language: predict the next token of a text."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.errors import ReaderError
from unrolled.models import BigramLanguageModel, bigram_nats
from unrolled.readers.text import TextParts, tell_left_out
from unrolled.recurrence import Recurrence
from unrolled.state import device_of
from unrolled.tasks.language.networks import (
    Network,
    build_language_network,
    describe,
    restore_language_network,
)
from unrolled.tasks.language.options import LanguageOptions
from unrolled.tasks.language.samples import choose_prompt, observe_sample
from unrolled.tasks.loading import Chunks
from unrolled.tasks.model_folder import model_home, read_model, write_model
from unrolled.tasks.vocabulary import (
    Vocabulary,
    build_vocabulary,
    load_vocabulary,
    save_vocabulary,
)
from unrolled.training.device import seed_everything
from unrolled.training.loop import Counters, Poll, Progress, Training
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder
from unrolled.training.truncated_bptt import Chunk

_VALIDATION_STREAMS = 32
_EVALUATION_WINDOW = 1024
_SCORES = 1 << 24  # that an evaluation holds at a time: 64 MiB


@dataclass(frozen=True)
class LanguageModel:
    """A network with what is needed to use it.

    Args:
        network: gives logits ``[B, T, V]``.
        vocabulary: what its tokens stand for.
        model: the name of the network in the registry, and its options; or its class.
        split: how the text that it was trained on was split.
        parts: SHA-256 of each part of that text.
        files: SHA-256 of every file that training had a share in.
    """

    network: Recurrence[Any, Any, Any, Any]
    vocabulary: Vocabulary
    model: dict[str, Any]
    split: str
    parts: dict[str, str]
    files: list[str]

    @classmethod
    def new(
        cls, text: TextParts, data: LanguageOptions, name: str | Network, options: dict[str, Any]
    ) -> "LanguageModel":
        """Return an untrained model for a text.

        The vocabulary at level char is that of all parts, at the others that of train alone.
        """
        vocabulary = build_vocabulary(text.train, text.valid + text.test, data)
        network = build_language_network(name, len(vocabulary), options)
        model = describe(name, options)
        return cls(network, vocabulary, model, data.split, text.hashes(), text.files)

    @classmethod
    def load(cls, folder: str | Path, network: Network | None = None) -> "LanguageModel":
        """Read a model folder; the tensors go into ``network``, if one is given."""
        config, tensors = read_model(Path(folder), task="language")
        try:
            vocabulary = load_vocabulary(config, model_home(Path(folder)))
            model = config["model"]
            network = restore_language_network(model, len(vocabulary), tensors, network)
            split, parts, files = config["split"], config["parts"], config["files"]
            return cls(network, vocabulary, model, split, parts, files)
        except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ReaderError(f"a language model in {folder}", reason) from None

    def save(self, folder: str | Path, figures: dict[str, Any]) -> None:
        """Write a model folder, enough by itself to evaluate, predict and generate."""
        config = {
            "model": self.model,
            **save_vocabulary(self.vocabulary, Path(folder)),
            "split": self.split,
            "parts": self.parts,
            "files": self.files,
            "figures": figures,
        }
        write_model(Path(folder), "language", config, self.network.state_dict())


class Streams(Chunks):
    """A text cut into B contiguous streams, read side by side in windows.

    Each stream goes on where its last window ended, so that carried state means something. A text
    too short for B streams of one window makes fewer; one too short for a window is the window.

    Shapes: windows x [B, T], targets [B, T]: the tokens one further on.
    """

    def __init__(self, tokens: Tensor, batch_size: int, window: int) -> None:
        if len(tokens) < 2:
            raise ReaderError("a text of at least 2 tokens", str(len(tokens)))
        batch_size = max(1, min(batch_size, (len(tokens) - 1) // window))
        length = (len(tokens) - 1) // batch_size
        self.x = tokens[: batch_size * length].view(batch_size, length)
        self.target = tokens[1 : batch_size * length + 1].view(batch_size, length)
        self.window = min(window, length)

    def __len__(self) -> int:
        return -(-self.x.shape[1] // self.window)

    def _chunk(self, number: int) -> Chunk:
        start, stop = number * self.window, (number + 1) * self.window
        return Chunk(self.x[:, start:stop], self.target[:, start:stop], number)


def evaluation_streams(tokens: Tensor, batch_size: int, vocabulary_size: int) -> Streams:
    """Return windows as long as their scores have room; no figure depends on the length."""
    room = _SCORES // (batch_size * vocabulary_size)
    return Streams(tokens, batch_size, max(1, min(_EVALUATION_WINDOW, room)))


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean of -ln p(target)."""
    return F.cross_entropy(logits.flatten(0, 1), target.flatten())


@torch.no_grad()
def mean_nats(
    network: Recurrence[Any, Any, Any, Any], streams: Streams, poll: Poll = lambda: None
) -> float:
    """Return the mean of -ln p over all windows, the state carried from one to the next."""
    state, total, device = None, 0.0, device_of(network)
    for chunk in streams:
        poll()
        chunk = chunk.on(device)
        logits, state = network(chunk.x, state)
        total += loss_of(logits, chunk.target).item() * chunk.target.numel()
    return total / streams.target.numel()


@dataclass(frozen=True)
class Learning:
    """A run on a text, ready to begin or to go on.

    Args:
        model: what learns.
        training: the loop; its counters say where it stands.
        streams: the part that is learnt from.
        validation: the part that validates.
        baseline: nats a token of the bigram model on that part.
        prompt: tokens from which samples are drawn as it learns.
        notices: what the caller should know of the text, a sentence each.
    """

    model: LanguageModel
    training: Training
    streams: Streams
    validation: Streams
    baseline: float
    prompt: Tensor
    notices: list[str]

    @property
    def counters(self) -> Counters:
        """Where the run stands."""
        return self.training.counters


def prepare(
    text: TextParts,
    name: str | Network = "lstm",
    options: dict[str, Any] | None = None,
    *,
    data: LanguageOptions = LanguageOptions(),  # noqa: B008 (frozen)
    training: TrainingOptions = TrainingOptions(),  # noqa: B008 (frozen)
    folder: RunFolder | None = None,
    report: Callable[[Progress, LanguageModel], None] = lambda _, __: None,
) -> Learning:
    """Get a run on a text ready.

    Args:
        text: in its parts.
        name: of the network or cell in the registry, or a network.
        options: of the network, where it has a name.
        data: how the text is read.
        training: how long and how.
        folder: where log and checkpoints go.
        report: is told of every update and validation.
    """
    seed_everything(training.seed)
    model = LanguageModel.new(text, data, name, options or {})
    learnt = model.vocabulary.encode(text.train)
    streams = Streams(learnt, training.batch_size, training.window)
    valid = model.vocabulary.encode(text.valid or text.test) if text.held_out else learnt
    validation = evaluation_streams(valid, _VALIDATION_STREAMS, len(model.vocabulary))
    notices = tell_left_out(text.left_out)
    if not text.held_out:
        notices.append("the text is too short to hold a part out: validation is on what is learnt")
    if streams.window < training.window:
        notices.append(f"the text is shorter than the window, which becomes {streams.window}")
        training = replace(training, window=streams.window, backward_steps=None)
    if isinstance(model.network, BigramLanguageModel):
        model.network.count(learnt)
    prompt = choose_prompt(model.vocabulary, valid)
    loop = Training(
        model.network,
        streams,
        loss_of,
        lambda poll: mean_nats(model.network, validation, poll),
        training,
        folder=folder,
        report=lambda progress: report(progress, model),
        observe=partial(observe_sample, model.network, model.vocabulary, prompt),
    )
    baseline = bigram_nats(learnt, valid, len(model.vocabulary))
    return Learning(model, loop, streams, validation, baseline, prompt, notices)
