"""A configuration: options in a file, checked key by key before anything is done with them."""

import os
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import docstring_parser.google

from unrolled.errors import ConfigError
from unrolled.training.plain_yaml import Node, read_yaml, shown

OptionsT = TypeVar("OptionsT")
Schema = Mapping[str, Any]  # a key's type; a dataclass of options for a section; dict for any keys

_WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def read_configuration(path: Path, schema: Schema) -> dict[str, Any]:
    """Read a configuration file, which may leave any key out.

    Returns:
        What the file says, a dict for every section in it.
    Raises:
        ReaderError: the file cannot be read (see ``read_yaml``).
        ConfigError: a key that does not exist, or a value of the wrong type; the message has file,
            line and key, and the nearest key that exists.
    """
    found: dict[str, Any] = {}
    for key, node in read_yaml(path).value.items():
        place = f"{path}:{node.line}"
        if key == "import":
            cure = "name your file on the command line: --import mine.py"
            raise ConfigError(f"a configuration that names no code at {place}", "import", cure)
        if key not in schema:
            raise _unknown(key, place, _names(schema, nested=True))
        kind = schema[key]
        if is_dataclass(kind):
            found[key] = _section(key, node, kind, path)
        else:
            found[key] = node.plain()
            require_kind(f"{key} at {place}", found[key], kind)
    return found


def check_section(kind: Any, values: Mapping[str, Any], path: Path) -> None:
    """Raise ``ConfigError`` where a section of ``path`` has a value that its class refuses."""
    try:
        kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{error.expected} in {path}", error.got, error.cure) from None


def read_options(kind: type[OptionsT], values: Mapping[str, Any]) -> OptionsT:
    """Return the options that a saved model carries, every key and type checked.

    Raises:
        ConfigError: a key that does not exist, or a value of the wrong type.
    Example:
        >>> from unrolled.training.options import TrainingOptions
        >>> read_options(TrainingOptions, {"epochs": 3}).epochs
        3
    """
    hints = get_type_hints(kind)
    for key, value in values.items():
        if key not in hints:
            raise ConfigError(f"an option among {', '.join(hints)}", shown(key))
        require_kind(key, value, hints[key])
    return kind(**values)


def require_kind(what: str, value: object, kind: Any) -> None:
    """Raise ``ConfigError`` unless a value is of an annotated type; a whole number is a number.

    Args:
        what: the key, and where it stands.
        value: a scalar, a list or a dict.
        kind: the annotation; one that says nothing is fitted by everything.
    Example:
        >>> require_kind("window", "many", int)
        Traceback (most recent call last):
        ...
        unrolled.errors.ConfigError: expected window to be a whole number, got 'many'
    """
    if not _fits(value, kind):
        raise ConfigError(f"{what} to be {_described(kind)}", shown(value))


def comments_on(kind: type) -> dict[str, str]:
    """Return the words on each option of a dataclass, as far as the first full stop or semicolon.

    Example:
        >>> from unrolled.training.options import TrainingOptions
        >>> comments_on(TrainingOptions)["batch_size"]
        'sequences side by side'
    """
    parsed = docstring_parser.google.parse(kind.__doc__ or "")
    words = {part.arg_name: " ".join((part.description or "").split()) for part in parsed.params}
    return {name: re.split(r"[;.](?:\s|$)", text)[0] for name, text in words.items()}


def expand_path(path: str) -> str:
    """Return a path with ``$NAME`` and a leading ``~`` replaced by what they stand for here.

    Raises:
        ConfigError: no environment variable has this name.
    Example:
        >>> os.environ["UNROLLED_EXAMPLE"] = "/data"
        >>> expand_path("$UNROLLED_EXAMPLE/input.txt")
        '/data/input.txt'
    """
    if Path(path).exists():
        return path

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in os.environ:
            cure = f"set it, as in: export {name}=/path/to/data"
            raise ConfigError(f"the environment variable {name} of {path}", "none", cure)
        return os.environ[name]

    return os.path.expanduser(_VARIABLE.sub(value, path))


def _section(section: str, node: Node, kind: Any, path: Path) -> dict[str, Any]:
    require_kind(f"{section} at {path}:{node.line}", node.value, dict)
    hints = get_type_hints(kind)
    names = {field.name: field.name for field in fields(kind)}
    for key, inner in node.value.items():
        place = f"{path}:{inner.line}"
        if key not in names:
            raise _unknown(f"{section}.{key}", place, {f"{section}.{k}": k for k in names})
        require_kind(f"{section}.{key} at {place}", inner.plain(), hints[key])
    return {key: inner.plain() for key, inner in node.value.items()}


def _names(schema: Schema, *, nested: bool) -> dict[str, str]:
    """Return the keys there are, each with the word that it is looked for by."""
    names = {key: key for key in schema}
    for section, kind in schema.items():
        if nested and is_dataclass(kind):
            names |= {f"{section}.{field.name}": field.name for field in fields(kind)}
    return names


def _unknown(key: str, place: str, names: Mapping[str, str]) -> ConfigError:
    sought = key.rpartition(".")[2]
    near = get_close_matches(sought, names.values(), n=1)
    cure = ""
    if near:
        cure = f"did you mean {next(name for name, word in names.items() if word == near[0])}?"
    level = [name for name in names if name.count(".") == key.count(".")]
    return ConfigError(f"a key among {', '.join(level)} at {place}", shown(key), cure)


def _fits(value: object, kind: Any) -> bool:
    if get_origin(kind) in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(kind))
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in get_args(kind)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    plain = str if kind is Path else get_origin(kind) or kind
    return not isinstance(plain, type) or isinstance(value, plain)


def _described(kind: Any) -> str:
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(_described(one) for one in get_args(kind))
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    if kind is NoneType:
        return "null"
    return "a mapping of keys" if kind is dict else _WORDS.get(kind, "text")
