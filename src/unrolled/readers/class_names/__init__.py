"""Names of classes: of a file, one a line, or of the sets that weights are learnt from."""

from pathlib import Path

from unrolled.errors import ReaderError

_HERE = Path(__file__).parent
_FILES = {"ImageNet": "imagenet.txt", "Kinetics-400": "kinetics400.txt"}
_MOST_BYTES = 10_000_000


def read_class_names(path: Path) -> tuple[str, ...]:
    """Read names, one a line, the first one that of class 0.

    Raises:
        ReaderError: no such file, no text, no names, or one of them twice.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ReaderError(f"names of classes in {path}", f"{path.stat().st_size:,} bytes")
        names = tuple(line.strip() for line in path.read_text("utf-8-sig").splitlines())
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ReaderError(f"names of classes, one a line, in {path}", reason) from None
    if not names or not all(names):
        got = "none" if not names else f"line {names.index('') + 1} is empty"
        raise ReaderError(f"names of classes, one a line, in {path}", got)
    return names


def published_class_names(data: str, class_count: int) -> tuple[str, ...] | None:
    """Return the names of a well-known set; with one class more, the first is the background.

    Example:
        >>> published_class_names("ImageNet", 1001)[:2]
        ('background', 'tench, Tinca tinca')
        >>> published_class_names("ImageNet", 7) is None
        True
    """
    if data not in _FILES:
        return None
    names = read_class_names(_HERE / _FILES[data])
    if class_count == len(names) + 1:
        return ("background", *names)
    return names if class_count == len(names) else None
