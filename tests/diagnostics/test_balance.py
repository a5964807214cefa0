"""Brackets and environments, counted by hand."""

import pytest

from unrolled.diagnostics import (
    Balance,
    bracket_balance,
    environment_balance,
    total_balance,
)


@pytest.mark.parametrize(
    ("text", "round_", "square", "curly"),
    [
        ("if (a[i]) { f(); }", (2, 0, 0, 0), (1, 0, 0, 0), (1, 0, 0, 0)),
        ("", (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)),
        (")(", (0, 0, 1, 1), (0, 0, 0, 0), (0, 0, 0, 0)),
        # [ is passed over by ), and ] then closes nothing.
        ("([)]", (1, 0, 0, 0), (0, 1, 1, 0), (0, 0, 0, 0)),
        ("{((}", (0, 2, 0, 0), (0, 0, 0, 0), (1, 0, 0, 0)),
        # The half-open interval: } passes over [, and ) was not opened.
        ("${[0, 1)}$", (0, 0, 1, 0), (0, 1, 0, 0), (1, 0, 0, 0)),
        ("{{[", (0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 0, 2)),
    ],
)
def test_brackets_counted_by_hand(text: str, round_, square, curly) -> None:
    found = bracket_balance([text])
    assert found == {"(": Balance(*round_), "[": Balance(*square), "{": Balance(*curly)}


def test_environments_counted_by_hand() -> None:
    text = r"""
    \begin{lemma} \begin{enumerate} \item a \end{enumerate} \end{lemma}
    \begin{proof} \begin{align*} x \end{proof}
    \end {align*} \begin{proof} \endinput \beginning{x}
    """
    assert environment_balance([text]) == {
        "align*": Balance(unclosed=1, stray=1),
        "enumerate": Balance(closed=1),
        "lemma": Balance(closed=1),
        "proof": Balance(closed=1, cut=1),
    }


def test_every_text_begins_anew() -> None:
    assert bracket_balance(["(", ")"])["("] == Balance(stray=1, cut=1)


def test_the_share_leaves_out_what_was_cut() -> None:
    found = bracket_balance(["(()) [ ) ( {"])
    assert total_balance(found.values()) == Balance(closed=2, stray=1, cut=3)
    assert total_balance(found.values()).share == 2 / 3
    assert Balance(cut=3).share is None


def test_deep_nesting_and_many_strays_take_no_time() -> None:
    size = 200_000
    found = bracket_balance(["(" * size + "]" * size + ")" * size])
    assert found["("] == Balance(closed=size)
    assert found["["] == Balance(stray=size)
