"""Whether what is opened is closed: brackets, and the environments of LaTeX."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_BRACKETS = {")": "(", "]": "[", "}": "{"}
_MARK = re.compile(r"[()\[\]{}]")
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([^{}\s]+)\}")


@dataclass(frozen=True)
class Balance:
    """How many were opened and closed, of one kind.

    Args:
        closed: pairs: opened, and closed by their own kind with nothing open between.
        unclosed: opened, and passed over by the end of something around them.
        stray: closed without having been opened.
        cut: still open where the text ends, right or wrong nobody knows.
    """

    closed: int = 0
    unclosed: int = 0
    stray: int = 0
    cut: int = 0

    @property
    def share(self) -> float | None:
        """Pairs among all that can be judged; None where there is nothing to judge."""
        judged = self.closed + self.unclosed + self.stray
        return self.closed / judged if judged else None


def bracket_balance(texts: Iterable[str]) -> dict[str, Balance]:
    """Count the brackets (), [] and {} of texts, by the kind that opens; comments count as text.

    Example:
        >>> bracket_balance(["f(a[1]) + g(b[2) }"])["["]
        Balance(closed=1, unclosed=1, stray=0, cut=0)
    """

    def marks(text: str) -> Iterator[tuple[str, bool]]:
        for mark in _MARK.findall(text):
            yield _BRACKETS.get(mark, mark), mark not in _BRACKETS

    found = _count(map(marks, texts))
    return {kind: found.get(kind, Balance()) for kind in _BRACKETS.values()}


def environment_balance(texts: Iterable[str]) -> dict[str, Balance]:
    r"""Count ``\begin{X}`` and ``\end{X}`` in texts by their names X, in order of the names.

    Example:
        >>> environment_balance([r"\begin{proof} x \end{proof} \end{lemma}"])["lemma"]
        Balance(closed=0, unclosed=0, stray=1, cut=0)
    """

    def marks(text: str) -> Iterator[tuple[str, bool]]:
        for word, name in _ENVIRONMENT.findall(text):
            yield name, word == "begin"

    return dict(sorted(_count(map(marks, texts)).items()))


def total_balance(balances: Iterable[Balance]) -> Balance:
    """Add balances up."""
    parts = list(balances)
    return Balance(
        sum(part.closed for part in parts),
        sum(part.unclosed for part in parts),
        sum(part.stray for part in parts),
        sum(part.cut for part in parts),
    )


def _count(texts: Iterable[Iterable[tuple[str, bool]]]) -> dict[str, Balance]:
    """Follow what is open through texts of marks ``(kind, whether it opens)``."""
    closed, unclosed, stray, cut = (Counter[str]() for _ in range(4))
    for marks in texts:
        stack: list[str] = []
        depth = Counter[str]()  # how many of a kind are on the stack
        for kind, opens in marks:
            if opens:
                stack.append(kind)
                depth[kind] += 1
            elif not depth[kind]:
                stray[kind] += 1
            else:
                while (last := stack.pop()) != kind:
                    unclosed[last] += 1
                    depth[last] -= 1
                closed[kind] += 1
                depth[kind] -= 1
        cut.update(stack)
    kinds = closed.keys() | unclosed.keys() | stray.keys() | cut.keys()
    return {k: Balance(closed[k], unclosed[k], stray[k], cut[k]) for k in kinds}
