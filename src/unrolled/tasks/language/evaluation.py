"""How well a language model predicts a text."""

from dataclasses import asdict, dataclass, replace
from math import exp, log
from pathlib import Path
from typing import Any

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.text import TextParts, hash_text, join_texts
from unrolled.tasks.language.data import read_language_parts, read_language_texts
from unrolled.tasks.language.model import LanguageModel, evaluation_streams, mean_nats


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
        files_left_out: files of a folder or a pattern that are no text.
    """

    part: str
    items: int
    characters: int
    nats_per_token: float
    unknown: int = 0
    seen_in_training: int = 0
    files_left_out: int = 0

    def figures(self) -> dict[str, Any]:
        """Return the figures for a report."""
        nats = self.nats_per_token * self.items / self.characters
        return {
            **asdict(self),
            "perplexity": exp(self.nats_per_token),
            "nats_per_character": nats,
            "bits_per_character": nats / log(2),
        }


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
    streams = evaluation_streams(tokens, 1, len(model.vocabulary))
    nats = mean_nats(model.network, streams)
    unknown = unknown or model.vocabulary.count_unknown(tokens)
    characters = len(known) - model.vocabulary.given(tokens)
    return Score(part, len(tokens) - 1, characters, nats, unknown)


def evaluate_file(
    model: LanguageModel, source: str | Path, *, encoding: str = "utf-8", part: str | None = None
) -> Score:
    """Score a model on a file, a folder or a pattern, as ``evaluate`` does.

    Of data other than that of its training, files that training had a share in are left out and
    counted, unless ``part`` is "all".
    """
    text = read_language_parts(source, split=model.split, encoding=encoding)
    if part is not None or text.hashes() == model.parts:
        return replace(evaluate(model, text, part=part), files_left_out=len(text.left_out))
    texts = read_language_texts(source, encoding=encoding).texts.values()
    unseen = [text for text in texts if hash_text(text) not in model.files]
    if not unseen:
        raise ReaderError(
            f"text that the model was not trained on at {source}", "none", "or pass --part all"
        )
    seen = sum(map(len, texts)) - sum(map(len, unseen))
    score = evaluate(model, TextParts(join_texts(unseen)))
    return replace(score, seen_in_training=seen, files_left_out=len(text.left_out))


def share_learnt(nats: float, floor: float, vocabulary_size: int) -> float:
    """Return how far a model has come from knowing nothing to knowing all that can be known.

    Args:
        nats: what the model needs a token.
        floor: what the best reader needs, the entropy of the source.
        vocabulary_size: V; who knows nothing needs ln V.
    """
    return (log(vocabulary_size) - nats) / (log(vocabulary_size) - floor)
