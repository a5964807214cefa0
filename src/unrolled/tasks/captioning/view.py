"""What the report of the captioning task shows: pictures with what was said of them, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from markupsafe import Markup
from torch import Tensor

from unrolled.reports.pictures import embedded, film_strip, shown_picture
from unrolled.tasks.captioning.attention import attention_sheet
from unrolled.tasks.captioning.data import CaptioningData
from unrolled.tasks.captioning.evaluation import CaptioningScore
from unrolled.tasks.captioning.model import Caption
from unrolled.training.history import History

_EXAMPLES = 6  # of good captions, and of failed ones
_ATTENDED = 4
_SIDE, _TILE = 144, 140  # pixels of a picture on the page, and of a tile of attention
_FRAMES = 6  # of a film that is shown


@dataclass(frozen=True)
class Described:
    """A picture, or a film, and what the model says of it.

    Args:
        name: of the picture.
        picture: as the network takes it.
        caption: the likeliest one.
        percent: its probability.
        references: what people said.
        right: whether it is one of those.
        true: whether it is true, where that is known.
        attention: where the model looked for every word; None where it does not look.
    """

    name: str
    picture: Markup
    caption: str
    percent: float
    references: tuple[str, ...]
    right: bool
    true: bool | None
    attention: Markup | None


@dataclass(frozen=True)
class Sampled:
    """A picture that was described again and again in training.

    Args:
        name: of the picture.
        picture: as the network takes it.
        captions: what was said: (step, seconds, caption), only where it is another than before.
    """

    name: str
    picture: Markup
    captions: list[tuple[int, float, str]]


def look_at_examples(
    data: CaptioningData, score: CaptioningScore
) -> tuple[list[Described], list[Described]]:
    """Return captions that are good, and failed ones, those first that the model doubts most.

    Good ones are one of their references, in the order of the data, spread over it; where there are
    none, those are good that are most alike to their references (CIDEr-D).
    """
    exact = score.exact
    good = _spread([n for n, right in enumerate(exact) if right])
    if not good:
        alike = score.each()["cider_d"]
        good = sorted(range(len(exact)), key=lambda n: -alike[n])[:_EXAMPLES]
    failed = [n for n, right in enumerate(exact) if not right and n not in good]
    failed.sort(key=lambda n: _likelihood(score.captions[n]))
    return (
        [described(data, score, n) for n in good],
        [described(data, score, n) for n in failed[:_EXAMPLES]],
    )


def look_at_attention(data: CaptioningData, score: CaptioningScore) -> list[Described]:
    """Return a few captions with where the model looked for every word; none if it does not."""
    looking = [n for n, found in enumerate(score.captions) if found and _looks(found[0])]
    return [described(data, score, n) for n in _spread(looking, _ATTENDED)]


def look_at_samples(data: CaptioningData, history: History) -> list[Sampled]:
    """Return what was said of the same held-out pictures while the model learnt."""
    said: dict[str, list[tuple[int, float, str]]] = {}
    for seen in history.observations.values():
        for name, caption in seen.found.get("captions", {}).items():
            before = said.setdefault(name, [])
            if not before or before[-1][2] != caption:
                before.append((seen.step, seen.seconds, caption))
    places = {item.name: number for number, item in enumerate(data.items)}
    return [
        Sampled(name, _picture(data.pixels(places[name]), name), captions)
        for name, captions in said.items()
        if name in places
    ]


def described(data: CaptioningData, score: CaptioningScore, number: int) -> Described:
    """Return one of the pictures that were scored, by its place among them."""
    pixels, name = data.pixels(score.numbers[number]), score.names[number]
    best = score.captions[number][0] if score.captions[number] else None
    return Described(
        name,
        _picture(pixels, name),
        "" if best is None else best.text,
        0.0 if best is None else 100 * exp(best.log_probability),
        score.references[number],
        score.exact[number],
        None if score.true is None else score.true[number],
        None if best is None else attention_of(pixels, best),
    )


def attention_of(pixels: Tensor, caption: Caption) -> Markup | None:
    """Return where a model looked for every word as an element of a page; None if it did not."""
    side = _TILE if caption.grid is not None else _TILE // 2
    sheet = attention_sheet(pixels, caption, side=side)
    if sheet is None:
        return None
    return embedded(sheet, "attention", f"where it looked: {caption.text}", "JPEG")


def _looks(caption: Caption) -> bool:
    return caption.weights is not None and bool(caption.words)


def _likelihood(found: Sequence[Caption]) -> float:
    """Return the mean log-probability of the words of the best caption, its end among them."""
    if not found:
        return float("-inf")
    return found[0].log_probability / (len(found[0].words) + 1)


def _spread(numbers: Sequence[int], count: int = _EXAMPLES) -> list[int]:
    """Return so many of them, evenly chosen."""
    if len(numbers) <= count:
        return list(numbers)
    return [numbers[round(n * (len(numbers) - 1) / (count - 1))] for n in range(count)]


def _picture(pixels: Tensor, words: str) -> Markup:
    if pixels.ndim == 4:  # a film
        return film_strip(pixels, columns=_FRAMES, words=words)
    return shown_picture(pixels, side=_SIDE, words=words)
