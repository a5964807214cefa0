"""The words of captions, cut by the conventions of the Penn Treebank."""

import re
import unicodedata
from collections.abc import Iterable

from unrolled.metrics.ptb_patterns import PATTERNS

# Tokens that coco-caption counts as no words. Its brackets are in capitals, and its tokens are not:
# "-lrb-" stays a word.
_BRACKETS_IN_CAPITALS = ("-LRB-", "-RRB-", "-LCB-", "-RCB-")
PUNCTUATION = frozenset((*"'`.?!,:-;", "''", "``", "--", "...", *_BRACKETS_IN_CAPITALS))

_SCANNER = re.compile(
    rf"\s*(?:{'|'.join(f'(?P<{name}>{pattern})' for name, pattern in PATTERNS.items())})"
)

# How a kind of token is written, whatever stood in the text.
_WRITTEN_AS = {
    "dash": "--",
    "ellipsis": "...",
    "double_open": "``",
    "double_close": "''",
    "single_open": "`",
    "single_close": "'",
}
_WITH_FINAL_PERIOD = {"initials_at_end", "abbreviation_at_end"}
_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
_SIGNS = {"¢": "cents", "£": "#", "¤": "$", "€": "$", "¼": "1/4", "½": "1/2", "¾": "3/4"}
_SIGNS |= {"⅓": "1/3", "⅔": "2/3"} | _BRACKETS
_ENTITIES = {"&amp;": "&", "&apos;": "'", "&lt;": "<", "&gt;": ">", "&nbsp;": ""}
_ENTITIES |= {"&mdash;": "--", "&ndash;": "--"}
_NEVER_SHOWN = {"Cc", "Cf", "Cn", "Co", "Cs", "Mn"}
_SOFT_HYPHEN = "\xad"  # shows only where a line is broken, and is no part of a word


def tokenize(caption: str) -> list[str]:
    """Cut a caption into lower-case tokens, punctuation among them.

    A caption stands alone: what its last period means is decided as if a sentence followed.

    Args:
        caption: a text in English; a line break counts as a blank.
    Source: the tokenization of the Penn Treebank (Marcus et al. 1993, aclanthology.org/J93-2004).
        Differs: brackets are written small, as coco-caption's tokens are.
    Example:
        >>> tokenize('The dog can\\'t see "Mr. X" (3 ft. away).')[:9]
        ['the', 'dog', 'ca', "n't", 'see', '``', 'mr.', 'x', "''"]
    """
    tokens: list[str] = []
    for found in _SCANNER.finditer(caption.replace(_SOFT_HYPHEN, "").rstrip()):
        kind = str(found.lastgroup)
        if kind == "plain":
            tokens += found[kind].lower().split()
        else:
            tokens += _written(kind, found[kind])
    return tokens


def caption_words(captions: Iterable[str]) -> list[list[str]]:
    """Cut captions into the words that the metrics compare: tokens without punctuation.

    Example:
        >>> caption_words(["A man's dog, running.", "It isn't!"])
        [['a', 'man', "'s", 'dog', 'running'], ['it', 'is', "n't"]]
    """
    return [
        [token for token in tokenize(caption) if token not in PUNCTUATION] for caption in captions
    ]


def _written(kind: str, text: str) -> list[str]:
    """Return the tokens that a piece of text of a kind is written as."""
    if kind in _WITH_FINAL_PERIOD:
        return [text.lower(), "."]
    if kind == "sign":
        return [_SIGNS.get(text, text).lower()] if _is_shown(text) else []
    if kind in _WRITTEN_AS:
        return [_WRITTEN_AS[kind]]
    if kind in {"negation", "clitic"}:
        return [text.replace("\u2019", "'").lower()]
    if kind in {"telephone", "face"}:
        text = "".join(_BRACKETS.get(letter, letter) for letter in text)
    elif kind == "entity":
        text = _ENTITIES[text.lower()]
    elif kind == "ampersand":
        text = text.replace("&amp;", "&")
    return text.lower().split()


def _is_shown(sign: str) -> bool:
    """Tell whether a sign is a token: controls, joiners and emoji are none, as in coco-caption."""
    return ord(sign) < 0xFFF0 and unicodedata.category(sign) not in _NEVER_SHOWN
