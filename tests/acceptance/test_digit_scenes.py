"""The digits' pictures: held-out digits and textures are held out, captions and boxes are true."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acceptance import digit_scenes
from unrolled.tasks.captioning.data import read_captioning_data
from unrolled.tasks.captioning.options import CaptioningOptions


def ingredients(folder: Path) -> Path:
    """Write data of the same form: digit n is a bar whose ink is as wide as n + 4."""
    rng = np.random.default_rng(0)

    def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.integers(0, 10, count)
        pictures = np.zeros((count, 28, 28), np.uint8)
        for picture, label in zip(pictures, labels, strict=True):
            picture[4:24, 8 : 12 + label] = 255
        return pictures, labels

    learnt = folder / "images" / "mnist_convnetjs"
    official = folder / "images" / "mnist"
    textures = folder / "images" / "textures" / "any"
    for place in (learnt, official, textures):
        place.mkdir(parents=True)
    pictures, labels = drawn(1200)
    for number, rows in enumerate(np.split(pictures.reshape(1200, 784), 4)):
        Image.fromarray(rows).save(learnt / f"mnist_batch_{number}.png")
    (learnt / "labels.csv").write_text("\n".join(map(str, labels)))
    pictures, labels = drawn(50)
    for name, head, body in (("images-idx3", 16, pictures), ("labels-idx1", 8, labels)):
        data = bytes(head) + body.astype(np.uint8).tobytes()
        (official / f"t10k-{name}-ubyte.gz").write_bytes(gzip.compress(data))
    for shade, name in ((20, "Water-05"), (60, "Stone-02"), (100, "Bark-11")):
        Image.new("RGB", (40, 50), (shade,) * 3).save(textures / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    data = ingredients(folder / "data")
    counts = digit_scenes.write_scenes(folder / "out", data, pictures=60, seed=0)
    assert counts == {"train": 50, "valid": 5, "test": 5}
    return folder / "out"


def test_parts_boxes_and_captions_are_read_back(written: Path) -> None:
    data = read_captioning_data(str(written), CaptioningOptions(height=96, width=96, strict=True))
    assert {part: len(numbers) for part, numbers in data.parts.items()} == {
        "train": 50,
        "valid": 5,
        "test": 5,
    }
    for item in data.items:
        assert item.objects is not None
        assert 2 <= len(item.objects) <= 4
        ends = [edge for thing in item.objects for edge in (thing.box.left, thing.box.right)]
        assert ends == sorted(ends)
        assert list(item.captions) == digit_scenes.captions([t.noun for t in item.objects])


def test_what_is_named_is_what_is_drawn(written: Path) -> None:
    entries = json.loads((written / "dataset_digits.json").read_text())["images"]
    for entry in entries:
        picture = np.asarray(Image.open(written / "images" / entry["filename"])).max(axis=2)
        ink = picture > 90  # no texture is as bright
        inside = np.zeros_like(ink)
        for thing in entry["objects"]:
            left, top, right, bottom = thing["box"]
            inside[top:bottom, left:right] = True
            height, width = bottom - top, right - left
            digit = digit_scenes.NAMES.index(thing["name"])
            assert abs(20 * width / height - (digit + 4)) < 2.5
            assert ink[top + 1 : bottom - 1, left + 1 : right - 1].all()
        assert not (ink & ~inside).any()


def test_textures_are_held_out(written: Path) -> None:
    shades = {"train": (6, 11), "valid": (18, 33), "test": (30, 55)}
    for path in sorted((written / "images").iterdir()):
        least, most = shades[path.name.partition("_")[0]]
        assert least - 1 <= np.median(np.asarray(Image.open(path))) <= most + 1


def test_an_eight_has_its_article() -> None:
    assert digit_scenes.captions(["eight", "one", "eight"])[0] == (
        "an eight is left of a one which is left of an eight"
    )
