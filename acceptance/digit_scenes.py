"""Pictures of handwritten digits on textured walls, with captions that name them in their order.

Run: UNROLLED_DATA=/data python -m acceptance.digit_scenes --out FOLDER [--pictures 12000]

Reads ``images/mnist_convnetjs``, ``images/mnist`` and ``images/textures``. Writes PNG files and
``dataset_digits.json`` in Karpathy's format, with parts and with the box of every digit's ink: ten
twelfths train, one valid, one test. No digit and no texture is in two parts; the digits of test are
those of MNIST's own test set. Two to four digits stand anywhere, without touching each other's
columns, so that their order from left to right, and with it every caption, can be told.
"""

import argparse
import gzip
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIDE_PIXELS = 96
_DIGIT_PIXELS = (26, 35)  # the 28 x 28 of a digit become so many, before the frame is cut off
_GAP_PIXELS = 2  # between the columns of two digits, and to the edge
_VALID_DIGITS = 1000  # the last of MNIST's 12,000
_HELD_OUT = {  # textures that no picture of train shows
    "valid": ("Stone-02", "color_4", "gray_4"),
    "test": (
        "Bark-11",
        "Brick-05",
        "Fabric-13",
        "Food-10",
        "Sand-05",
        "color_5",
        "gray_5",
        "gravel",
    ),
}
_SHARES = {"train": 10, "valid": 1, "test": 1}


class Digits(NamedTuple):
    """Handwritten digits.

    Shapes: pictures uint8 [N, 28, 28], 0 where there is no ink; labels [N].
    """

    pictures: np.ndarray
    labels: np.ndarray


class Ingredients(NamedTuple):
    """What the pictures of one part are made of; the textures are uint8 [H, W, 3]."""

    digits: Digits
    textures: list[np.ndarray]


class Placed(NamedTuple):
    """A digit in a picture: its name, its ink from 0 to 1 [h, w], and the corner of its box."""

    name: str
    ink: np.ndarray
    left: int
    top: int

    @property
    def box(self) -> list[int]:
        """Left, top, right and bottom, in pixels."""
        height, width = self.ink.shape
        return [self.left, self.top, self.left + width, self.top + height]


def read_ingredients(data: Path) -> dict[str, Ingredients]:
    """Return the digits and textures of every part."""
    home = data / "images" / "mnist_convnetjs"
    rows = [np.asarray(Image.open(home / f"mnist_batch_{n}.png")) for n in range(4)]
    pictures = np.concatenate(rows).reshape(-1, 28, 28)
    labels = np.array((home / "labels.csv").read_text().split(), dtype=np.int64)
    learnt = Digits(pictures[:-_VALID_DIGITS], labels[:-_VALID_DIGITS])
    held = Digits(pictures[-_VALID_DIGITS:], labels[-_VALID_DIGITS:])
    official = data / "images" / "mnist"
    images = gzip.decompress((official / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    names = gzip.decompress((official / "t10k-labels-idx1-ubyte.gz").read_bytes())[8:]
    pixels = np.frombuffer(images, np.uint8).reshape(-1, 28, 28)
    digits = {
        "train": learnt,
        "valid": held,
        "test": Digits(pixels, np.frombuffer(names, np.uint8)),
    }
    textures: dict[str, list[np.ndarray]] = {part: [] for part in digits}
    for path in sorted((data / "images" / "textures").glob("*/*.*")):
        if path.suffix in (".png", ".gif"):
            part = next((p for p, held in _HELD_OUT.items() if path.stem in held), "train")
            textures[part].append(np.asarray(Image.open(path).convert("RGB")))
    return {part: Ingredients(digits[part], textures[part]) for part in digits}


def place(digits: Digits, rng: np.random.Generator) -> list[Placed]:
    """Return two to four digits from left to right, none in the columns of another."""
    count = int(rng.integers(2, 5))
    while True:
        chosen = rng.integers(0, len(digits.labels), count)
        inks = [_ink(digits.pictures[n], int(rng.integers(*_DIGIT_PIXELS))) for n in chosen]
        room = SIDE_PIXELS - sum(ink.shape[1] for ink in inks) - _GAP_PIXELS * (count + 1)
        if room >= 0:
            break
    slack = np.sort(rng.integers(0, room + 1, count))
    left, placed = _GAP_PIXELS, []
    for number, (n, ink) in enumerate(zip(chosen, inks, strict=True)):
        top = int(rng.integers(_GAP_PIXELS, SIDE_PIXELS - ink.shape[0] - _GAP_PIXELS + 1))
        placed.append(Placed(NAMES[digits.labels[n]], ink, left + int(slack[number]), top))
        left += ink.shape[1] + _GAP_PIXELS
    return placed


def _ink(picture: np.ndarray, side: int) -> np.ndarray:
    """Return a digit resized and cut to its ink, from 0 to 1."""
    resized = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR))
    rows, columns = np.nonzero(resized > 40)
    cut = resized[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return cut / 255


def paint(placed: Sequence[Placed], texture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a picture, uint8 [H, W, 3]: bright ink on a darkened piece of a texture."""
    tiled = np.tile(
        texture, (1 + SIDE_PIXELS // len(texture), 1 + SIDE_PIXELS // texture.shape[1], 1)
    )
    down, across = (int(rng.integers(0, size - SIDE_PIXELS + 1)) for size in tiled.shape[:2])
    piece = tiled[down : down + SIDE_PIXELS, across : across + SIDE_PIXELS]
    picture = piece[:, :: rng.choice([-1, 1])] * rng.uniform(0.3, 0.55)
    for digit in placed:
        left, top, right, bottom = digit.box
        colour = rng.uniform(190, 255, 3)
        covered = picture[top:bottom, left:right]
        covered += digit.ink[:, :, None] * (colour - covered)
    return np.clip(np.floor(picture + 0.5), 0, 255).astype(np.uint8)


def captions(names: Sequence[str]) -> list[str]:
    """Return the five references of digits, which are named from left to right.

    Example:
        >>> for caption in captions(["seven", "three"]):
        ...     print(caption)
        a seven is left of a three
        a three is right of a seven
        from left to right a seven and a three
        from right to left a three and a seven
        there is a seven left of a three
    """
    forth = [f"an {name}" if name == "eight" else f"a {name}" for name in names]
    back = forth[::-1]
    return [
        f"{forth[0]} is left of {' which is left of '.join(forth[1:])}",
        f"{back[0]} is right of {' which is right of '.join(back[1:])}",
        f"from left to right {' '.join(forth[:-1])} and {forth[-1]}",
        f"from right to left {' '.join(back[:-1])} and {back[-1]}",
        f"there is {' left of '.join(forth)}",
    ]


def write_scenes(out: Path, data: Path, *, pictures: int, seed: int) -> dict[str, int]:
    """Write the pictures and the file of captions; return how many there are of each part."""
    ingredients = read_ingredients(data)
    (out / "images").mkdir(parents=True)
    entries, counts = [], {}
    for number, (part, share) in enumerate(_SHARES.items()):
        counts[part] = pictures * share // sum(_SHARES.values())
        rng = np.random.default_rng([seed, number])
        digits, textures = ingredients[part]
        for n in range(counts[part]):
            placed = place(digits, rng)
            picture = paint(placed, textures[int(rng.integers(len(textures)))], rng)
            name = f"{part}_{n:05}.png"
            Image.fromarray(picture).save(out / "images" / name, compress_level=1)
            said = [{"raw": caption} for caption in captions([digit.name for digit in placed])]
            objects = [{"name": digit.name, "box": digit.box} for digit in placed]
            entries.append({"filename": name, "split": part, "sentences": said, "objects": objects})
    text = json.dumps({"dataset": "digits", "images": entries})
    (out / "dataset_digits.json").write_text(text)
    return counts


def main() -> None:
    """Read the command line and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    parser.add_argument("--pictures", type=int, default=12_000, help="of all parts together")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.out.exists():
        parser.error(f"{given.out} is there already")
    if "UNROLLED_DATA" not in os.environ:
        parser.error("UNROLLED_DATA does not name the folder of the data")
    if given.pictures < sum(_SHARES.values()):
        parser.error(f"--pictures of at least {sum(_SHARES.values())}")
    data = Path(os.environ["UNROLLED_DATA"])
    counts = write_scenes(given.out, data, pictures=given.pictures, seed=given.seed)
    told = ", ".join(f"{count:,} {part}" for part, count in counts.items())
    print(f"{given.out / 'dataset_digits.json'}: {told}")


if __name__ == "__main__":
    main()
