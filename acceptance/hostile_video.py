"""Damaged videos cost themselves and nothing else: no crash, no hang, no frame at a wrong time.

    python -m acceptance.hostile_video [--truncations 300] [--mutations 1000]

The frames of a small H.264 video with B-frames carry their own numbers. It is cut at places spread
over the file, and bytes of it are changed, repeated, removed. Each copy is read frame by frame and
here and there. It may be refused in one of the library's own errors. What is read comes in rising
times, the same here and there as in order. Where the table of times was not touched, frames whose
group of pictures was not touched must all be there, each at its own time, and those of damaged ones
at times of theirs. Every eighth copy is of a Matroska or an AVI file, whose times lie between
the frames: of these, order alone is asked. The broken twin takes the time of a frame from how many
came before it.
"""

import argparse
import itertools
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av

from acceptance.numbered_video import read_number, write_numbered
from acceptance.verdict import conclude
from unrolled.errors import ReaderError
from unrolled.readers.clip import Frame
from unrolled.readers.video import iterate_frames, read_frames
from unrolled.readers.video_process import Damage, own_process

RATE, FRAMES = 25, 60
SECONDS = 10.0  # of waiting, on a busy machine; a file takes some hundredths
KINDS = {"mp4": "libx264", "mkv": "libx264", "avi": "mpeg4"}
OTHER_KINDS_EVERY = 8
MEGABYTES = 256


class Copy(NamedTuple):
    """A damaged copy of a good file, and the frames it may have lost; None: times, too."""

    name: str
    kind: str
    data: bytes
    touched: frozenset[int] | None


class Group(NamedTuple):
    """Frames that are decoded from one key frame, and the bytes they lie in."""

    first_byte: int
    last_byte: int
    frames: frozenset[int]


def main() -> int:
    """Run the proof and its broken twin."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--truncations", type=int, default=300)
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began, generator = time.monotonic(), random.Random(options.seed)
    failures: list[str] = []
    outcomes = {"refused": 0, "read, damage told": 0, "read whole": 0, "decoder lost": 0}
    slowest, frames, twin_wrong = 0.0, 0, 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as scratch:
        good = make_good(Path(scratch))
        parts = groups(Path(scratch) / "good.mp4")
        truncated = truncations(good, parts, options.truncations)
        mutated = mutations(good, parts, options.mutations, generator)
        for copy in [*truncated, *mutated]:
            path = Path(scratch) / f"bad.{copy.kind}"
            path.write_bytes(copy.data)
            start = time.monotonic()
            outcome, read, wrong = attempt(path, copy, generator)
            slowest = max(slowest, time.monotonic() - start)
            outcomes[outcome] += 1
            frames += len(read)
            failures += [f"{copy.name}: {words}" for words in wrong]
            if time.monotonic() - start > SECONDS:
                failures.append(f"{copy.name}: {time.monotonic() - start:.1f} s")
            if copy.touched is not None:
                twin_wrong += bool(wrong_times(counting_twin(read), copy.touched))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    if grown > MEGABYTES:
        failures.append(f"{grown:.0f} MB more memory")
    read_at_all = options.truncations + options.mutations - outcomes["refused"]
    return conclude(
        "hostile_video",
        options.truncations + options.mutations,
        failures,
        began=began,
        figures={
            **outcomes,
            "frames_read": frames,
            "slowest_seconds": round(slowest, 2),
            "decoders_started": own_process().starts,
        },
        control_failed=twin_wrong > 0,
        exercised=read_at_all > outcomes["refused"] and outcomes["read, damage told"] > 0,
    )


def make_good(folder: Path) -> dict[str, bytes]:
    """Return a good file of every kind."""
    good = {}
    for kind, codec in KINDS.items():
        path = folder / f"good.{kind}"
        write_numbered(path, range(FRAMES), rate=RATE, codec=codec)
        good[kind] = path.read_bytes()
    return good


def groups(path: Path) -> list[Group]:
    """Return the groups of pictures of a good file."""
    found: list[list[tuple[int, int, int]]] = []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.size:
                number = round(float((packet.pts or 0) * packet.time_base) * RATE)
                if packet.is_keyframe:
                    found.append([])
                found[-1].append((packet.pos or 0, packet.size, number))
    return [
        Group(g[0][0], g[-1][0] + g[-1][1] - 1, frozenset(number for _, _, number in g))
        for g in found
    ]


def touched(parts: list[Group], first: int, last: int) -> frozenset[int] | None:
    """Return the frames of the groups that lie in these bytes; None where the tables do."""
    if first < parts[0].first_byte:
        return None
    hit = (part.frames for part in parts if part.first_byte <= last and part.last_byte >= first)
    return frozenset().union(*hit)


def truncations(good: dict[str, bytes], parts: list[Group], count: int) -> Iterator[Copy]:
    """Yield copies that end too early, at places spread over the file."""
    for number in range(count):
        kind = kind_of(number)
        data = good[kind]
        keep = len(data) * number // count
        lost = touched(parts, keep, len(data)) if kind == "mp4" else None
        yield Copy(f"{kind} cut at byte {keep}", kind, data[:keep], lost)


def mutations(
    good: dict[str, bytes], parts: list[Group], count: int, generator: random.Random
) -> Iterator[Copy]:
    """Yield copies with bytes changed, removed, repeated; most of them among the frames."""
    for number in range(count):
        kind = kind_of(number)
        data = bytearray(good[kind])
        first = parts[0].first_byte if number % 4 else 0  # a quarter in the tables, too
        way = ("flip", "flip", "noise", "zero", "remove", "repeat")[number % 6]
        moves = way in ("remove", "repeat")
        changes = 1 if moves else generator.randint(1, 4)
        lost: frozenset[int] | None = frozenset() if kind == "mp4" else None
        for _ in range(changes):
            place, length = generator.randrange(first, len(data)), generator.randint(1, 40)
            mutate(data, place, length, way, generator)
            hit = touched(parts, place, len(data) if moves else place + length)
            lost = None if lost is None or hit is None else lost | hit
        yield Copy(f"{kind} {number} {way}", kind, bytes(data), lost)


def mutate(data: bytearray, place: int, length: int, way: str, generator: random.Random) -> None:
    """Damage a file at a place."""
    if way == "flip":
        data[place] ^= 1 << generator.randrange(8)
    elif way == "noise":
        data[place : place + length] = generator.randbytes(len(data[place : place + length]))
    elif way == "zero":
        data[place : place + length] = bytes(len(data[place : place + length]))
    elif way == "remove":
        del data[place : place + length]
    else:
        data[place:place] = data[place : place + length]


def kind_of(number: int) -> str:
    """Return the kind of the copy with this number."""
    other = number // OTHER_KINDS_EVERY % 2
    return "mp4" if number % OTHER_KINDS_EVERY else ("mkv", "avi")[other]


def attempt(path: Path, copy: Copy, generator: random.Random) -> tuple[str, list[Frame], list[str]]:
    """Read a file as a user would; return the outcome, the frames, and what is wrong."""
    damage: list[Damage] = []
    frames: list[Frame] = []
    lost = False
    try:
        for frame in iterate_frames(path, on_damage=damage.append):
            frames.append(frame)
        times = [generator.uniform(-0.1, FRAMES / RATE + 0.1) for _ in range(5)]
        clip = read_frames(path, times, on_damage=damage.append)
    except ReaderError as error:
        lost = "a decoder that" in str(error)
        if not frames:
            return ("decoder lost" if lost else "refused"), [], []
        clip, times = None, []
    seconds = [frame.seconds for frame in frames]
    pairs = itertools.pairwise(seconds)
    wrong = [f"{b:.3f} s after {a:.3f} s" for a, b in pairs if b <= a]
    if copy.touched is not None:
        wrong += wrong_times(frames, copy.touched)
    for place, wanted in enumerate(times):
        began = [s for s in seconds if s <= wanted + 1e-6] or seconds[:1]
        got = float(clip.pts_seconds[place]) if clip is not None else began[-1]
        if abs(got - began[-1]) > 1e-6:
            wrong.append(f"at {wanted:.3f} s the frame of {got:.3f} s, not of {began[-1]:.3f} s")
    outcome = "decoder lost" if lost else "read, damage told" if damage else "read whole"
    return outcome, frames, wrong


def wrong_times(frames: list[Frame], touched: frozenset[int]) -> list[str]:
    """Return untouched frames that are missing or late, and others at times of untouched ones."""
    at = {round(frame.seconds * RATE, 3): read_number(frame.pixels) for frame in frames}
    wrong = [f"frame {n} is not at {n / RATE:.3f} s" for n in range(FRAMES) if at.get(n, n) != n]
    wrong = [words for words in wrong if int(words.split()[1]) not in touched]
    lost = [n for n in range(FRAMES) if n not in touched and n not in at]
    wrong += [f"frame {n} is lost" for n in lost]
    wrong += [f"a frame at {tick / RATE:.4f} s" for tick in at if tick not in range(FRAMES)]
    return wrong


def counting_twin(frames: list[Frame]) -> list[Frame]:
    """Give frames the times that loops do which count what they got."""
    return [Frame(frame.pixels, number / RATE) for number, frame in enumerate(frames)]


if __name__ == "__main__":
    sys.exit(main())
