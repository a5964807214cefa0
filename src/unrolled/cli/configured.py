"""``--config``: a file says what the command line leaves unsaid."""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cyclopts import App, ArgumentCollection, Token

from unrolled.errors import ConfigError

Source = Callable[[App, tuple[str, ...], ArgumentCollection], None]


@dataclass(frozen=True)
class Format:
    """What the configurations of a task look like.

    Args:
        read: reads and checks a file.
        sections: those of its keys whose own keys are flags, with their classes.
    """

    read: Callable[[Path], dict[str, Any]]
    sections: dict[str, Any]


def configured(format_of_task: Callable[[], Format]) -> Source:
    """Return a source of arguments: the file, or the recipe, that ``--config`` names.

    Args:
        format_of_task: is called when there is a file to read, and not for a help page.
    """

    def source(_: App, __: tuple[str, ...], arguments: ArgumentCollection) -> None:
        by_name = {argument.name: argument for argument in arguments}
        named = by_name["--config"].tokens
        if not named:
            return
        from unrolled.tasks.recipes import find_configuration
        from unrolled.training.configuration import check_section

        task, path = format_of_task(), find_configuration(named[-1].value)
        found = task.read(path)
        flags = {key: found[key] for key in ("data", "model") if key in found}
        if flags.get("model", "") is None and not by_name["--model"].tokens:
            cure = "name one, as in --model lstm"
            raise ConfigError(f"the name of a model in {path}", "a module given from Python", cure)
        for section, kind in task.sections.items():
            values = found.get(section, {})
            if not any(by_name[_flag(field.name)].tokens for field in fields(kind)):
                check_section(kind, values, path)
            flags |= values
        for key, value in flags.items():
            argument = by_name[_flag(key)]
            if value is not None and not argument.tokens:
                word = str(value).lower() if isinstance(value, bool) else str(value)
                argument.append(Token(keyword=key, value=word, source=str(path)))
        options = found.get("options", {}).items()
        settings = [f"model.{key}={json.dumps(value)}" for key, value in options]
        tokens = [Token(keyword="--set", value=word, source=str(path)) for word in settings]
        given = by_name["--set"].tokens
        given[:] = [*tokens, *given]  # the command line speaks last

    return source


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"
