"""Text files."""

from pathlib import Path

from unrolled.errors import ReaderError


def read_text(path: str | Path, *, encoding: str = "utf-8") -> str:
    """Read a whole text file, line ends as ``\\n``.

    Raises:
        ReaderError: the file is missing, a folder, empty, or has bytes that are not text in this
            encoding; the message has the offset of the first such byte.
    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "hello.txt"
        >>> _ = path.write_text("hello")
        >>> read_text(path)
        'hello'
    """
    path = Path(path)
    if not path.is_file():
        got = "a folder" if path.is_dir() else "nothing there"
        raise ReaderError(f"a text file at {path}", got, "check the path")
    try:
        data = path.read_bytes()
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        byte = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        raise ReaderError(
            f"{encoding} text in {path}", byte, "name its encoding, as in --encoding latin-1"
        ) from None
    except LookupError:
        raise ReaderError("the name of an encoding", repr(encoding), "try utf-8") from None
    except OSError as error:
        raise ReaderError(f"a readable file at {path}", error.strerror or "an error") from None
    if not text:
        raise ReaderError(f"text in {path}", "an empty file")
    return text.replace("\r\n", "\n").replace("\r", "\n")
