"""Language: predict the next token of a text."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import exp, log
from pathlib import Path
from typing import Any, overload

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.decoding import beam_search, sampled_tokens
from unrolled.errors import ConfigError, ReaderError
from unrolled.models import BigramLanguageModel, bigram_nats
from unrolled.readers.text import TextParts, hash_text, read_parts, read_texts
from unrolled.recurrence import Recurrence
from unrolled.tasks.language_networks import (
    Network,
    build_language_network,
    describe,
    restore_language_network,
)
from unrolled.tasks.language_options import LanguageOptions
from unrolled.tasks.language_samples import choose_prompt, observe_sample
from unrolled.tasks.model_folder import read_model, write_model
from unrolled.tasks.vocabulary import Vocabulary
from unrolled.training.device import seed_everything
from unrolled.training.loop import Counters, Poll, Progress, Training
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder
from unrolled.training.truncated_bptt import Chunk

_VALIDATION_STREAMS = 32
_EVALUATION_WINDOW = 1024


@dataclass(frozen=True)
class Score:
    """How well a model predicts a text.

    Args:
        part: which part of the text was scored.
        items: tokens that were predicted.
        characters: of the text that they stand for.
        nats_per_token: mean of -ln p(token | all before it).
        unknown: characters left out, or words that became <unk>.
        seen_in_training: characters left out because the model was trained on them.
    """

    part: str
    items: int
    characters: int
    nats_per_token: float
    unknown: int = 0
    seen_in_training: int = 0

    def figures(self) -> dict[str, Any]:
        """Return the figures for a report."""
        nats = self.nats_per_token * self.items / self.characters
        return {
            **asdict(self),
            "perplexity": exp(self.nats_per_token),
            "nats_per_character": nats,
            "bits_per_character": nats / log(2),
        }


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

        The vocabulary at level char is that of all parts, at level word that of train alone.
        """
        whole = text.train if data.level == "word" else text.train + text.valid + text.test
        vocabulary = Vocabulary.of(whole, data.level, min_count=data.min_count)
        network = build_language_network(name, len(vocabulary), options)
        model = describe(name, options)
        return cls(network, vocabulary, model, data.split, text.hashes(), text.files)

    @classmethod
    def load(cls, folder: str | Path, network: Network | None = None) -> "LanguageModel":
        """Read a model folder; the tensors go into ``network``, if one is given."""
        config, tensors = read_model(Path(folder), task="language")
        try:
            vocabulary = Vocabulary(config["level"], tuple(config["vocabulary"]))
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
            "level": self.vocabulary.level,
            "vocabulary": self.vocabulary.entries,
            "split": self.split,
            "parts": self.parts,
            "files": self.files,
            "figures": figures,
        }
        write_model(Path(folder), "language", config, self.network.state_dict())


class Streams(Sequence[Chunk]):
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

    @overload
    def __getitem__(self, number: int) -> Chunk: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Chunk]: ...
    def __getitem__(self, number: int | slice) -> Chunk | Sequence[Chunk]:
        if isinstance(number, slice):
            return [self[index] for index in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        number %= len(self)
        start, stop = number * self.window, (number + 1) * self.window
        return Chunk(self.x[:, start:stop], self.target[:, start:stop], number)


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean of -ln p(target)."""
    return F.cross_entropy(logits.flatten(0, 1), target.flatten())


@torch.no_grad()
def mean_nats(
    network: Recurrence[Any, Any, Any, Any], streams: Streams, poll: Poll = lambda: None
) -> float:
    """Return the mean of -ln p over all windows, the state carried from one to the next."""
    state, total = None, 0.0
    for chunk in streams:
        poll()
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
    validation = Streams(valid, _VALIDATION_STREAMS, _EVALUATION_WINDOW)
    notices = []
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


def share_learnt(nats: float, floor: float, vocabulary_size: int) -> float:
    """Return how far a model has come from knowing nothing to knowing all that can be known.

    Args:
        nats: what the model needs a token.
        floor: what the best reader needs, the entropy of the source.
        vocabulary_size: V; who knows nothing needs ln V.
    """
    return (log(vocabulary_size) - nats) / (log(vocabulary_size) - floor)


def evaluate(model: LanguageModel, text: TextParts, *, part: str | None = None) -> Score:
    """Score a model on a text, read from its beginning in one piece with the state carried.

    Args:
        model: a trained model.
        text: any text, in its parts.
        part: "train", "valid", "test", "held-out" (test, or else valid) or "all"; None takes the
            held-out part of the text that the model was trained on, and all of any other.
    """
    own = text.hashes() == model.parts
    if part is None:
        part = "held-out" if own and text.held_out else "all"
    chosen = {
        "train": text.train,
        "valid": text.valid,
        "test": text.test,
        "held-out": text.held_out,
        "all": text.train + text.valid + text.test,
    }.get(part)
    if chosen is None:
        raise ConfigError("a part: train, valid, test, held-out or all", repr(part))
    known, unknown = model.vocabulary.without_unknown(chosen)
    tokens = model.vocabulary.encode(known)
    if len(tokens) < 2:
        raise ReaderError(f"a part {part!r} of at least 2 tokens", str(len(tokens)))
    nats = mean_nats(model.network, Streams(tokens, 1, _EVALUATION_WINDOW))
    unknown = unknown or model.vocabulary.count_unknown(tokens)
    characters = len(known) - (1 if model.vocabulary.level == "char" else 0)
    return Score(part, len(tokens) - 1, characters, nats, unknown)


def evaluate_file(
    model: LanguageModel, source: str | Path, *, encoding: str = "utf-8", part: str | None = None
) -> Score:
    """Score a model on a file, a folder or a pattern, as ``evaluate`` does.

    Of data other than that of its training, files that training had a share in are left out and
    counted, unless ``part`` is "all".
    """
    text = read_parts(source, split=model.split, encoding=encoding)
    if part is not None or text.hashes() == model.parts:
        return evaluate(model, text, part=part)
    texts = read_texts(source, encoding=encoding).values()
    unseen = [text for text in texts if hash_text(text) not in model.files]
    if not unseen:
        raise ReaderError(
            f"text that the model was not trained on at {source}", "none", "or pass --part all"
        )
    seen = sum(map(len, texts)) - sum(map(len, unseen))
    return replace(evaluate(model, TextParts("".join(unseen))), seen_in_training=seen)


def written(
    model: LanguageModel,
    prompt: str | None = None,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    seed: int | None = None,
) -> Iterator[str]:
    """Write on from a prompt, one token after the other, without end.

    The network is used as it is, in eval() or in train().

    Args:
        model: a trained model.
        prompt: text that the model can read; None is a line end, or the model's first entry.
        temperature: divides the logits.
        top_k: draw among so many of the likeliest tokens.
        top_p: draw among the likeliest tokens that together have this probability.
        seed: of the draws; None draws anew every time.
    """
    if prompt is not None and not prompt:
        raise ConfigError("a prompt of at least one character", "an empty one", "leave it out")
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    tokens = prompt_tokens(model.vocabulary, prompt)[None]
    for drawn, _ in sampled_tokens(
        model.network,
        tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        generator=generator,
    ):
        yield model.vocabulary.decode(drawn)


def searched(
    model: LanguageModel, prompt: str | None = None, *, length: int, beam_size: int = 1
) -> str:
    """Return the likeliest continuation that a beam finds; a beam of 1 is greedy."""
    tokens = prompt_tokens(model.vocabulary, prompt)[None]
    found = beam_search(model.network, tokens, max_length=length, beam_size=beam_size)
    return model.vocabulary.decode(found.tokens[0, 0, : int(found.lengths[0, 0])])


def prompt_tokens(vocabulary: Vocabulary, prompt: str | None) -> Tensor:
    """Return the tokens of a prompt; of none, those of a line end or of the first entry."""
    if prompt is None:
        line_end = vocabulary.level == "word" or "\n" in vocabulary.entries
        prompt = "\n" if line_end else vocabulary.entries[0]
    return vocabulary.encode(prompt, what="the prompt")
