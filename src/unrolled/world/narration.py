"""A narration of moving shapes: text whose entropy is known, because its grammar is.

Shapes enter a stage, turn, grow, shrink, meet, pass behind each other and leave, one sentence an
event. Who may act depends on who is on the stage, so that a reader has to remember.
"""

import random
import re
from dataclasses import dataclass
from itertools import product
from math import log
from typing import NamedTuple

COLOURS = ("red", "green", "blue", "yellow")
SHAPES = ("circle", "square", "triangle")
SIDES = ("left", "right", "top", "bottom")
TURNS = ("left", "right", "around")
CAST = tuple(f"{colour} {shape}" for colour, shape in product(COLOURS, SHAPES))

CROWD = 4  # shapes on the stage at most
_WEIGHTS = {"enters": 3, "leaves": 2, "turns": 2, "grows": 1, "shrinks": 1, "meets": 2, "passes": 2}
_FORMS = {
    "enters": "a {who} enters from the {side}.",
    "leaves": "the {who} leaves to the {side}.",
    "turns": "the {who} turns {turn}.",
    "grows": "the {who} grows.",
    "shrinks": "the {who} shrinks.",
    "meets": "the {who} meets the {other}.",
    "passes": "the {who} passes behind the {other}.",
}


class Deed(NamedTuple):
    """What a sentence says: who does what, and where to, how or to whom, where that applies."""

    verb: str
    who: str
    side: str | None = None
    turn: str | None = None
    other: str | None = None

    @property
    def sentence(self) -> str:
        """The sentence that says it."""
        return _FORMS[self.verb].format(**self._asdict())


def understand(sentence: str) -> Deed | None:
    """Return what a sentence says, or None if it is not of the grammar's form.

    Example:
        >>> understand("the red circle passes behind the blue square.")
        Deed(verb='passes', who='red circle', side=None, turn=None, other='blue square')
        >>> understand("the red circle sings.")
    """
    for verb, pattern in _PATTERNS.items():
        if match := pattern.fullmatch(sentence):
            return Deed(verb, **match.groupdict())
    return None


@dataclass(frozen=True)
class Narration:
    """A text, and the information in it.

    Args:
        text: one sentence a line.
        nats: minus the log-probability of the text under the grammar that made it: no reader
            can, on average, predict it with fewer.
    """

    text: str
    nats: float

    @property
    def nats_per_character(self) -> float:
        """The floor that a language model of this text can reach."""
        return self.nats / len(self.text)


class Narrator:
    """The grammar, and the stage that it speaks of: makes sentences, and judges them.

    Example:
        >>> narrator = Narrator()
        >>> narrator.accept("a red circle enters from the left.") > 0
        True
        >>> narrator.accept("the blue square grows.")
        0.0
    """

    def __init__(self) -> None:
        self.stage: list[str] = []

    def events(self) -> dict[str, float]:
        """Return the events that can happen next, with their probabilities."""
        possible = {
            event: weight
            for event, weight in _WEIGHTS.items()
            if (event == "enters" and len(self.stage) < CROWD)
            or (event in ("meets", "passes") and len(self.stage) >= 2)
            or (event in ("leaves", "turns", "grows", "shrinks") and self.stage)
        }
        total = sum(possible.values())
        return {event: weight / total for event, weight in possible.items()}

    def slots(self, event: str, who: str | None = None) -> dict[str, list[str]]:
        """Return what each slot of a sentence may hold, every value equally likely."""
        actors = [shape for shape in CAST if (shape in self.stage) != (event == "enters")]
        form = _FORMS[event]
        choices = {"who": actors}
        if "{side}" in form:
            choices["side"] = list(SIDES)
        if "{turn}" in form:
            choices["turn"] = list(TURNS)
        if "{other}" in form:
            choices["other"] = [shape for shape in actors if shape != who]
        return choices

    def speak(self, generator: random.Random) -> tuple[str, float]:
        """Let something happen; return the sentence and its probability."""
        events = self.events()
        event = generator.choices(list(events), list(events.values()))[0]
        who = generator.choice(self.slots(event)["who"])
        filled = {
            name: who if name == "who" else generator.choice(choices)
            for name, choices in self.slots(event, who).items()
        }
        sentence = _FORMS[event].format(**filled)
        return sentence, self.accept(sentence)

    def accept(self, sentence: str) -> float:
        """Return the probability of a sentence here and now, 0 if it cannot be, and live it."""
        deed, events = understand(sentence), self.events()
        if deed is None or deed.verb not in events:
            return 0.0
        probability = events[deed.verb]
        for name, choices in self.slots(deed.verb, deed.who).items():
            probability *= (getattr(deed, name) in choices) / len(choices)
        if probability > 0:
            self._move(deed.verb, deed.who)
        return probability

    def _move(self, event: str, who: str) -> None:
        if event == "enters":
            self.stage.append(who)
        elif event == "leaves":
            self.stage.remove(who)


def narrate(num_sentences: int, *, seed: int = 0) -> Narration:
    """Tell ``num_sentences`` events; the same seed tells the same story.

    Example:
        >>> print(narrate(2, seed=1).text, end="")
        a red square enters from the top.
        a blue triangle enters from the bottom.
    """
    generator, narrator = random.Random(seed), Narrator()
    sentences, nats = [], 0.0
    for _ in range(num_sentences):
        sentence, probability = narrator.speak(generator)
        sentences.append(sentence + "\n")
        nats -= log(probability)
    return Narration("".join(sentences), nats)


@dataclass(frozen=True)
class Judgement:
    """How many of some sentences are of the grammar's form, and how many can happen.

    Args:
        sentences: how many were judged.
        grammatical: how many could be said of some stage.
        possible: how many could be said of the stage as it then was.
    """

    sentences: int
    grammatical: int
    possible: int


def judge(text: str, *, story: str = "") -> Judgement:
    """Judge the whole sentences of ``text``, told on after ``story``.

    A sentence that cannot happen is counted, and leaves the stage as it was.

    Example:
        >>> judge("the red circle grows.\\nthe blue square grows.\\nthe the.\\n",
        ...       story="a red circle enters from the left.\\n")
        Judgement(sentences=3, grammatical=2, possible=1)
    """
    narrator = Narrator()
    for sentence in story.splitlines():
        narrator.accept(sentence)
    sentences = text.split("\n")[:-1]
    grammatical = sum(understand(sentence) is not None for sentence in sentences)
    possible = sum(narrator.accept(sentence) > 0 for sentence in sentences)
    return Judgement(len(sentences), grammatical, possible)


def _pattern(form: str) -> re.Pattern[str]:
    """Return a form as a regular expression, with what each slot may ever hold."""
    cast = "|".join(CAST)
    held = {"who": cast, "other": cast, "side": "|".join(SIDES), "turn": "|".join(TURNS)}
    slots = re.sub(r"\\{(\w+)\\}", lambda slot: f"(?P<{slot[1]}>{held[slot[1]]})", re.escape(form))
    return re.compile(slots)


_PATTERNS = {verb: _pattern(form) for verb, form in _FORMS.items()}
