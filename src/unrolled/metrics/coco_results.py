"""COCO's result files: the captions of a model, one a picture, as the COCO server takes them."""

import json
from collections.abc import Mapping
from pathlib import Path

from unrolled.errors import ReaderError
from unrolled.storage import write_file

ImageId = int | str


def write_coco_results(path: Path, captions: Mapping[ImageId, str]) -> None:
    """Write captions by the number, or the name, of their picture.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "results.json"
        >>> write_coco_results(path, {404464: "a man in front of a building"})
        >>> print(path.read_text())
        [{"image_id": 404464, "caption": "a man in front of a building"}]
        >>> read_coco_results(path)
        {404464: 'a man in front of a building'}
    """
    rows = [{"image_id": image, "caption": caption} for image, caption in captions.items()]
    write_file(path, json.dumps(rows, ensure_ascii=False).encode())


def read_coco_results(path: Path) -> dict[ImageId, str]:
    """Read captions by the number, or the name, of their picture.

    Raises:
        ReaderError: the file is not there, is no JSON, or an entry is not one of these; it names
            the entry.
    """
    try:
        rows = json.loads(path.read_bytes())
    except OSError as error:
        raise ReaderError(f"a result file at {path}", error.strerror or "an error") from None
    except (ValueError, RecursionError) as error:
        raise ReaderError(f"JSON in {path}", str(error) or "nesting without end") from None
    if not isinstance(rows, list):
        raise ReaderError(f"a list of captions in {path}", f"a {type(rows).__name__}")
    captions: dict[ImageId, str] = {}
    for number, row in enumerate(rows):
        image, caption = _entry(path, number, row)
        if image in captions:
            raise ReaderError(f"one caption a picture in {path}", f"entry {number}: {image} again")
        captions[image] = caption
    return captions


def _entry(path: Path, number: int, row: object) -> tuple[ImageId, str]:
    image, caption = (row.get("image_id"), row.get("caption")) if isinstance(row, dict) else (0, 0)
    if not isinstance(image, int | str) or isinstance(image, bool) or not isinstance(caption, str):
        expected = f'{{"image_id": ..., "caption": "..."}} in {path}'
        raise ReaderError(expected, f"entry {number}: {json.dumps(row)[:60]}")
    return image, caption
