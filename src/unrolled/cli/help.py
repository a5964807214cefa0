"""How help pages look: paragraphs as wide as the terminal, wherever the source breaks its lines."""

import re
from typing import TYPE_CHECKING

from cyclopts.help import DefaultFormatter, HelpPanel, InlineText

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions


class FoldedHelp(DefaultFormatter):
    """cyclopts' own help, with the line breaks inside a paragraph taken out."""

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: HelpPanel) -> None:
        """Print a panel."""
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
