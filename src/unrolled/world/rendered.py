"""The rendered world: clips of moving shapes, made when they are asked for."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import log

from unrolled.errors import ConfigError
from unrolled.world.animation import animate
from unrolled.world.clip import Clip
from unrolled.world.draws import Draws
from unrolled.world.narration import CAST, CROWD, Deed, Narration, Narrator, understand
from unrolled.world.stage import Stage

_LIMITS = {"height": 32, "width": 32, "events_per_clip": 1, "events_before": 0}
_LIMITS |= {"frames_per_event": 12, "seed": 0}


@dataclass(frozen=True)
class World:
    """Clips without end, each with its narration and everything that is true of it.

    A story is drawn from the grammar of ``Narrator``, and then acted so that each event is seen.
    Clip i depends on the seed, i and the sizes alone: on any machine it is the same bytes.

    Args:
        seed: of the stories and of the scenes.
        height: of a frame in pixels.
        width: of a frame in pixels.
        events_per_clip: sentences that a clip shows.
        events_before: sentences that have gone by when a clip begins; 0 begins with nobody there.
        frames_per_event: frames that one sentence takes, at ``FRAME_RATE_HZ``.
    Raises:
        ConfigError: a number is below what can be shown.
    Example:
        >>> clip = World(seed=1).clip(0)
        >>> clip.frames.shape, clip.frames.dtype
        ((80, 3, 64, 64), dtype('uint8'))
        >>> clip.events[0].sentence == clip.text.splitlines()[0]
        True
    """

    seed: int = 0
    height: int = 64
    width: int = 64
    events_per_clip: int = 4
    events_before: int = 0
    frames_per_event: int = 20

    def __post_init__(self) -> None:
        for name, least in _LIMITS.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} of at least {least}", str(getattr(self, name)))

    def clip(self, index: int) -> Clip:
        """Return the clip of a number; any takes as long as the first."""
        if index < 0:
            raise ConfigError("a clip's number of at least 0", str(index))
        generator, narrator = random.Random(f"{self.seed}/{index}"), Narrator()
        for _ in range(self.events_before):
            narrator.speak(generator)
        opening = tuple(narrator.stage)
        sentences = [narrator.speak(generator)[0] for _ in range(self.events_per_clip)]
        return self._animate(sentences, opening, generator)

    def clips(self, start: int = 0) -> Iterator[Clip]:
        """Yield clips without end, from that of number ``start`` on; none is kept."""
        return (self.clip(index) for index in count(start))

    def show(self, text: str, *, opening: tuple[str, ...] = ()) -> Clip:
        """Return a clip of a story that is given, one sentence a line.

        Args:
            text: what happens.
            opening: the names of those who are there already, such as "red circle".
        Raises:
            ConfigError: a sentence is not of the grammar, or cannot happen when it is told.
        Example:
            >>> clip = World().show("a red circle enters from the left.\\nthe red circle grows.\\n")
            >>> first, last = clip.objects[19][0], clip.objects[39][0]
            >>> last.size_pixels > first.size_pixels
            True
        """
        return self._animate(text.splitlines(), opening, random.Random(f"{self.seed}/{text}"))

    def _animate(
        self, sentences: list[str], opening: tuple[str, ...], generator: random.Random
    ) -> Clip:
        narration, deeds = _told(sentences, opening)
        stage = Stage(self.height, self.width, self.frames_per_event)
        return animate(stage, deeds, opening, narration, Draws(generator.getrandbits(64)))


def _told(sentences: list[str], opening: tuple[str, ...]) -> tuple[Narration, list[Deed]]:
    """Return a story with its information, given who is there at its beginning."""
    if not sentences:
        raise ConfigError("a story of at least one sentence", "none")
    if len(set(opening) & set(CAST)) < len(opening) or len(opening) > CROWD:
        raise ConfigError(f"at most {CROWD} unlike names such as {CAST[0]!r}", str(opening))
    narrator, nats, deeds = Narrator(), 0.0, []
    narrator.stage = list(opening)
    for sentence in sentences:
        deed, probability = understand(sentence), narrator.accept(sentence)
        if deed is None or probability == 0:
            there = ", ".join(narrator.stage) or "nobody"
            cure = f"tell what can happen with {there} on the stage"
            raise ConfigError("a sentence that can happen", repr(sentence), cure)
        deeds.append(deed)
        nats -= log(probability)
    return Narration("".join(sentence + "\n" for sentence in sentences), nats), deeds
