"""``--config``: a file says what the command line leaves unsaid."""

import json
from collections.abc import Callable
from dataclasses import fields

from cyclopts import App, ArgumentCollection, Token

from unrolled.errors import ConfigError

Source = Callable[[App, tuple[str, ...], ArgumentCollection], None]


def configured(task: str) -> Source:
    """Return a source of a task's arguments: the file, or the recipe, that ``--config`` names."""

    def source(_: App, __: tuple[str, ...], arguments: ArgumentCollection) -> None:
        by_name = {argument.name: argument for argument in arguments}
        named = by_name["--config"].tokens
        if not named:
            return
        from unrolled.tasks.recipes import find_configuration
        from unrolled.tasks.table import task_named
        from unrolled.training.configuration import check_section

        path, configuration = find_configuration(named[-1].value), task_named(task).configuration
        found = configuration.read(path)
        flags = {key: found[key] for key in ("data", "model") if key in found}
        if flags.get("model", "") is None and not by_name["--model"].tokens:
            cure = "name one, as in --model lstm"
            raise ConfigError(f"the name of a model in {path}", "a module given from Python", cure)
        for section, kind in configuration.sections.items():
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
