"""What the report of the language task shows: where a run stands, what it reads, what it writes."""

from dataclasses import dataclass
from math import exp, isfinite, log

from unrolled.diagnostics import Balance, bracket_balance, environment_balance, total_balance
from unrolled.readers.text import hash_text
from unrolled.tasks.language.evaluation import share_learnt
from unrolled.tasks.language.model import Learning
from unrolled.tasks.language.samples import continuations

_STREAMS_SHOWN, _CHARACTERS_SHOWN, _PAIRS_SHOWN = 3, 420, 10
_WRITTEN = {"char": 600, "word": 120, "bpe": 200}  # tokens written once the run is over
_PIECES, _LENGTHENED = 8, 2  # pieces, and how much longer, where there are brackets to count
_CHARACTERS_COUNTED = 1_000_000  # of the training text
_BRACKETS_FROM = 1e-3  # so many pairs a character make a text one with brackets
_KINDS_SHOWN = 10
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Mark:
    """A place on the scale from knowing nothing to knowing all that can be known.

    Args:
        name: what stands there.
        value: its nats a token.
        percent: of the way.
        kind: "model" or "other".
    """

    name: str
    value: str
    percent: float
    kind: str = "other"


@dataclass(frozen=True)
class Standing:
    """Where a run stands, in figures.

    Args:
        unit: what a token is: "character", "word" or "token".
        best: nats a token of the best validation; None before the first.
        baseline: those of the bigram model.
        floor: those of the best of readers, if known.
        vocabulary_size: V.
        held_out: whether the part that validates is not learnt from.
        tokens_a_second: that were learnt from.
    """

    unit: str
    best: float | None
    baseline: float
    floor: float | None
    vocabulary_size: int
    held_out: bool
    tokens_a_second: float | None

    @classmethod
    def of(cls, learning: Learning, floor: float | None) -> "Standing":
        """Gather them."""
        counters, nothing = learning.counters, hash_text("")
        epochs = counters.epoch + counters.position / len(learning.streams)
        tokens = epochs * learning.streams.target.numel() if counters.step else 0
        return cls(
            unit=learning.model.vocabulary.unit,
            best=counters.best if isfinite(counters.best) else None,
            baseline=learning.baseline,
            floor=floor,
            vocabulary_size=len(learning.model.vocabulary),
            held_out=any(learning.model.parts[part] != nothing for part in ("valid", "test")),
            tokens_a_second=tokens / counters.seconds if tokens and counters.seconds else None,
        )

    @property
    def perplexity(self) -> float | None:
        """exp(nats)."""
        return None if self.best is None else exp(min(self.best, 700.0))

    @property
    def bits(self) -> float | None:
        """nats / ln 2."""
        return None if self.best is None else self.best / log(2)

    @property
    def share_learnt(self) -> float | None:
        """How much of what can be learnt is learnt; None where the floor is not known."""
        if self.best is None or self.floor is None:
            return None
        return share_learnt(self.best, self.floor, self.vocabulary_size)

    @property
    def marks(self) -> list[Mark]:
        """The scale, from ln V to the floor, or to 0 where that is not known."""
        start, end = log(self.vocabulary_size), self.floor or 0.0
        named = {"knowing nothing": start, "bigram model": self.baseline}
        named["all foreseen" if self.floor is None else "floor"] = end
        if self.best is not None:
            named["this model"] = self.best
        width = (start - end) or 1.0
        return [
            Mark(
                name,
                f"{nats:.4f}" if nats else "0",
                min(100.0, max(0.0, 100 * (start - nats) / width)),
                "model" if name == "this model" else "other",
            )
            for name, nats in named.items()
        ]


@dataclass(frozen=True)
class Seen:
    """What the network read.

    Args:
        window: steps of one.
        num_streams: that are read side by side.
        streams: the beginnings of the first few, cut into windows.
        pairs: of the first one, token by token: what is read, its number, what is to come.
    """

    window: int
    num_streams: int
    streams: list[list[str]]
    pairs: list[tuple[str, int, str]]


def look_at_data(learning: Learning) -> Seen:
    """Return a stretch of what the run reads."""
    vocabulary, data = learning.model.vocabulary, learning.streams
    streams = []
    for row in data.x[:_STREAMS_SHOWN]:
        left, windows = _CHARACTERS_SHOWN, []
        for window in row.split(data.window):
            text = vocabulary.decode(window[:left])[:left]
            windows.append(text)
            left -= len(text)
            if left <= 0:
                break
        streams.append(windows)
    pairs = zip(data.x[0, :_PAIRS_SHOWN], data.target[0], strict=False)
    show = vocabulary.entries.__getitem__
    return Seen(
        data.window,
        len(data.x),
        streams,
        [(show(int(x)), int(x), show(int(y))) for x, y in pairs],
    )


@dataclass(frozen=True)
class BalanceRow:
    """Brackets of one kind, or environments of one name, as they are and as they are written."""

    kind: str
    read: Balance
    written: Balance


@dataclass(frozen=True)
class Writing:
    """What the model writes once the run is over.

    Args:
        text: after the prompt.
        balances: of brackets and environments, where the training text has them.
        pieces: how many were written to count them.
        length: tokens of each.
    """

    text: str
    balances: list[BalanceRow]
    pieces: int
    length: int


def look_at_writing(learning: Learning) -> Writing:
    """Let the model write, and count its brackets where the training text has such."""
    vocabulary = learning.model.vocabulary
    length = _WRITTEN[vocabulary.level]
    text = vocabulary.decode(learning.streams.x.flatten()[:_CHARACTERS_COUNTED])
    read = _balances([text[:_CHARACTERS_COUNTED]])
    counted = sum(balance.closed for balance in read.values()) > _BRACKETS_FROM * len(text)
    count, longer = (_PIECES, _LENGTHENED) if counted else (1, 1)
    written = continuations(
        learning.model.network, vocabulary, learning.prompt, length=longer * length, count=count
    )
    prompt = vocabulary.decode(learning.prompt)
    found = _balances([prompt + piece for piece in written])
    shown = [kind for kind in read if read[kind].closed][:_KINDS_SHOWN]
    rows = [BalanceRow(kind, read[kind], found.get(kind, Balance())) for kind in shown]
    return Writing(written[0], rows if counted else [], count, longer * length)


def _balances(texts: list[str]) -> dict[str, Balance]:
    """Return the kinds that there are: brackets, and the most frequent environments."""
    environments = environment_balance(texts)
    frequent = sorted(environments, key=lambda name: -environments[name].closed)
    found = {f"{kind} {_CLOSING[kind]}": b for kind, b in bracket_balance(texts).items()}
    found["all environments"] = total_balance(environments.values())
    found |= {f"\\begin{{{name}}}": environments[name] for name in frequent}
    return {kind: balance for kind, balance in found.items() if balance != Balance()}
