"""Reading a video: here and there, and from beginning to end, against a plain PyAV loop."""

import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from unrolled.errors import ConfigError
from unrolled.readers.video import iterate_frames, read_frames

HEIGHT, WIDTH, FRAMES_PER_SECOND = 360, 640, 25
KEY_INTERVALS = (12, 250)
_UNIFORM, _CLIPS, _CLIP_FRAMES = 16, 10, 8

Show = Callable[[float, str], None]
Picture = np.ndarray[Any, Any]
Result = list[Picture]


def measure_reading(
    *, seconds: float = 30.0, rounds: int = 5, seed: int = 0, show: Show = lambda *_: None
) -> dict[str, Any]:
    """Time both ways of reading by turns, and compare what they read bit for bit.

    The plain loop is ``for frame in container.decode(video=0)`` with ``to_ndarray("rgb24")`` of the
    frames that are wanted, and stops after the last of them.

    Args:
        seconds: of the clip, which is made first.
        rounds: turns that each has; the medians are given.
        seed: of the random clips.
        show: is told how far it is.
    Raises:
        ConfigError: a clip too short, or no round.
    """
    fewest = (_CLIP_FRAMES + 1) / FRAMES_PER_SECOND
    if not fewest <= seconds < float("inf") or rounds < 1:
        got = f"{seconds:g} and {rounds}"
        raise ConfigError(f"at least {fewest:g} seconds and one round", got)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, interval in enumerate(KEY_INTERVALS):
            show(number / 2, f"making a clip with a key frame every {interval}")
            path = Path(folder) / f"every-{interval}.mp4"
            write_clip(path, round(seconds * FRAMES_PER_SECOND), interval)
            show(number / 2 + 0.25, f"reading, key frame every {interval}")
            rows += [_compare(path, interval, what, rounds, seed) for what in _TARGETS]
    return {
        "clip": f"{WIDTH} x {HEIGHT}, {seconds:g} s at {FRAMES_PER_SECOND} frames a second, H.264",
        "rounds": rounds,
        "pyav": av.__version__,
        "reading": rows,
    }


def write_clip(path: Path, frame_count: int, key_interval: int) -> None:
    """Write textures that move over each other, as hard to compress as footage is."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (2, HEIGHT // 8 + 40, WIDTH // 8 + 40, 3), np.uint8)
    layers = np.kron(coarse, np.ones((1, 8, 8, 1), np.uint8))
    grain = generator.integers(0, 12, (HEIGHT, WIDTH, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=FRAMES_PER_SECOND, options={"preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = key_interval
        for number in range(frame_count):
            at = [(7 * number) % 300, (3 * number) % 300]
            first = layers[0, at[0] : at[0] + HEIGHT, :WIDTH] // 2
            second = layers[1, :HEIGHT, at[1] : at[1] + WIDTH] // 2 - 12
            picture = first + second + np.roll(grain, 5 * number, axis=1)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _compare(path: Path, interval: int, what: str, rounds: int, seed: int) -> dict[str, Any]:
    with av.open(str(path)) as container:
        count = container.streams.video[0].frames
    wanted = _TARGETS[what](count, np.random.default_rng(seed))
    ways: dict[str, Callable[[], Result]] = {
        "ours": lambda: _ours(path, wanted),
        "plain": lambda: _plain(path, wanted),
    }
    results = {name: way() for name, way in ways.items()}  # warm, and compared
    identical = len(results["ours"]) == len(results["plain"]) and all(
        np.array_equal(a, b) for a, b in zip(results["ours"], results["plain"], strict=True)
    )
    results.clear()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name in sorted(ways, reverse=bool(turn % 2)):
            began = time.perf_counter()
            ways[name]()
            taken[name].append(1e3 * (time.perf_counter() - began))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    ratios = [p / o for p, o in zip(taken["plain"], taken["ours"], strict=True)]
    return {
        "key_interval_frames": interval,
        "what": what,
        "frames": count if wanted is None else len(wanted),
        "ours_milliseconds": medians["ours"],
        "plain_milliseconds": medians["plain"],
        "times_faster": statistics.median(ratios),
        "identical": identical,
    }


def _every(_count: int, _generator: np.random.Generator) -> list[int] | None:
    return None


def _uniform(count: int, _generator: np.random.Generator) -> list[int]:
    return [int((2 * n + 1) * count / (2 * _UNIFORM)) for n in range(_UNIFORM)]


def _clips(count: int, generator: np.random.Generator) -> list[int]:
    starts = generator.integers(0, count - _CLIP_FRAMES, _CLIPS)
    return [int(start) + n for start in starts for n in range(_CLIP_FRAMES)]


_TARGETS: dict[str, Callable[[int, np.random.Generator], list[int] | None]] = {
    "sequential": _every,
    "16 uniform frames": _uniform,
    "10 random clips of 8": _clips,
}


def _ours(path: Path, wanted: list[int] | None) -> Result:
    if wanted is None:
        last = None
        for frame in iterate_frames(path):
            last = frame
        return [] if last is None else [last.pixels.numpy()]
    clip = read_frames(path, [number / FRAMES_PER_SECOND for number in wanted])
    return list(clip.frames.numpy())


def _plain(path: Path, wanted: list[int] | None) -> Result:
    found: dict[int, Picture] = {}
    needed = None if wanted is None else set(wanted)
    picture: Picture = np.empty(0)
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if needed is None:
                picture = frame.to_ndarray(format="rgb24")
            elif number in needed:
                found[number] = frame.to_ndarray(format="rgb24")
                if len(found) == len(needed):
                    break
    pictures = [picture] if wanted is None else [found[number] for number in wanted]
    return [p.transpose(2, 0, 1) for p in pictures]
