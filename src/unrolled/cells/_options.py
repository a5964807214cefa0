"""Options that are one word of a few."""

from unrolled.errors import ConfigError


def check_choice(name: str, value: str, *choices: str) -> None:
    """Raise ``ConfigError`` unless ``value`` is among ``choices``."""
    if value not in choices:
        raise ConfigError(f"{name} to be {' or '.join(map(repr, choices))}", repr(value))
