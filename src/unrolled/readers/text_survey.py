"""What the files of a text hold, and what is wrong with them, without stopping at the first."""

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_OFFSETS = 3  # of bytes that are no text, named in each file
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_ESCAPED = re.compile("[\udc80-\udcff]")  # what bytes that are no text become
_BYTE_ORDER_MARK = "\ufeff"


class Surprise(Enum):
    """What may surprise in a file: said of one file, and of many."""

    EMPTY = ("is empty", "are empty")
    LINE_ENDS = ("mixes line ends", "mix line ends")
    NUL = ("has NUL characters", "have NUL characters")
    CONTROL = ("has control characters", "have control characters")
    BYTE_ORDER_MARK = ("begins with a byte order mark", "begin with a byte order mark")


@dataclass(frozen=True)
class FileSurvey:
    """What one file holds.

    Args:
        path: the file.
        num_bytes: its size.
        sha256: of its bytes; "" if it cannot be read.
        unreadable: why it cannot be read, or "".
        bad_bytes: how many bytes are no text in the encoding.
        bad_offsets: where the first of them are.
        line_ends: how many there are of ``\\n``, ``\\r\\n`` and ``\\r``.
        nul_characters: how many characters are U+0000, as in pictures and programs.
        control_characters: how many others are neither text nor a tab nor a line end.
        byte_order_mark: whether it begins with one.
    """

    path: Path
    num_bytes: int
    sha256: str = ""
    unreadable: str = ""
    bad_bytes: int = 0
    bad_offsets: tuple[int, ...] = ()
    line_ends: tuple[int, int, int] = (0, 0, 0)
    nul_characters: int = 0
    control_characters: int = 0
    byte_order_mark: bool = False

    def damage(self, encoding: str) -> str:
        """Return what must be mended before the file can be read, or ""."""
        if self.unreadable:
            return f"{self.path}: {self.unreadable}"
        if not self.bad_bytes:
            return ""
        places = ", ".join(f"{offset:,}" for offset in self.bad_offsets)
        more = ", ..." if self.bad_bytes > len(self.bad_offsets) else ""
        at = "offset" if self.bad_bytes == 1 else "offsets"
        count = "1 byte is" if self.bad_bytes == 1 else f"{self.bad_bytes:,} bytes are"
        cure = "mend it, or name its encoding, as in --encoding latin-1"
        return f"{self.path}: {count} no {encoding} text, at {at} {places}{more}; {cure}"

    def surprises(self) -> dict[Surprise, str]:
        """Return what may surprise, though the file can be read, with particulars or ""."""
        lf, crlf, cr = self.line_ends
        found = {
            Surprise.EMPTY: (self.num_bytes == 0 and not self.unreadable, ""),
            Surprise.LINE_ENDS: (
                sum(count > 0 for count in self.line_ends) > 1,
                f"{lf:,} \\n, {crlf:,} \\r\\n, {cr:,} \\r",
            ),
            Surprise.NUL: (self.nul_characters > 0, f"{self.nul_characters:,}"),
            Surprise.CONTROL: (self.control_characters > 0, f"{self.control_characters:,}"),
            Surprise.BYTE_ORDER_MARK: (self.byte_order_mark, ""),
        }
        return {surprise: words for surprise, (is_so, words) in found.items() if is_so}


def survey_file(path: Path, *, encoding: str = "utf-8") -> FileSurvey:
    """Look a file through.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.txt"
        >>> _ = path.write_bytes(b"caf\\xe9\\r\\nau lait\\n")
        >>> survey = survey_file(path)
        >>> survey.bad_bytes, survey.bad_offsets, survey.line_ends
        (1, (3,), (1, 1, 0))
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        return FileSurvey(path, 0, unreadable=error.strerror or "it cannot be read")
    bad_bytes, offsets = 0, tuple[int, ...]()
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        bad_bytes, offsets = 1, (error.start,)
        text = data.decode(encoding, "replace")
        if encoding.lower().replace("_", "-") in ("utf-8", "utf8", "ascii", "us-ascii"):
            text = data.decode(encoding, "surrogateescape")
            places = [match.start() for match in _ESCAPED.finditer(text)]
            bad_bytes = len(places)
            before = (text[:place] for place in places[:_OFFSETS])
            offsets = tuple(len(t.encode(encoding, "surrogateescape")) for t in before)
    crlf = text.count("\r\n")
    return FileSurvey(
        path,
        len(data),
        hashlib.sha256(data).hexdigest(),
        bad_bytes=bad_bytes,
        bad_offsets=offsets,
        line_ends=(text.count("\n") - crlf, crlf, text.count("\r") - crlf),
        nul_characters=text.count("\0"),
        control_characters=sum(1 for _ in _CONTROL.finditer(text)),
        byte_order_mark=text.startswith(_BYTE_ORDER_MARK),
    )
