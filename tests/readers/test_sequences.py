"""Sequences of other sensors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from unrolled.errors import ConfigError, ReaderError
from unrolled.readers.sequences import SequenceReading, read_sequence

GREY = np.arange(6, dtype=np.uint8).reshape(2, 3) * 50


def picture(path: Path, values: np.ndarray = GREY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return path


def test_a_picture_with_an_axis_that_is_time(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png")
    np.testing.assert_allclose(read_sequence(path), GREY.T / 255, rtol=1e-6)
    high = read_sequence(path, SequenceReading(time_axis="height"))
    np.testing.assert_allclose(high, GREY / 255, rtol=1e-6)
    colour = picture(tmp_path / "c.png", np.stack([GREY, GREY // 2, GREY // 5], axis=-1))
    assert read_sequence(colour).shape == (3, 3, 2)
    deep = picture(tmp_path / "d.png", GREY.astype(np.uint16) * 200)
    np.testing.assert_allclose(read_sequence(deep), GREY.T * 200.0 / 65535, rtol=1e-6)


def test_pictures_of_one_recording_are_channels(tmp_path: Path) -> None:
    picture(tmp_path / "DTI" / "a.png")
    picture(tmp_path / "RTI" / "a.png", GREY[::-1].copy())
    both = read_sequence(tmp_path / "*" / "a.png")
    assert both.shape == (3, 2, 2)
    assert torch.equal(both[:, 0], read_sequence(tmp_path / "DTI" / "a.png"))
    assert torch.equal(both[:, 1], read_sequence(tmp_path / "RTI" / "a.png"))


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / "f" / f"{number}.png", GREY + number)
    frames = read_sequence(tmp_path / "f")
    assert frames.shape == (3, 1, 2, 3)
    np.testing.assert_allclose(frames[2, 0], (GREY + 2) / 255, rtol=1e-6)


def test_arrays_and_rows(tmp_path: Path) -> None:
    values = np.arange(12).reshape(4, 3)
    np.save(tmp_path / "a.npy", values)
    assert read_sequence(tmp_path / "a.npy").tolist() == values.tolist()
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n\n5,6\n")
    assert read_sequence(tmp_path / "a.csv").tolist() == [[1, 2], [3, 4], [5, 6]]
    (tmp_path / "b.csv").write_text("7,0,1,2,3\n8,4,5,6,7\n")
    reading = SequenceReading(features=2, skip_columns=1)
    assert read_sequence(f"{tmp_path}/b.csv#1", reading).tolist() == [[4, 5], [6, 7]]


def bad_array(path: Path) -> None:
    np.save(path, np.array([object()], dtype=object), allow_pickle=True)


BAD = {
    "a.npy": (lambda p: p.write_bytes(b"\x93NUMPY"), "an array of numbers"),
    "o.npy": (bad_array, "Object arrays cannot be loaded"),
    "n.npy": (lambda p: np.save(p, np.array([1.0, np.nan])), "others in step 1"),
    "e.npy": (lambda p: np.save(p, np.zeros((0, 3))), "steps in .*, got none"),
    "a.png": (lambda p: p.write_text("no picture"), "a picture in"),
    "a.csv": (lambda p: p.write_text("1,2\n3\n"), "got 1 in row 1"),
    "b.csv": (lambda p: p.write_text("1,2\n3,four\n"), "numbers in row 1 of .*, got 'four'"),
    "c.csv": (lambda p: p.write_text("a,b\n"), "rows of numbers in"),
    "d.csv#9": (lambda p: p.with_name("d.csv").write_text("1,2\n"), "row 9 of .*, got rows 0 to 0"),
    "e.csv#0": (lambda p: p.with_name("e.csv").write_text("1,2,3\n"), "a multiple of 2 numbers"),
    "gone.npy": (str, "nothing there"),
    "*/gone.png": (str, "pictures at .*, got none"),
    "folder": (lambda p: p.mkdir(), "pictures in .*, got none"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_sequence_is_one_line(name: str, tmp_path: Path) -> None:
    make, words = BAD[name]
    make(tmp_path / name)
    with pytest.raises(ReaderError, match=words) as error:
        read_sequence(tmp_path / name, SequenceReading(features=2))
    assert "\n" not in str(error.value)


def test_impossible_layouts() -> None:
    with pytest.raises(ConfigError, match="features of at least 1"):
        SequenceReading(features=0)


def test_pictures_that_do_not_fit_together(tmp_path: Path) -> None:
    picture(tmp_path / "f" / "a.png")
    picture(tmp_path / "f" / "b.png", GREY.T.copy())
    with pytest.raises(ReaderError, match=r"b\.png of the size of a\.png"):
        read_sequence(tmp_path / "f")
