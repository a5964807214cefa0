"""What data holds for the video task, what is damaged in it, and what a model will see."""

from collections import Counter, defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any

from unrolled.errors import UnrolledError
from unrolled.readers.sequences import is_sequence
from unrolled.readers.video import VideoInfo, probe
from unrolled.tasks.data_report import DataReport, Table
from unrolled.tasks.video_data import WORLD, VideoData, read_video_data
from unrolled.tasks.video_keeping import kept_for
from unrolled.tasks.video_options import VideoOptions
from unrolled.tasks.video_splits import PARTS
from unrolled.training.configuration import expand_path

Show = Callable[[float, str], None]  # the share that is done, and a few words on it


def check_videos(source: str, options: VideoOptions, *, show: Show = lambda *_: None) -> DataReport:
    """Read all of the data once, as training does, and say what there is.

    Args:
        source: a folder, a list, a CSV or world.
        options: how clips are taken.
        show: is told how far it is.
    """
    found = read_video_data(expand_path(source), options)
    data, preprocessing = kept_for(found, options, show=show)
    infos = _probed(data, show)
    parts = data.parts(options)
    place = {n: part for part, numbers in parts.items() for n in numbers}
    by_class: dict[str, list[int]] = defaultdict(list)
    for number, sample in enumerate(data.samples):
        by_class[data.class_names[sample.label]].append(number)
    rows = [
        [
            name,
            f"{len(by_class[name]):,}",
            f"{len({data.samples[n].group for n in by_class[name]}):,}",
            *(str(sum(place[n] == part for n in by_class[name])) for part in PARTS),
        ]
        for name in data.class_names
    ]
    columns = ["class", "clips", "groups", *PARTS]
    twice = [d for d, n in Counter(sample.digest for sample in data.samples).items() if n > 1]
    facts = _facts(data, infos)
    short = sum(len(data.read(n)) < options.clip_frames for n in range(len(data.samples)))
    facts.append((f"shorter than {options.clip_frames} frames", f"{short:,}"))
    seen = " x ".join(map(str, (options.clip_frames, *preprocessing.frame)))
    facts.append(("a clip as the network sees it", seen))
    used = f"{len(data.samples):,} + {len(data.rejected):,} = {data.total:,}"
    facts.append(("used + rejected", used))
    notes = (
        [f"{len(twice)} files are there more than once; copies stay on one side"] if twice else []
    )
    figures: dict[str, Any] = {
        "classes": {name: len(by_class[name]) for name in data.class_names},
        "parts": {part: len(numbers) for part, numbers in parts.items()},
        "used": len(data.samples),
        "rejected": [list(fault) for fault in data.rejected],
        "damaged": [list(fault) for fault in data.damaged],
        "total": data.total,
        "shorter_than_a_clip": short,
        "copies": len(twice),
        "clip": [options.clip_frames, *preprocessing.frame],
        **{name.replace(" ", "_"): value for name, value in _ranges(data, infos).items()},
    }
    damage = [f"{name}: {reason}" for name, reason in (*data.rejected, *data.damaged)]
    tables = [Table("classes", columns, rows, columns[1:]), Table("", ("", ""), facts)]
    return DataReport(figures, tables, damage, notes)


def _probed(data: VideoData, show: Show) -> list[VideoInfo]:
    """Return what the video files say of themselves, each file once."""
    if data.source == WORLD:
        return []
    infos = []
    paths = sorted({item.path for item in data.items if not is_sequence(item.path)})
    for number, path in enumerate(paths):
        show(number / len(paths), "probing")
        try:
            infos.append(probe(path))
        except UnrolledError:
            continue  # it is among the rejected
    return infos


def _ranges(data: VideoData, infos: list[VideoInfo]) -> dict[str, list[float]]:
    """Return least, median and greatest of what varies from sample to sample."""
    lengths = [float(len(data.read(n))) for n in range(len(data.samples))]
    found = {"frames at the rate of the clips": lengths}
    if infos:
        found |= {
            "seconds": [info.duration_seconds for info in infos],
            "frames a second": [info.frames_per_second for info in infos],
            "width": [float(info.width) for info in infos],
            "height": [float(info.height) for info in infos],
        }
    return {name: [min(v), float(median(v)), max(v)] for name, v in found.items()}


def _facts(data: VideoData, infos: list[VideoInfo]) -> list[tuple[str, str]]:
    facts = [
        (name, f"{low:.5g} to {high:.5g}, half below {middle:.5g}")
        for name, (low, middle, high) in _ranges(data, infos).items()
    ]
    if infos:
        codecs = Counter(info.codec for info in infos)
        facts.append(("codecs", ", ".join(f"{name} {n:,}" for name, n in codecs.most_common())))
    return facts
