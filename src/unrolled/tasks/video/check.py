"""What a set of labelled videos holds, what is damaged in it, and what a model will see of it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from unrolled.readers.sequences import SequenceReading
from unrolled.readers.video_sets import VideoItem, VideoSet, read_video_set
from unrolled.readers.video_survey import FileSurvey, survey_videos
from unrolled.tasks.data_report import DataReport, Table, spread
from unrolled.tasks.learning import Show
from unrolled.tasks.video.check_options import VideoCheckOptions

_SENTENCES = 10  # of one kind, that are shown


def check_videos(
    source: str,
    options: VideoCheckOptions = VideoCheckOptions(),  # noqa: B008 (frozen)
    *,
    show: Show = lambda *_: None,
) -> DataReport:
    """Decode every video of a data set, and tell what it holds.

    Args:
        source: a folder or a list, as ``read_video_set`` takes it.
        options: how the videos are found, and what a model will be shown.
        show: is told how far it is.
    Raises:
        ReaderError: there is nothing at all.
    """
    found = read_video_set(source, group=options.group, videos=options.videos)
    reading = SequenceReading(options.time_axis, options.features, options.skip_columns)
    paths = list(dict.fromkeys(item.path for item in found.items))
    surveys = {survey.path: survey for survey in survey_videos(paths, reading, show=show)}
    readable = [item for item in found.items if not surveys[item.path].unreadable]
    unreadable = [s for s in surveys.values() if s.unreadable]
    lost = [(i.path, surveys[i.path].unreadable) for i in found.items if surveys[i.path].unreadable]
    damaged = [s for s in surveys.values() if s.damage]
    short = [item for item in readable if _is_short(item, surveys[item.path], options)]
    rejected = [*found.rejected, *lost]
    figures: dict[str, Any] = {
        "total": len(readable) + len(rejected),
        "used": len(readable),
        "rejected": [[str(path), reason] for path, reason in rejected],
        "damaged": {str(s.path): [str(damage) for damage in s.damage] for s in damaged},
        "classes": _classes(found, readable, surveys),
        "parts": dict(Counter(item.part for item in readable if item.part)),
        "videos": _videos([s for s in surveys.values() if s.info is not None]),
        "sequences": _sequences([s for s in surveys.values() if s.shape and s.info is None]),
        "duplicates": _duplicates(readable, surveys),
        "shorter_than_a_clip": [str(item.path) for item in short],
    }
    damage = [f"{s.path}: {s.unreadable}" for s in unreadable]
    damage += [_worst(s) for s in damaged]
    notes = [f"left out: {path}: {reason}" for path, reason in found.rejected]
    notes = _few(notes) + _notes(figures, options)
    return DataReport(figures, _tables(figures), _few(damage), notes)


def _is_short(item: VideoItem, survey: FileSurvey, options: VideoCheckOptions) -> bool:
    if survey.seconds is None:
        return survey.frames < options.clip_frames
    wanted = options.clip_frames / options.frames_per_second
    start = item.start_seconds or 0.0
    end = survey.seconds if item.stop_seconds is None else min(item.stop_seconds, survey.seconds)
    return end - start < wanted - 1e-6


def _classes(
    found: VideoSet, readable: Sequence[VideoItem], surveys: dict[Any, FileSurvey]
) -> dict[str, Any]:
    classes = {}
    for name in found.class_names:
        items = [item for item in readable if item.label == name]
        classes[name] = {
            "items": len(items),
            "groups": len({item.group for item in items}),
            "frames": sum(surveys[item.path].frames for item in items),
        }
    return classes


def _videos(surveys: list[FileSurvey]) -> dict[str, Any]:
    if not surveys:
        return {}
    infos = [s.info for s in surveys if s.info is not None]
    return {
        "files": len(surveys),
        "seconds": spread([s.seconds or 0.0 for s in surveys]),
        "frames": spread([float(s.frames) for s in surveys]),
        "frames_per_second": spread([info.frames_per_second for info in infos]),
        "height": spread([float(info.height) for info in infos]),
        "width": spread([float(info.width) for info in infos]),
        "codecs": dict(Counter(info.codec for info in infos).most_common()),
        "turned": sum(info.rotation_degrees != 0 for info in infos),
    }


def _sequences(surveys: list[FileSurvey]) -> dict[str, Any]:
    if not surveys:
        return {}
    shapes = Counter(" x ".join(map(str, s.shape)) for s in surveys)
    steps = spread([float(s.frames) for s in surveys])
    return {"files": len(surveys), "steps": steps, "shapes": dict(shapes.most_common())}


def _duplicates(
    readable: Sequence[VideoItem], surveys: dict[Any, FileSurvey]
) -> list[dict[str, Any]]:
    """Return the files that are the same, byte for byte."""
    same: dict[str, dict[str, VideoItem]] = defaultdict(dict)
    for item in readable:
        if surveys[item.path].sha256:
            same[surveys[item.path].sha256].setdefault(str(item.path), item)
    return [
        {
            "files": list(items),
            "across_groups": len({item.group for item in items.values()}) > 1,
            "across_classes": len({item.label for item in items.values()}) > 1,
        }
        for items in same.values()
        if len(items) > 1
    ]


def _worst(survey: FileSurvey) -> str:
    more = len(survey.damage) - 1
    return f"{survey.damage[0]}" + f" (and {more:,} more in it)" * (more > 0)


def _notes(figures: dict[str, Any], options: VideoCheckOptions) -> list[str]:
    notes = []
    short = len(figures["shorter_than_a_clip"])
    if short:
        rate = options.frames_per_second
        count = "1 item is" if short == 1 else f"{short:,} items are"
        notes.append(
            f"{count} shorter than {options.clip_frames} frames at {rate:g} a second: "
            "the last frame is held"
        )
    for same in figures["duplicates"][:_SENTENCES]:
        where = "in other groups" if same["across_groups"] else "in one group"
        where += " and classes" * same["across_classes"]
        first, *others = same["files"]
        notes.append(f"the same file, {where}: {first} and {', '.join(others)}")
    turned = figures["videos"].get("turned", 0)
    if turned:
        notes.append(f"{turned:,} videos ask to be turned, and are")
    lone = [name for name, counts in figures["classes"].items() if counts["groups"] == 1]
    if lone:
        notes.append(f"of one group alone, so on one side of any split: {', '.join(lone)}")
    return notes


def _tables(figures: dict[str, Any]) -> list[Table]:
    rejected = len(figures["rejected"])
    title = f"{figures['used']:,} used + {rejected:,} left out = {figures['total']:,} items"
    columns = ("items", "groups", "frames")
    rows = [
        (name, *(f"{counts[column]:,}" for column in columns))
        for name, counts in figures["classes"].items()
    ]
    tables = [Table(title, ("class", *columns), rows, columns)]
    if figures["videos"]:
        tables.append(_spread_table(figures["videos"]))
    if figures["sequences"]:
        steps = figures["sequences"]["steps"]
        title = f"{figures['sequences']['files']:,} sequences, steps by shape of one: " + ", ".join(
            f"{count:,} of {shape or 'one number'}"
            for shape, count in figures["sequences"]["shapes"].items()
        )
        row = ("steps", *(f"{steps[k]:g}" for k in ("least", "median", "most")))
        tables.append(Table(title, ("", "least", "median", "most"), [row], ("least", "median")))
    return tables


def _spread_table(videos: dict[str, Any]) -> Table:
    columns = ("least", "median", "most")
    names = ("seconds", "frames", "frames_per_second", "height", "width")
    rows = [
        (name.replace("_", " "), *(f"{videos[name][column]:.5g}" for column in columns))
        for name in names
    ]
    codecs = ", ".join(f"{count:,} {codec}" for codec, count in videos["codecs"].items())
    return Table(f"{videos['files']:,} video files: {codecs}", ("", *columns), rows, columns)


def _few(sentences: list[str]) -> list[str]:
    """Return the first sentences; that there are more is one more sentence."""
    more = len(sentences) - _SENTENCES
    return sentences[:_SENTENCES] + [f"and {more:,} more; --json has them all"] * (more > 0)
