"""Killed at any instant, a run goes on as if it had not been: bit for bit.

    python -m acceptance.kill_resume [--kills 200] [--steps 160]

A process is forked for every attempt, works, and is killed (SIGKILL) at a random instant, in the
midst of steps, saves and loads. The run that the attempts make together must equal one that was
never disturbed: weights, moments, random states, carried state, position and log. The broken twin
writes its checkpoints in place.
"""

import argparse
import mmap
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from acceptance.small_run import fingerprint, open_or_begin
from acceptance.verdict import conclude
from unrolled import storage
from unrolled.errors import UnrolledError
from unrolled.training import checkpoints
from unrolled.training.run_folder import RunFolder

WORKING, SAVING, LOADING = 0, 1, 2
REFUSED, BROKEN = 1, 3  # exit codes of a child: the library said what is wrong, or it did not
POLL_SECONDS = 0.0005


@dataclass
class Tally:
    """What the kills hit, and what went wrong."""

    kills: int = 0
    in_save: int = 0
    in_load: int = 0
    runs: int = 0
    failures: list[str] = field(default_factory=list)


class Board:
    """Numbers that parent and child share.

    They are what the child does, its last save, where it went on, and how many loads and saves it
    has begun or ended.

    Args:
        steps: of a whole run.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.memory = mmap.mmap(-1, 32)

    def __getitem__(self, place: int) -> int:
        return struct.unpack_from("q", self.memory, 8 * place)[0]

    def __setitem__(self, place: int, value: int) -> None:
        struct.pack_into("q", self.memory, 8 * place, value)


def main() -> int:
    """Run the proof and its broken twin."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--steps", type=int, default=160, help="of a run")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.monotonic()
    torch.set_num_threads(1)  # a fork after torch has run on several threads hangs
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        learning, straight = open_or_begin(folder / "straight", options.steps)
        began_learning = time.monotonic()
        learning.training.run()
        step_seconds = (time.monotonic() - began_learning) / options.steps
        expected = fingerprint(straight)
        board = Board(options.steps)
        generator = random.Random(options.seed)
        kills, few = options.kills, max(8, options.kills // 10)

        def exercised(tally: Tally) -> bool:
            return tally.in_save >= kills // 10 and tally.in_load >= kills // 40

        tally = torment(
            folder / "killed", board, expected, kills, exercised, step_seconds, generator
        )
        storage.write_file = write_in_place
        twin = torment(folder / "twin", board, expected, few, has_failed, step_seconds, generator)
    figures = {
        "kills_in_a_save": tally.in_save,
        "kills_in_a_load": tally.in_load,
        "runs_finished": tally.runs,
        "steps_of_a_run": options.steps,
        "twin_failures": len(twin.failures),
    }
    return conclude(
        "kill_resume",
        tally.kills,
        tally.failures,
        control_failed=bool(twin.failures),
        figures=figures,
        began=began,
        exercised=exercised(tally),
    )


def has_failed(tally: Tally) -> bool:
    """Say whether anything went wrong, which is enough of a broken twin."""
    return bool(tally.failures)


def torment(
    folder: Path,
    board: Board,
    expected: dict[str, str],
    kills: int,
    enough: Callable[[Tally], bool],
    longest: float,
    generator: random.Random,
) -> Tally:
    """Kill attempts at a run; every run that gets to its end must be as expected.

    An attempt is killed within ``longest`` seconds of a turn: the begin or the end of a load or of
    a save. There are more than ``kills`` of them, four times as many at most, until they are
    ``enough``.
    """
    tally, acknowledged = Tally(), 0
    most_turns = board.steps // 16  # two a step

    def goes_on() -> bool:
        return tally.kills < kills or (tally.kills < 4 * kills and not enough(tally))

    while goes_on() or (folder.exists() and not tally.failures):
        board[0], board[1], board[2], board[3] = WORKING, acknowledged, -1, 0
        # A third of the attempts are killed early, where the checkpoint is being read.
        turns = generator.randint(0, 1 if generator.random() < 0.3 else most_turns)
        instant = (turns, generator.uniform(0, longest)) if goes_on() else None
        finished = attempt(folder, board, instant)
        if board[2] >= 0 and board[2] < acknowledged:
            tally.failures.append(f"went back to step {board[2]}, {acknowledged} was saved")
        acknowledged = board[1]
        if finished == BROKEN:  # of the library, of the proof or of its twin: nothing is proven
            raise SystemExit("an error that is no answer of the library's: see the trace above")
        if finished is None:
            tally.kills += 1
            tally.in_save += board[0] == SAVING
            tally.in_load += board[0] == LOADING
            continue
        if finished != 0:
            tally.failures.append(f"a resumed run failed at step {acknowledged}")
        else:
            tally.runs += 1
            found = fingerprint(RunFolder.open(folder))
            different = [name for name in expected if found.get(name) != expected[name]]
            if different or found.keys() != expected.keys():
                tally.failures.append(f"other bits in {different[:5]}")
        shutil.rmtree(folder, ignore_errors=True)
        acknowledged = 0
    return tally


def attempt(folder: Path, board: Board, instant: tuple[int, float] | None) -> int | None:
    """Fork a child that works on the run; return its exit code, or None if it was killed.

    ``instant`` is when it is killed: seconds after so many loads and saves have begun or ended.
    """
    child = os.fork()
    if child == 0:
        os._exit(work(folder, board))
    if instant is None:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    turns, seconds = instant
    ended, status = 0, 0
    while not ended and board[3] < turns:
        time.sleep(POLL_SECONDS)
        ended, status = os.waitpid(child, os.WNOHANG)
    if not ended:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    return None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)


def work(folder: Path, board: Board) -> int:
    """Go on with the run, noting on the board what is being done."""
    save, load = checkpoints.CheckpointFolder.save, checkpoints.CheckpointFolder.load

    def noted_save(self, step, checkpoint):  # type: ignore[no-untyped-def]
        board[0], board[3] = SAVING, board[3] + 1
        save(self, step, checkpoint)
        board[0], board[1], board[3] = WORKING, step, board[3] + 1

    def noted_load(self):  # type: ignore[no-untyped-def]
        board[0], board[3] = LOADING, board[3] + 1
        loaded = load(self)
        board[0], board[3] = WORKING, board[3] + 1
        return loaded

    checkpoints.CheckpointFolder.save, checkpoints.CheckpointFolder.load = noted_save, noted_load  # type: ignore[method-assign]
    try:
        learning, _ = open_or_begin(folder, board.steps)
        board[2] = learning.counters.step
        learning.training.run()
    except (UnrolledError, OSError) as error:
        print(error, file=sys.stderr)
        return REFUSED
    except Exception:
        traceback.print_exc()
        return BROKEN
    return 0


def write_in_place(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write as many do: remove what there was, then write into the place, as a slow disk does."""
    del durable
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob("*.safetensors"):
        old.unlink()
    with path.open("wb", buffering=0) as file:
        file.write(data[: len(data) // 2])
        time.sleep(0.02)
        file.write(data[len(data) // 2 :])


if __name__ == "__main__":
    sys.exit(main())
