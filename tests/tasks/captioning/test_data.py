"""Captioned data from files: every format end to end, and nothing dropped in silence."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from tests.readers import tiny_captions as tiny
from tests.readers.tiny_videos import number_of, write_video
from unrolled.errors import ReaderError
from unrolled.readers.pictures import read_picture
from unrolled.tasks.captioning import files as captioning_files
from unrolled.tasks.captioning.data import CaptioningData, read_captioning_data
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.split import split_pictures
from unrolled.tasks.captioning.vocabulary import CaptionVocabulary

SMALL = CaptioningOptions(height=16, width=24)
SETS: dict[str, tuple[Callable[[Path], Path], list[int]]] = {
    "coco 2014": (lambda folder: tiny.write_coco(folder, 2014), [7, 1, 2]),
    "coco 2017": (lambda folder: tiny.write_coco(folder, 2017), [7, 1, 2]),
    "karpathy coco": (lambda folder: tiny.write_karpathy(folder, "coco"), [6, 2, 2]),
    "karpathy flickr8k": (lambda folder: tiny.write_karpathy(folder, "flickr8k"), [6, 2, 2]),
    "karpathy flickr30k": (lambda folder: tiny.write_karpathy(folder, "flickr30k"), [6, 2, 2]),
    "flickr": (tiny.write_flickr, [6, 2, 2]),
    "csv": (tiny.write_csv, [8, 1, 1]),
}


def sizes(data: CaptioningData) -> list[int]:
    return [len(data.parts[part]) for part in ("train", "valid", "test")]


@pytest.mark.parametrize("name", SETS)
def test_every_format_end_to_end(tmp_path: Path, name: str) -> None:
    write, expected = SETS[name]
    data = read_captioning_data(str(write(tmp_path)), SMALL)
    assert (len(data.items), data.rejected, data.damaged, data.total) == (10, (), (), 10)
    assert sizes(data) == expected
    assert [item.captions for item in data.items] == [tuple(map_) for map_ in captions(data)]
    picture = data.pixels(3)
    assert (picture.dtype, picture.shape) == (torch.uint8, (3, 16, 24))
    tokens = data.tokens(data.vocabulary, 20)
    first = data.parts["train"][0]
    letter = Path(data.items[first].name).name[0]
    assert data.vocabulary.decode(tokens[first][0]) == f"picture {letter} is here"
    assert tokens[first][0][-1] == data.vocabulary.end


def captions(data: CaptioningData) -> list[list[str]]:
    return [tiny.captions_of(Path(item.name).name) for item in data.items]


def test_pictures_are_resized_as_the_library_resizes_frames(tmp_path: Path) -> None:
    data = read_captioning_data(str(tiny.write_csv(tmp_path)), SMALL)
    whole = read_picture(tmp_path / "c.png")[None]
    expected = F.interpolate(whole, size=(16, 24), mode="bilinear", antialias=True)[0]
    assert torch.equal(data.pixels(2), expected)


def test_pixels_beyond_the_memory_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = str(tiny.write_csv(tmp_path))
    kept = read_captioning_data(source, SMALL)
    monkeypatch.setattr(captioning_files, "_MOST_BYTES", 3 * 3 * 16 * 24)
    read_again = read_captioning_data(source, SMALL)
    assert all(torch.equal(kept.pixels(n), read_again.pixels(n)) for n in range(10))
    (tmp_path / "a.png").unlink()
    (tmp_path / "j.png").unlink()
    assert torch.equal(read_again.pixels(0), kept.pixels(0))
    with pytest.raises(ReaderError, match=r"j\.png"):
        read_again.pixels(9)


def spoilt(folder: Path) -> str:
    """Write a data set with one fault of every kind."""
    tiny.write_csv(folder)
    (folder / "a.png").unlink()
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:200])
    (folder / "c.png").write_text("no picture")
    (folder / "d.png").write_bytes(b"")
    with (folder / "captions.csv").open("a") as file:
        file.write("silent.png,\ne.png,\n,a caption\n")
    return str(folder)


def test_nothing_is_dropped_in_silence(tmp_path: Path) -> None:
    data = read_captioning_data(spoilt(tmp_path), SMALL)
    assert len(data.items) == 6
    assert data.total == 11
    reasons = {Path(name).name.rpartition(" ")[2]: reason for name, reason in data.rejected}
    assert set(reasons) == {"a.png", "b.png", "c.png", "d.png", "silent.png"}
    assert reasons["a.png"] == "nothing there"
    assert reasons["c.png"] == "no format that is known"
    assert reasons["d.png"] == "an empty file"
    assert reasons["silent.png"] == "no caption"
    assert [reason for _, reason in data.damaged] == ["no caption", "no image"]
    assert data.notices[0].startswith("5 of 11 pictures rejected, first ")
    assert all("\n" not in notice for notice in data.notices)


def test_strict_refuses_what_is_damaged(tmp_path: Path) -> None:
    strict = CaptioningOptions(height=16, width=24, strict=True)
    assert read_captioning_data(str(tiny.write_csv(tmp_path / "sound")), strict).total == 10
    with pytest.raises(ReaderError, match=r"7 faults, first .*silent\.png: no caption; mend it"):
        read_captioning_data(spoilt(tmp_path / "spoilt"), strict)


def test_captions_without_any_picture_are_refused_with_the_folder(tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_text("image,caption\na.jpg,hello\n")
    with pytest.raises(ReaderError, match=r"a\.jpg: nothing there; .*--images"):
        read_captioning_data(str(tmp_path / "captions.csv"), SMALL)
    with pytest.raises(ReaderError, match="got none; check --images"):
        read_captioning_data(
            str(tmp_path / "captions.csv"), CaptioningOptions(images=str(tmp_path / "no"))
        )
    with pytest.raises(ReaderError, match=r"captions at .*got nothing there"):
        read_captioning_data(str(tmp_path / "no.csv"), SMALL)
    with pytest.raises(ReaderError, match=r"dataset_\*\.json"):
        read_captioning_data(str(Path(__file__).parent), SMALL)


def test_images_may_lie_elsewhere(tmp_path: Path) -> None:
    tiny.write_pictures(tmp_path / "elsewhere")
    (tmp_path / "captions.json").write_text(tiny.coco(tiny.NAMES))
    options = CaptioningOptions(images=str(tmp_path / "elsewhere"), height=16, width=16)
    assert len(read_captioning_data(str(tmp_path / "captions.json"), options).items) == 10


@pytest.mark.parametrize(
    ("resize", "box"),
    # Of 40 x 20: stretched to 16 x 16; or made 32 x 16, of which columns 8 to 24 are kept.
    [("stretch", (4.0, 8.0, 12.0, 16.0)), ("shorter_side", (0.0, 8.0, 16.0, 16.0))],
)
def test_boxes_follow_the_picture(
    tmp_path: Path, resize: str, box: tuple[float, float, float, float]
) -> None:
    Image.new("RGB", (40, 20)).save(tmp_path / "a.png")
    things = [
        {"name": "dog", "colour": "red", "box": [10, 10, 30, 20]},
        {"name": "cat", "box": [0, 0, 40, 20]},
    ]
    entry = tiny.karpathy_entry("a.png", "train", objects=things)
    (tmp_path / "dataset_tiny.json").write_text(json.dumps({"images": [entry]}))
    options = CaptioningOptions(height=16, width=16, resize=resize)
    data = read_captioning_data(str(tmp_path), options)
    dog, cat = data.items[0].objects or ()
    assert (dog.noun, dog.colour, dog.size, dog.box) == ("dog", "red", "", box)
    assert cat.box == (0.0, 0.0, 16.0, 16.0)


@pytest.mark.parametrize("objects", ["x", [7], [{"name": "dog"}], [{"name": "", "box": [1] * 4}]])
def test_objects_that_make_no_sense_are_named(tmp_path: Path, objects: object) -> None:
    tiny.write_pictures(tmp_path)
    entries = [tiny.karpathy_entry("a.png", "train", objects=objects)]
    (tmp_path / "dataset_tiny.json").write_text(json.dumps({"images": entries}))
    data = read_captioning_data(str(tmp_path), SMALL)
    assert data.items[0].objects is None
    assert "objects that are not all" in data.damaged[0][1]


def test_the_same_picture_is_never_in_two_parts() -> None:
    digests = [str(number // 2) for number in range(100)]
    parts = split_pictures(digests, [None] * 100, "60/20/20")
    held = [{digests[number] for number in numbers} for numbers in parts.values()]
    assert sum(map(len, held)) == 50
    assert [len(numbers) for numbers in parts.values()] == [60, 20, 20]
    assert split_pictures(digests, [None] * 100, "60/20/20", seed=1) != parts


def test_a_split_of_the_data_is_kept() -> None:
    named = ["train"] * 80 + ["test"] * 15 + ["unlisted"] * 5
    parts = split_pictures([str(n) for n in range(100)], named, "80/20/0")
    assert parts["test"] == list(range(80, 95))
    assert (len(parts["train"]), len(parts["valid"])) == (64, 16)
    assert max(parts["train"] + parts["valid"]) < 80


def test_rare_words_are_unknown_and_long_captions_are_cut(tmp_path: Path) -> None:
    source = str(tiny.write_csv(tmp_path))
    data = read_captioning_data(source, CaptioningOptions(min_count=8, max_words=2))
    words = {"<start>", "<end>", "<unk>", "here", "is", "picture", "this"}
    assert set(data.vocabulary.entries) == words
    assert data.vocabulary.decode(data.tokens(data.vocabulary, 2)[0][0]) == "picture <unk>"
    assert "are longer than 2 words" in data.notices[-1]


def test_a_damaged_vocabulary_is_named(tmp_path: Path) -> None:
    vocabulary = CaptionVocabulary.of([["a", "dog"], ["the", "dog"]])
    vocabulary.save(tmp_path)
    assert CaptionVocabulary.load(tmp_path) == vocabulary
    path = tmp_path / "vocabulary.json"
    for text in ("", "{}", '["a"]', '["<start>", "<end>", "<unk>", "a", "a"]', "[" * 99_999):
        path.write_text(text)
        with pytest.raises(ReaderError, match=r"vocabulary\.json") as caught:
            CaptionVocabulary.load(tmp_path)
        assert "\n" not in str(caught.value)
    path.unlink()
    with pytest.raises(ReaderError, match=r"vocabulary\.json"):
        CaptionVocabulary.load(tmp_path)


def test_films_are_read_as_frames_that_are_evenly_spread(tmp_path: Path) -> None:
    for name, count in (("a", 12), ("b", 6), ("c", 9)):
        write_video(tmp_path / f"{name}.mp4", count)
    (tmp_path / "broken.mp4").write_bytes((tmp_path / "a.mp4").read_bytes()[:300])
    rows = "".join(f"{name}.mp4,it is {name}\n" for name in ("a", "b", "c", "broken", "gone"))
    (tmp_path / "captions.csv").write_text("video,caption\n" + rows)
    options = CaptioningOptions(height=16, width=24, frames=3)
    data = read_captioning_data(str(tmp_path), options, films=True)
    assert [item.name for item in data.items] == ["a.mp4", "b.mp4", "c.mp4"]
    assert [Path(name).name for name, _ in data.rejected] == ["broken.mp4", "gone.mp4"]
    assert data.total == 5
    assert (data.pixels(0).shape, data.pixels(0).dtype) == ((3, 3, 16, 24), torch.uint8)
    assert [[number_of(f) for f in data.pixels(n)] for n in range(3)] == [
        [2, 6, 10],
        [1, 3, 5],
        [1, 4, 7],
    ]


def test_the_world_is_data_too() -> None:
    options = CaptioningOptions(height=32, width=48, scenes=20, frames=3)
    scenes = read_captioning_data("world", options)
    films = read_captioning_data("world", options, films=True)
    assert scenes.pixels(0).shape == (3, 32, 48)
    assert films.pixels(0).shape == (3, 3, 32, 48)
    assert sizes(scenes) == sizes(films) == [16, 2, 2]
    for data in (scenes, films):
        said = [item.captions[-1] for item in data.items]
        assert data.judged(range(20), said) == (True,) * 20
        assert data.judged([0], ["a red dog"]) == (False,)
        assert not any(
            data.vocabulary.unknown in row
            for rows in data.tokens(data.vocabulary, 20)
            for row in rows
        )
    assert scenes.digest != films.digest


def test_pictures_that_no_list_names_are_told_of(tmp_path: Path) -> None:
    source = tiny.write_flickr(tmp_path)
    (source / "Flickr_8k.trainImages.txt").write_text("a.png\nb.png\nc.png\n")
    data = read_captioning_data(str(source), SMALL)
    assert sizes(data) == [3, 2, 2]
    assert data.notices == ("3 pictures are in none of the parts that the data itself names",)
