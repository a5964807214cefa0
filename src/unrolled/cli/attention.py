"""Where a captioner looked, in a terminal: the picture once a word, as half blocks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from unrolled.cli.picture import Picture
from unrolled.reports.lighting import lit, smooth_attention

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8
    from rich.console import Console, ConsoleOptions, RenderResult
    from torch import Tensor

    from unrolled.reports.lighting import Grid

_COLUMNS, _GAP = 18, 2  # characters of a tile, and between two


class AttentionPictures:
    """Show a picture once a word, lit where the decoder looked for it: something rich can print.

    As many tiles stand side by side as there is room for; the word and its probability are beneath.

    Args:
        pixels: of the picture.
        words: of the caption, T of them.
        weights: of the places, row by row, for every word.
        grid: H' and W', how many places there are, down and across.
        probabilities: of the words.
        columns: characters that a tile is wide.
    Raises:
        ShapeError: there are not H' W' weights a word.
    Example:
        >>> import torch
        >>> from rich.console import Console
        >>> picture = torch.zeros(3, 32, 32, dtype=torch.uint8)
        >>> weights = torch.full((2, 16), 1 / 16)
        >>> tiles = AttentionPictures(picture, ["a", "dot"], weights, (4, 4), [0.9, 0.8])
        >>> console = Console(width=80, color_system="truecolor")
        >>> lines = console.render_lines(tiles)
        >>> ["".join(part.text for part in line).split() for line in lines[-2:]]
        [['a', 'dot'], ['90.0', '%', '80.0', '%']]
    """

    def __init__(
        self,
        pixels: "UInt8[Tensor, '3 H W']",
        words: Sequence[str],
        weights: "Float[Tensor, 'T L']",
        grid: "Grid",
        probabilities: Sequence[float],
        *,
        columns: int = _COLUMNS,
    ) -> None:
        self.columns = columns
        height, width = pixels.shape[1:]
        frames = [lit(pixels, smooth_attention(each, grid, height, width)) for each in weights]
        notes = [f"{100 * probability:.1f} %" for probability in probabilities]
        self.tiles = [(pixels.permute(1, 2, 0).cpu().numpy(), "", "")]
        self.tiles += list(zip(frames, words, notes, strict=True))

    def __rich_console__(self, _: "Console", options: "ConsoleOptions") -> "RenderResult":
        width = min(self.columns, options.max_width)
        beside = max(1, (options.max_width + _GAP) // (width + _GAP))
        for first in range(0, len(self.tiles), beside):
            row = Table.grid(padding=(0, _GAP, 0, 0))
            shown = self.tiles[first : first + beside]
            for _tile in shown:
                row.add_column(width=width, justify="center", overflow="fold")
            row.add_row(*(Picture(frame) for frame, _, _ in shown))
            row.add_row(*(Text(word, style="bold") for _, word, _ in shown))
            row.add_row(*(Text(note, style="dim") for _, _, note in shown))
            yield row
