"""YAML without its traps: mappings, lists and scalars, read and written so that both agree."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isinf, isnan
from pathlib import Path
from typing import Any, NoReturn

import yaml

from unrolled.errors import ConfigError, ReaderError

_MOST_BYTES = 64 * 1024
_MOST_LEVELS = 8
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_INFINITE = re.compile(r"[-+]?\.inf|\.nan")
_PLAIN = re.compile(r"[\w$/.~](?:[\w$/.*~ -]*[\w$/.*~-])?", re.ASCII)  # needs no quotes anywhere


@dataclass(frozen=True)
class Node:
    """A value of a document, and where it stands.

    Args:
        value: a scalar, a dict of nodes or a list of nodes.
        line: the line on which it begins, from 1.
    """

    value: Any
    line: int

    def plain(self) -> Any:
        """Return the value without its lines."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def read_yaml(path: Path) -> Node:
    """Read a mapping from a YAML file that anybody may have written.

    Scalars mean what they mean in YAML 1.2: ``1e-3`` is a number, and ``no`` is a word. What a
    configuration never needs is refused: tags, anchors and aliases, keys that come twice, more
    than 64 KiB, and nesting deeper than eight levels.

    Raises:
        ReaderError: the file is missing, or is not such a mapping; the message names the line.
    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "run.yaml"
        >>> _ = path.write_text("training:\\n  learning_rate: 1e-3\\n")
        >>> read_yaml(path).plain()
        {'training': {'learning_rate': 0.001}}
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        got = "nothing there" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise ReaderError(f"a YAML file at {path}", got) from None
    if len(data) > _MOST_BYTES:
        raise ReaderError(f"at most {_MOST_BYTES // 1024} KiB of YAML in {path}", "more")
    try:
        node = _Document(path, data.decode("utf-8")).node()
    except UnicodeDecodeError as error:
        raise ReaderError(f"utf-8 text in {path}", f"other bytes at {error.start}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else path
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        got = f"something else: {' '.join(str(problem).split())}"
        raise ReaderError(f"YAML at {place}", got) from None
    if not isinstance(node.value, dict):
        raise ReaderError(f"a mapping, KEY: VALUE on each line, in {path}", shown(node.plain()))
    return node


def write_yaml(tree: Mapping[str, Any], comments: Mapping[str, str], heading: str) -> str:
    """Return a document that ``read_yaml`` reads back as ``tree``, values and types alike.

    Args:
        tree: scalars, and mappings of scalars, lists and mappings.
        comments: words on a key, by its path, such as ``training.window``.
        heading: a comment above it all.
    Example:
        >>> print(write_yaml({"model": "lstm"}, {"model": "the network"}, "A run."), end="")
        # A run.
        model: lstm                  # the network
    """
    lines = [f"# {line}".rstrip() for line in heading.splitlines()]
    for key, value in tree.items():
        if not (isinstance(value, Mapping) and value):
            lines.append(_line("", key, value, comments.get(key, "")))
            continue
        words = comments.get(key, "")
        lines += ["", f"{_text(key)}:" + (f"  # {words}" if words else "")]
        for name, inner in value.items():
            lines.append(_line("  ", name, inner, comments.get(f"{key}.{name}", "")))
    return "\n".join(lines) + "\n"


def shown(value: object) -> str:
    """Return a value as it may stand in a message: in one line, and cut where it is long."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _scalar(text: str) -> Any:
    """Read a plain scalar by the core schema of YAML 1.2, less its octal and hexadecimal."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "", 1)) if _INFINITE.fullmatch(text) else text


def _line(indent: str, key: str, value: Any, words: str) -> str:
    line = f"{indent}{_text(key)}: {_written(value)}"
    return f"{line.ljust(27)}  # {words}" if words else line


def _written(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float() if isnan(value):
            return ".nan"
        case float() if isinf(value):
            return ".inf" if value > 0 else "-.inf"
        case float():
            text = repr(value)  # a reader of YAML 1.1 wants the point
            return text if "." in text else text.replace("e", ".0e")
        case int():
            return repr(value)
        case list() | tuple():
            return f"[{', '.join(map(_written, value))}]"
        case dict():
            pairs = (f"{_text(str(key))}: {_written(inner)}" for key, inner in value.items())
            return f"{{{', '.join(pairs)}}}"
    if not isinstance(value, str | Path):
        raise ConfigError("options that a file can hold", shown(value), "give a number or a word")
    return _text(str(value))


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and isinstance(_scalar(text), str) and text[:3] not in ("---", "..."):
        tag = yaml.resolver.Resolver().resolve(yaml.ScalarNode, text, (True, False))
        if tag == "tag:yaml.org,2002:str":  # in YAML 1.1 too, for other readers
            return text
    if text.isascii() and text.isprintable():
        return json.dumps(text)
    quoted: str = yaml.dump(text, default_style='"', allow_unicode=True, width=10**9)
    return quoted.rstrip("\n")


class _Document:
    """The events of one document, made into nodes."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.events: Iterator[Any] = yaml.parse(text, Loader=yaml.SafeLoader)

    def node(self) -> Node:
        """Return the root; an empty file is an empty mapping."""
        next(self.events)  # the stream begins
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return Node({}, 1)
        root = self._node(next(self.events), 1)
        next(self.events)  # the document ends
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(after, "one document", "another")
        return Node({}, 1) if root.value is None else root

    def _node(self, event: Any, level: int) -> Node:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._refuse(event, "YAML without anchors and aliases", "one")
        if event.tag is not None:
            self._refuse(event, "YAML without tags", shown(event.tag))
        if level > _MOST_LEVELS:
            self._refuse(event, f"at most {_MOST_LEVELS} levels", "more")
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            return Node(event.value if event.style else _scalar(event.value), line)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
                items.append(self._node(event, level + 1))
            return Node(items, line)
        return Node(self._mapping(level), line)

    def _mapping(self, level: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._node(event, level + 1).value
            if not isinstance(key, str):
                self._refuse(event, "a word as a key", shown(key))
            if key in found:
                self._refuse(event, f"the key {shown(key)} once", "it again")
            found[key] = self._node(next(self.events), level + 1)
        return found

    def _refuse(self, event: Any, expected: str, got: str) -> NoReturn:
        raise ReaderError(f"{expected} at {self.path}:{event.start_mark.line + 1}", got)
