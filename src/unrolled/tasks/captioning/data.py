"""What the captioning task learns from: pictures or films with their captions."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from unrolled.errors import ReaderError
from unrolled.metrics import caption_words
from unrolled.tasks.captioning.files import CaptionItem, read_caption_files
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.split import split_pictures
from unrolled.tasks.captioning.vocabulary import CaptionVocabulary
from unrolled.tasks.learning import Show
from unrolled.training.configuration import expand_path
from unrolled.world import Scene, SceneFilm, SceneWorld

__all__ = ["WORLD", "CaptionItem", "CaptioningData", "read_captioning_data"]

WORLD = "world"  # names the embedded data; a file of this name is ./world
WORLD_SEED = 0


@dataclass(frozen=True)
class CaptioningData:
    """Pictures or films with their captions.

    Args:
        source: what was read.
        films: whether they are films.
        items: all that is usable.
        rejected: what is not usable, with the reason.
        damaged: captions that were left out of what is used, with the reason.
        vocabulary: the words of what is learnt from.
        parts: the numbers of the items of train, valid and test.
        digest: SHA-256 of all of it, by which a run knows its data again.
        pixels: gives item i, resized: uint8 [3, H, W], or [T, 3, H, W] of a film.
        true: tells whether a sentence is true of item i, where that can be known; else None.
        notices: what the caller should know, a sentence each.
    """

    source: str
    films: bool
    items: Sequence[CaptionItem]
    rejected: tuple[tuple[str, str], ...]
    damaged: tuple[tuple[str, str], ...]
    vocabulary: CaptionVocabulary
    parts: dict[str, list[int]]
    digest: str
    pixels: Callable[[int], Tensor]
    true: Callable[[int, str], bool] | None = None
    notices: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Items used and rejected."""
        return len(self.items) + len(self.rejected)

    def tokens(self, vocabulary: CaptionVocabulary, max_words: int) -> list[list[list[int]]]:
        """Return the tokens of every caption of every item, cut after so many words, and ``<end>``.

        A caption of which no word is left is none.
        """
        found: list[list[list[int]]] = []
        for captions in self.words:
            rows = [vocabulary.encode_words(words[:max_words]) for words in captions]
            found.append([[*row, vocabulary.end] for row in rows if row])
        return found

    @cached_property
    def words(self) -> list[list[list[str]]]:
        """The words of every caption of every item."""
        every = iter(caption_words([said for item in self.items for said in item.captions]))
        return [[next(every) for _ in item.captions] for item in self.items]

    def judged(self, numbers: Sequence[int], sentences: Sequence[str]) -> tuple[bool, ...] | None:
        """Return whether each sentence is true of its item; None where the data cannot tell."""
        if self.true is None:
            return None
        return tuple(self.true(n, said) for n, said in zip(numbers, sentences, strict=True))


def read_captioning_data(
    source: str,
    options: CaptioningOptions,
    *,
    films: bool = False,
    seed: int = 0,
    show: Show = lambda *_: None,
) -> CaptioningData:
    """Find pictures or films and their captions, in files or in the embedded world.

    Args:
        source: "world", or a file or a folder of captions.
        options: how it is read.
        films: whether films are wanted, and not pictures.
        seed: of the split, where the data has none of its own.
        show: is told how far it is.
    Raises:
        ReaderError: there is nothing to learn from, or with ``strict`` anything is damaged.
    """
    if options.images is not None:
        options = replace(options, images=expand_path(options.images))
    if source == WORLD:
        return _world(options, films, seed)
    found = read_caption_files(source, options, films=films, show=show)
    parts = split_pictures(
        [item.digest for item in found.items], found.named_parts, options.split, seed=seed
    )
    if not parts["train"]:
        raise ReaderError(f"captioned pictures to train on in {source}", "none")
    told = CaptioningData(
        source,
        films,
        found.items,
        found.rejected,
        found.damaged,
        CaptionVocabulary(()),
        parts,
        _digest(" ".join(f"{item.digest} {item.captions}" for item in found.items)),
        found.pixels,
    )
    learnt = [words for number in parts["train"] for words in told.words[number]]
    vocabulary = CaptionVocabulary.of(learnt, min_count=options.min_count)
    return replace(told, vocabulary=vocabulary, notices=_notices(told, options))


def _notices(data: CaptioningData, options: CaptioningOptions) -> tuple[str, ...]:
    found = []
    kind = "films" if data.films else "pictures"
    for words, faults in (("rejected", data.rejected), ("captions left out", data.damaged)):
        if faults:
            name, reason = faults[0]
            of = f" of {data.total:,} {kind}" if words == "rejected" else ""
            found.append(f"{len(faults):,}{of} {words}, first {name}: {reason}")
    outside = len(data.items) - sum(map(len, data.parts.values()))
    if outside:
        found.append(f"{outside:,} {kind} are in none of the parts that the data itself names")
    lengths = [len(words) for captions in data.words for words in captions]
    long = sum(length > options.max_words for length in lengths)
    if long:
        found.append(
            f"{long:,} of {len(lengths):,} captions are longer than {options.max_words} words: "
            "they are cut there when they are learnt from"
        )
    return tuple(found)


def _world(options: CaptioningOptions, films: bool, seed: int) -> CaptioningData:
    world = SceneWorld(
        seed=WORLD_SEED, height=options.height, width=options.width, frames=options.frames
    )
    number = range(options.scenes)
    kind = "film" if films else "scene"
    shown = [world.film(n) if films else world.scene(n) for n in number]
    digests = [_digest(f"{kind} of {world} {n}") for n in number]
    items = tuple(_world_item(f"{kind} {n}", shown[n], digests[n]) for n in number)

    def pixels(n: int) -> Tensor:
        seen = shown[n]
        return torch.from_numpy(seen.frames if isinstance(seen, SceneFilm) else seen.pixels)

    return CaptioningData(
        WORLD,
        films,
        items,
        (),
        (),
        CaptionVocabulary.of([[word] for word in world.words]),
        split_pictures(digests, [None] * len(digests), options.split, seed=seed),
        _digest(f"{options.scenes} {kind}s of {world}"),
        pixels,
        lambda n, sentence: shown[n].accepts(sentence),
    )


def _world_item(name: str, shown: Scene | SceneFilm, digest: str) -> CaptionItem:
    objects = shown.objects if isinstance(shown, Scene) else None  # those of a film move
    return CaptionItem(name, shown.captions, objects, digest)


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
