"""Frames and matrices as pictures inside a page."""

import io
from base64 import b64encode
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from PIL import Image
from torch import Tensor

_GAP = 2  # pixels between the frames of a strip
_SQUARES_FROM = 2.5  # times larger, pixels are shown as squares


def film_strip(frames: Tensor, *, columns: int = 8, words: str = "") -> Markup:
    """Return frames, evenly chosen, side by side as one picture of a page.

    Shapes: frames uint8 [T, C, H, W], of 1 or 3 channels.
    Args:
        frames: a clip.
        columns: how many of them are shown at most.
        words: for who cannot see it.
    Example:
        >>> import torch
        >>> str(film_strip(torch.zeros(16, 3, 8, 8, dtype=torch.uint8)))[:35]
        '<img class="strip" src="data:image/'
    """
    count = min(columns, len(frames))
    chosen = [round(n * (len(frames) - 1) / max(1, count - 1)) for n in range(count)]
    tiles = frames[chosen].expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()
    _, height, width, _ = tiles.shape
    strip = np.full((height, count * (width + _GAP) - _GAP, 3), 255, dtype=np.uint8)
    for number, tile in enumerate(tiles):
        left = number * (width + _GAP)
        strip[:, left : left + width] = tile
    return embedded(Image.fromarray(strip), "strip", words, "JPEG")


def heat_map(values: Tensor, *, words: str = "") -> Markup:
    """Return numbers as shades, a column a step, from the least to the greatest.

    Shapes: values [T, D].
    """
    array = values.T.double().numpy()
    low, high = float(array.min()), float(array.max())
    shades = (255 * (array - low) / ((high - low) or 1.0)).astype(np.uint8)
    picture = Image.fromarray(shades)
    scale = max(1, 64 // max(shades.shape))
    size = (shades.shape[1] * max(scale, 4), shades.shape[0] * scale)
    return embedded(picture.resize(size, Image.Resampling.NEAREST), "strip", words, "PNG")


def path_drawing(points: Tensor, *, words: str = "") -> Markup:
    """Return the path of a point in the plane, its end marked.

    Shapes: points [T, 2], y downward.
    """
    low, high = points.min(0).values, points.max(0).values
    scale = 84 / max(float((high - low).max()), 1e-9)
    placed = ((points - low) * scale + 8).tolist()
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    (x, y), size = placed[-1], 100
    return Markup(
        '<svg class="path" viewBox="0 0 {} {}" role="img" aria-label="{}"><polyline points="{}" '
        'fill="none" stroke="currentColor" stroke-width="2"/><circle cx="{}" cy="{}" r="5" '
        'fill="currentColor"/></svg>'
    ).format(size, size, words, line, f"{x:.1f}", f"{y:.1f}")


def timeline(shares: Tensor, names: Sequence[str], seconds: Sequence[float | None]) -> Markup:
    """Return how likely each class is, frame by frame: a row a class, the darker the likelier.

    Shapes: shares [T, K], from 0 to 1.
    Args:
        shares: of K classes.
        names: of the classes.
        seconds: the time of every frame, None where there is no clock.
    """
    steps, row, left = len(shares), 18, 130
    width, height = 720.0, row * len(names)
    cell = width / steps
    drawn = []
    for number, (name, column) in enumerate(zip(names, shares.T.tolist(), strict=True)):
        top = number * row
        drawn.append(
            Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
                left - 8, top + 13, name
            )
        )
        drawn += [
            Markup(
                '<rect x="{}" y="{}" width="{}" height="{}" fill-opacity="{}">'
                "<title>{}: {}</title></rect>"
            ).format(
                f"{left + step * cell:.1f}",
                top + 1,
                f"{cell + 0.3:.1f}",
                row - 2,
                f"{value:.3f}",
                name,
                _when(value, step, seconds[step]),
            )
            for step, value in enumerate(column)
        ]
    end = seconds[-1]
    axis = f"{steps} frames" if end is None else f"{end:.1f} s"
    drawn.append(
        Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
            left + width, height + 15, axis
        )
    )
    return Markup('<svg class="timeline" viewBox="0 0 {} {}">{}</svg>').format(
        int(left + width), height + 20, Markup("").join(drawn)
    )


def _when(value: float, step: int, seconds: float | None) -> str:
    place = f"frame {step}" if seconds is None else f"{seconds:.2f} s"
    return f"{100 * value:.1f} % at {place}"


def shown_picture(pixels: Tensor, *, side: int, words: str = "") -> Markup:
    """Return a picture as part of a page; pixels much enlarged stay squares.

    Shapes: pixels uint8 [3, H, W].
    Args:
        pixels: of the picture.
        side: the longer side on the page, in pixels.
        words: for who cannot see it.
    Example:
        >>> import torch
        >>> str(shown_picture(torch.zeros(3, 8, 8, dtype=torch.uint8), side=64))[:34]
        '<img class="shown" src="data:image'
    """
    return embedded(enlarged(pixels, side), "shown", words, "JPEG")


def enlarged(pixels: Tensor, side: int) -> Image.Image:
    """Return a picture ``[3, H, W]`` whose longer side is ``side``; large pixels stay squares."""
    picture = Image.fromarray(pixels.permute(1, 2, 0).cpu().numpy())
    scale = side / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    how = Image.Resampling.NEAREST if scale >= _SQUARES_FROM else Image.Resampling.LANCZOS
    return picture.resize((width, height), how)


def embedded(picture: Image.Image, name: str, words: str, form: str) -> Markup:
    """Return a picture as an element of a page.

    Args:
        picture: to be shown.
        name: of its class in the page's style.
        words: for who cannot see it.
        form: PNG or JPEG.
    """
    file = io.BytesIO()
    picture.save(file, form, **({"quality": 82} if form == "JPEG" else {}))
    address = f"data:image/{form.lower()};base64,{b64encode(file.getvalue()).decode()}"
    return Markup('<img class="{}" src="{}" alt="{}">').format(name, address, words)
