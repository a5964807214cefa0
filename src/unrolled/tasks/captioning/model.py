"""Captioning: say in a sentence what a picture shows, or what happens in a film."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import exp
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unrolled.decoding import beam_search
from unrolled.errors import ReaderError
from unrolled.models import PictureCaptioner
from unrolled.state import device_of, to
from unrolled.tasks.captioning.batches import NO_WORD, CaptionBatch, Seen, padded_words
from unrolled.tasks.captioning.learner import CaptionLearner
from unrolled.tasks.captioning.learning_options import DescribingOptions
from unrolled.tasks.captioning.networks import restore_captioner
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.vocabulary import CaptionVocabulary
from unrolled.tasks.model_folder import model_home, read_model, write_model
from unrolled.tasks.video.preprocessing import Preprocessing
from unrolled.training.configuration import read_options
from unrolled.training.loop import Poll
from unrolled.training.modes import evaluating

_ROWS = 160  # captions that are scored together


@dataclass(frozen=True)
class Caption:
    """A sentence that a model says of a picture.

    Args:
        words: of the sentence.
        log_probabilities: of each word, given the picture and the words before it.
        end_log_probability: of ending there; None where the longest length ended it.
        weights: where it looked for each word, ``[words, L]``, or None where it does not look.
        grid: the rows and columns of places that L counts, row by row; None for films.
    """

    words: tuple[str, ...]
    log_probabilities: tuple[float, ...]
    end_log_probability: float | None
    weights: Tensor | None
    grid: tuple[int, int] | None

    @property
    def text(self) -> str:
        """The sentence."""
        return " ".join(self.words)

    @property
    def log_probability(self) -> float:
        """Of the whole sentence, its end among it."""
        return sum(self.log_probabilities) + (self.end_log_probability or 0.0)

    def figures(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "caption": self.text,
            "probability": exp(self.log_probability),
            "log_probability": self.log_probability,
            "words": list(self.words),
            "log_probabilities": list(self.log_probabilities),
            "end_log_probability": self.end_log_probability,
            "grid": None if self.grid is None else list(self.grid),
            "attention": None if self.weights is None else self.weights.tolist(),
        }


@dataclass(frozen=True)
class CaptioningModel:
    """A captioner with what is needed to use it.

    Args:
        network: the captioner itself.
        vocabulary: the words that it knows.
        preprocessing: what it sees of a picture.
        model: the names of decoder and encoder in the registry, and their options.
        reading: how the data that it learnt from was read.
        describing: how captions are searched for.
        parts: for train, valid and test, the SHA-256 of every picture.
    """

    network: PictureCaptioner
    vocabulary: CaptionVocabulary
    preprocessing: Preprocessing
    model: dict[str, Any]
    reading: CaptioningOptions
    describing: DescribingOptions
    parts: dict[str, list[str]]

    @property
    def films(self) -> bool:
        """Whether it describes films, and not pictures."""
        return self.network.decoder.films

    @property
    def attends(self) -> bool:
        """Whether it says, word by word, where it looked."""
        decoder, length, device = self.network.decoder, 1, device_of(self.network)
        with torch.no_grad(), evaluating(self.network):
            features = torch.zeros(1, length, decoder.feature_size, device=device)
            word = torch.zeros(1, 1, dtype=torch.int64, device=device)
            y, _ = decoder.given(decoder.remember(features))(word)
        return hasattr(y, "weights")

    @property
    def grid(self) -> tuple[int, int] | None:
        """The rows and columns of places that it looks at; None for films."""
        return self.network.grid(self.preprocessing.height, self.preprocessing.width)

    def describe(self, pixels: Tensor, beam: int | None = None) -> list[Caption]:
        """Return the best captions of a picture or a film, likeliest first.

        Args:
            pixels: uint8 ``[C, H, W]``, or a film's ``[T, C, H, W]``, of any size.
            beam: how many hypotheses are kept, and captions returned; None for the model's own.
        """
        frames = pixels if self.films else pixels[None]
        seen = self.preprocessing.cut(self.preprocessing.resized(frames))
        return self.describe_batch(seen[None] if self.films else seen, beam)[0]

    @torch.no_grad()
    def describe_batch(self, pictures: Tensor, beam: int | None = None) -> list[list[Caption]]:
        """Return for each of ``pictures [N, ...]`` its best captions, likeliest first.

        Args:
            pictures: uint8, as the network takes them, or annotations of a frozen encoder.
            beam: as in ``describe``.
        """
        learner = CaptionLearner(self.network, self.preprocessing).eval()
        decoder, vocabulary = self.network.decoder, self.vocabulary
        device = device_of(self.network)
        bound = decoder.given(decoder.remember(learner.annotations(pictures)))
        found = beam_search(
            bound,
            torch.full((len(pictures), 1), vocabulary.start, device=device),
            max_length=self.reading.max_words + 1,
            stop=vocabulary.end,
            beam_size=beam or self.describing.beam,
            length_penalty=self.describing.length_penalty,
        )
        rows = [
            tokens[:length].tolist()
            for tokens, length in zip(
                found.tokens.flatten(0, 1), found.lengths.flatten(), strict=True
            )
        ]
        words, target = padded_words([row or [vocabulary.end] for row in rows], vocabulary.start)
        y, _ = bound(words.to(device))
        scores = word_scores(y.logits, target.to(device)).cpu()
        weights = y.weights.cpu() if hasattr(y, "weights") else None
        captions = [
            self._caption(row, scores[n], None if weights is None else weights[n])
            for n, row in enumerate(rows)
        ]
        width = found.tokens.shape[1]
        possible = (found.log_probabilities > -torch.inf).tolist()
        return [
            [captions[n * width + k] for k in range(width) if possible[n][k]]
            for n in range(len(pictures))
        ]

    def _caption(self, row: Sequence[int], scores: Tensor, weights: Tensor | None) -> Caption:
        finished = row[-1:] == [self.vocabulary.end]
        length = len(row) - finished
        values = scores[: len(row)].tolist()
        return Caption(
            tuple(self.vocabulary.entries[token] for token in row[:length]),
            tuple(values[:length]),
            values[length] if finished else None,
            None if weights is None else weights[:length].clone(),
            None if self.films else self.grid,
        )

    @classmethod
    def load(cls, folder: str | Path) -> "CaptioningModel":
        """Read a model folder.

        Raises:
            ReaderError: it is damaged, or a part of it is missing.
        """
        config, tensors = read_model(Path(folder), task="captioning")
        vocabulary = CaptionVocabulary.load(model_home(Path(folder)))
        try:
            preprocessing = Preprocessing.of(config["preprocessing"])
            reading = read_options(CaptioningOptions, config["reading"])
            describing = read_options(DescribingOptions, config["describing"])
            network = restore_captioner(config["model"], len(vocabulary), tensors)
            return cls(
                network,
                vocabulary,
                preprocessing,
                config["model"],
                reading,
                describing,
                config["parts"],
            )
        except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ReaderError(f"a captioning model in {folder}", reason) from None

    def save(self, folder: str | Path, figures: dict[str, Any]) -> None:
        """Write a model folder, enough by itself to evaluate and describe."""
        config = {
            "model": self.model,
            "preprocessing": self.preprocessing.figures(),
            "reading": asdict(self.reading),
            "describing": asdict(self.describing),
            "parts": self.parts,
            "figures": figures,
        }
        write_model(Path(folder), "captioning", config, self.network.state_dict())
        self.vocabulary.save(Path(folder))


def word_scores(logits: Tensor, target: Tensor) -> Tensor:
    """Return log p of every word ``[B, T]``; where there is none, that of another.

    Args:
        logits: ``[B, T, V]``.
        target: ``[B, T]``, ``NO_WORD`` where there is none.
    """
    return logits.log_softmax(-1).gather(2, target.clamp(min=0)[..., None])[..., 0]


@torch.no_grad()
def mean_nats(
    learner: CaptionLearner,
    seen: Seen,
    captions: Sequence[Sequence[Sequence[int]]],
    numbers: Sequence[int],
    start: int,
    poll: Poll = lambda: None,
) -> float:
    """Return the mean of -ln p(word) over all captions of some pictures, ``<end>`` a word too.

    Args:
        learner: in eval().
        seen: gives the pictures.
        captions: the tokens of every caption of every picture, by its number.
        numbers: of the pictures.
        start: the token ``<start>``.
        poll: is called between batches.
    """
    total, count, device = 0.0, 0, device_of(learner)
    for group in _groups(captions, numbers):
        poll()
        widest = max(len(captions[number]) for number in group)
        # Rows of one picture must be as many as those of the others: the last are empty.
        rows = [row for n in group for row in [*captions[n], *[()] * (widest - len(captions[n]))]]
        words, target = padded_words(rows, start)
        logits = learner(to(CaptionBatch(seen.batch(group), words), device=device)).logits
        valid = target != NO_WORD
        total -= float(word_scores(logits, target.to(device)).cpu()[valid].double().sum())
        count += int(valid.sum())
    return total / max(1, count)


def _groups(captions: Sequence[Sequence[Sequence[int]]], numbers: Sequence[int]) -> list[list[int]]:
    """Return the pictures in groups of about as many captions as are scored together."""
    groups: list[list[int]] = [[]]
    room = _ROWS
    for number in numbers:
        if groups[-1] and len(captions[number]) > room:
            groups.append([])
            room = _ROWS
        groups[-1].append(number)
        room -= len(captions[number])
    return groups
