"""Regular expressions matched as ``re`` does, by trying and going back, with every try counted."""

import re
import sys
from collections.abc import Callable, Sequence
from re import _constants as codes
from re import _parser as parser
from typing import Any

Then = Callable[[int], int | None]
CATEGORIES = {
    codes.CATEGORY_SPACE: str.isspace,
    codes.CATEGORY_NOT_SPACE: lambda letter: not letter.isspace(),
    codes.CATEGORY_WORD: lambda letter: letter.isalnum() or letter == "_",
    codes.CATEGORY_DIGIT: str.isdecimal,
}
ONE_LETTER = (codes.LITERAL, codes.NOT_LITERAL, codes.IN)


def tries(pattern: re.Pattern[str], text: str) -> int:
    """Return how many tries it takes to find all that matches in a text."""
    counted, at = CountedMatch(pattern, text), 0
    while at <= len(text):
        end = counted.end(at)
        at = at + 1 if end is None else max(end, at + 1)
    return counted.tries


class CountedMatch:
    """A pattern on a text."""

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self.tree, self.text, self.tries = parser.parse(pattern.pattern), text, 0
        self._known: dict[tuple[Any, int, str, bool], bool] = {}

    def end(self, at: int) -> int | None:
        """Return where the match from here ends, or None where there is none."""
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(50_000)
        try:
            return self._run(self.tree, 0, at, False, lambda end: end)
        finally:
            sys.setrecursionlimit(before)

    def _run(
        self, parts: Sequence[Any], number: int, at: int, any_case: bool, then: Then
    ) -> int | None:
        self.tries += 1
        if number == len(parts):
            return then(at)
        code, given = parts[number]

        def rest(end: int) -> int | None:
            return self._run(parts, number + 1, end, any_case, then)

        if code in ONE_LETTER:
            return rest(at + 1) if self._is_at(at, code, given, any_case) else None
        if code is codes.BRANCH:
            ends = (self._run(part, 0, at, any_case, rest) for part in given[1])
            return next((end for end in ends if end is not None), None)
        if code is codes.SUBPATTERN:
            _, switched_on, _, part = given
            return self._run(part, 0, at, any_case or bool(switched_on & re.IGNORECASE), rest)
        if code is codes.MAX_REPEAT:
            return self._repeated(*given, at, any_case, rest)
        if code is codes.AT:
            assert given is codes.AT_END
            return rest(at) if self.text[at:] in ("", "\n") else None
        assert code in (codes.ASSERT, codes.ASSERT_NOT), code
        direction, part = given
        start = at if direction > 0 else at - part.getwidth()[0]
        found = start >= 0 and self._run(part, 0, start, any_case, lambda end: end) is not None
        return rest(at) if found is (code is codes.ASSERT) else None

    def _repeated(
        self, least: int, most: int, part: Any, at: int, any_case: bool, rest: Then
    ) -> int | None:
        if len(part) == 1 and part[0][0] in ONE_LETTER:
            count = 0
            while count < most and self._is_at(at + count, *part[0], any_case):
                count += 1
            ends = (rest(at + fewer) for fewer in range(count, least - 1, -1))
            return next((end for end in ends if end is not None), None)

        def again(count: int, here: int) -> int | None:
            end = None
            if count < most:
                end = self._run(
                    part, 0, here, any_case, lambda e: again(count + 1, e) if e > here else None
                )
            return rest(here) if end is None and count >= least else end

        return again(0, at)

    def _is_at(self, at: int, code: Any, given: Any, any_case: bool) -> bool:
        self.tries += 1
        if at >= len(self.text):
            return False
        key = (code, id(given), self.text[at], any_case)
        if key not in self._known:
            self._known[key] = _matches(self.text[at], code, given, any_case)
        return self._known[key]


def _matches(letter: str, code: Any, given: Any, any_case: bool) -> bool:
    letters = {letter.lower(), letter.upper()} if any_case else {letter}
    if code is not codes.IN:
        return any(ord(one) == given for one in letters) is (code is codes.LITERAL)
    negated = given[0][0] is codes.NEGATE
    return any(_is_among(one, given[negated:]) for one in letters) is not negated


def _is_among(letter: str, members: Sequence[Any]) -> bool:
    point = ord(letter)
    for code, given in members:
        if code is codes.LITERAL:
            found = point == given
        elif code is codes.RANGE:
            found = given[0] <= point <= given[1]
        else:
            found = CATEGORIES[given](letter)
        if found:
            return True
    return False
