"""How help pages look: paragraphs as wide as the terminal, wherever the source breaks its lines."""

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from cyclopts.help import DefaultFormatter, HelpPanel, InlineText

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions


class FoldedHelp(DefaultFormatter):
    """cyclopts' own help, with the line breaks inside a paragraph taken out.

    Args:
        without: names of options that are not shown, because the verb refuses them.
    """

    def __init__(self, *, without: Collection[str] = ()) -> None:
        super().__init__()
        self.without = {f"--{name.replace('_', '-')}" for name in without}

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: HelpPanel) -> None:
        """Print a panel."""
        panel.entries = [e for e in panel.entries if not self.without & {*e.positive_names}]
        for entry in panel.entries:
            _fold(entry.description)
        super().__call__(console, options, panel)

    def render_description(
        self, console: "Console", options: "ConsoleOptions", description: object
    ) -> None:
        """Print what stands above the panels."""
        _fold(description)
        super().render_description(console, options, description)


def _fold(words: object) -> None:
    from rich.text import Text

    if isinstance(words, InlineText) and isinstance(words.primary_renderable, Text):
        folded = re.sub(r"(?<!\n)\n(?!\n)", " ", words.primary_renderable.plain)
        words.primary_renderable = Text(folded)
