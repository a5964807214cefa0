"""What the pictures or films of captioned data really are, each of them opened."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from unrolled.errors import ReaderError
from unrolled.readers.caption_sets import CaptionedFile
from unrolled.readers.pictures import decode_picture, read_picture_file
from unrolled.readers.video_survey import survey_videos
from unrolled.tasks.data_report import spread
from unrolled.tasks.learning import Show


@dataclass
class CaptionSurvey:
    """What was found in the files that captions are about.

    Args:
        used: files that can be read.
        rejected: those that cannot, with the reason.
        missing: names of those that are not there.
        damaged: what is wrong in films that can be read all the same.
        kinds: how many files of which format and mode there are, or of which codec.
        sizes: height and width of each.
        seconds: length of each film.
        turned: pictures that are stored turned or mirrored.
        duplicates: names of files that are the same, byte for byte.
    """

    used: list[CaptionedFile] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    damaged: list[tuple[str, str]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    turned: int = 0
    duplicates: list[list[str]] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        found: dict[str, Any] = {"kinds": dict(self.kinds.most_common())}
        if self.sizes:
            found["height"] = spread([float(height) for height, _ in self.sizes])
            found["width"] = spread([float(width) for _, width in self.sizes])
        if self.seconds:
            found["seconds"] = spread(self.seconds)
        return found | {"turned": self.turned, "duplicates": self.duplicates}


def survey_pictures(files: Sequence[CaptionedFile], show: Show) -> CaptionSurvey:
    """Open every picture, and decode all of it."""
    found, same = CaptionSurvey(), defaultdict[str, list[str]](list)
    for number, file in enumerate(files):
        show(number / len(files), file.name)
        if not file.path.exists():
            found.missing.append(file.name)
        try:
            data = read_picture_file(file.path)
            picture = decode_picture(data, file.path)
        except ReaderError as error:
            found.rejected.append((str(file.path), error.got))
            continue
        found.used.append(file)
        found.kinds[f"{picture.format} {picture.mode}"] += 1
        found.sizes.append((picture.pixels.shape[1], picture.pixels.shape[2]))
        found.turned += picture.turned
        same[sha256(data).hexdigest()].append(file.name)
    found.duplicates = [names for names in same.values() if len(names) > 1]
    return found


def survey_films(files: Sequence[CaptionedFile], show: Show) -> CaptionSurvey:
    """Decode every frame of every film."""
    found, same = CaptionSurvey(), defaultdict[str, list[str]](list)
    surveys = survey_videos([file.path for file in files], show=show)
    for file, seen in zip(files, surveys, strict=True):
        if not file.path.exists():
            found.missing.append(file.name)
        if seen.unreadable or seen.info is None:
            reason = seen.unreadable or "no film"
            found.rejected.append((str(file.path), reason))
            continue
        found.used.append(file)
        found.damaged += [(str(file.path), str(damage)) for damage in seen.damage]
        found.kinds[seen.info.codec] += 1
        found.sizes.append((seen.info.height, seen.info.width))
        found.seconds.append(seen.seconds or 0.0)
        found.turned += seen.info.rotation_degrees != 0
        same[seen.sha256].append(file.name)
    found.duplicates = [names for names in same.values() if len(names) > 1]
    return found
