"""From a template and what it shows to a page that needs nothing beside it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: Path, context: Mapping[str, Any]) -> str:
    """Return the HTML of a page.

    The template extends ``page.html``, the frame, style and foot of every report, and takes what
    reports are made of (tables, curves, headline figures) from ``parts.html``. All that it shows
    is escaped, but for drawings, which are ``markupsafe.Markup``.

    Args:
        template: a file, in the folder of the task whose page it is.
        context: what the template names; a name that is missing is an error.
    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "hello.html"
        >>> _ = path.write_text("<p>{{ name }}, {{ 1234.5678 | figure }}</p>")
        >>> render_page(path, {"name": "<Ada>"})
        '<p>&lt;Ada&gt;, 1,234.5678</p>'
    """
    environment = Environment(
        loader=FileSystemLoader([template.parent, _TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": figure, "duration": duration, "visible": visible}
    written_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return environment.get_template(template.name).render(context, written_at=written_at)


def figure(value: float) -> str:
    """Write a number as a page shows it: counts in full, others to four places.

    Example:
        >>> figure(1234567), figure(1.23456), figure(2e-5)
        ('1,234,567', '1.2346', '2.0e-05')
    """
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4f}" if value == 0 or 1e-3 <= abs(value) < 1e7 else f"{value:.1e}"


def visible(text: str) -> str:
    """Write blanks so that they can be seen.

    Example:
        >>> visible("a b\\n")
        'a␣b↵'
    """
    return text.translate({ord("\n"): "↵", ord(" "): "␣", ord("\t"): "⇥"})


def duration(seconds: float) -> str:
    """Write a time as people say it.

    Example:
        >>> duration(7.25), duration(182), duration(7384)
        ('7.2 s', '3 min 2 s', '2 h 3 min')
    """
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
