"""``unrolled bench``."""

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from unrolled.cli.output import print_json, print_table, progress_bar

bench = App(name="bench", help="Measure speed against the peers, in one run, interleaved.")


@bench.command
def recurrence(
    *,
    cell: Annotated[list[str] | None, Parameter(negative="")] = None,
    shape: Annotated[list[Literal[1, 2, 3, 4, 5, 6, 7]] | None, Parameter(negative="")] = None,
    rounds: int = 7,
    threads: int = 0,
    json: bool = False,
) -> None:
    """Time recurrent cells against torch.nn and against a Python loop: training and forward,
    padded and ragged, one step at a time.

    Example: unrolled bench recurrence --cell GRU --cell LSTM --shape 3

    Args:
        cell: its name, as in unrolled.cells; Unseen is a cell that the library does not know;
            repeat it for more; all that matter, if left out.
        shape: a number from 1 to 7; repeat it for more; all, if left out.
        rounds: turns that each of the compared has; the medians are shown.
        threads: CPU threads; 0 leaves torch's own choice.
        json: print one JSON object and nothing else.
    """
    from unrolled.benchmarks.recurrence import CELLS, SHAPES, measure
    from unrolled.training.device import use_threads

    use_threads(threads)
    shapes = tuple(SHAPES[number - 1] for number in shape or range(1, len(SHAPES) + 1))
    with progress_bar("timing") as bar:
        found = measure(tuple(cell or CELLS), shapes, rounds=rounds, show=bar)
    if json:
        print_json(found)
    else:
        _show(found)


@bench.command
def video(
    *,
    seconds: float = 30.0,
    rounds: int = 5,
    json: bool = False,
) -> None:
    """Time the reading of a video against a plain PyAV loop: from beginning to end, 16 frames of
    it, and 10 random clips of 8 frames, with a key frame every 12 and every 250.

    Example: unrolled bench video --seconds 10

    Args:
        seconds: of the video, 640 x 360 at 25 frames a second, which is made first.
        rounds: turns that each of the compared has; the medians are shown.
        json: print one JSON object and nothing else.
    """
    from unrolled.benchmarks.reading import measure_reading

    with progress_bar("timing") as bar:
        found = measure_reading(seconds=seconds, rounds=rounds, show=bar)
    if json:
        print_json(found)
    else:
        _show_reading(found)


def _show_reading(found: dict[str, Any]) -> None:
    columns = ("key frame every", "read", "frames", "ms", "plain loop, ms", "times faster", "same")
    rows = [
        (
            str(row["key_interval_frames"]),
            row["what"],
            str(row["frames"]),
            f"{row['ours_milliseconds']:.0f}",
            f"{row['plain_milliseconds']:.0f}",
            f"{row['times_faster']:.2f}",
            "yes" if row["identical"] else "NO",
        )
        for row in found["reading"]
    ]
    title = f"Reading {found['clip']}; PyAV {found['pyav']}"
    print_table(title, columns, rows, right=columns[2:6])


def _show(found: dict[str, Any]) -> None:
    print(
        f"{found['threads']} threads; one product of 1024 x 1024 matrices: "
        f"{found['gemm_gflops']:.0f} GFLOP/s, {found['gemm_gflops_one_thread']:.0f} on one thread\n"
    )
    columns: tuple[str, ...] = (
        "cell",
        "T, B, input, hidden",
        "GFLOP/s",
        "of product",
        "nn.LSTM",
        "nn",
        "loop",
    )
    rows: list[tuple[str, ...]] = [
        (
            row["cell"],
            row["shape"],
            f"{row['ours training gflops']:.1f}",
            f"{row['ours training gflops'] / row['gemm_gflops']:.0%}",
            f"{row['ours training gflops'] / row['nn.LSTM training gflops']:.2f}",
            _faster(row, "nn"),
            _faster(row, "loop"),
        )
        for row in found["padded"]
    ]
    title = "Training; then our GFLOP/s over nn.LSTM's, and times faster than nn and the loop"
    print_table(title, columns, rows, right=columns[2:])
    columns = ("cell", "T, B, input, hidden", "valid", "time / valid share", "nn, packed")
    rows = [
        (
            row["cell"],
            row["shape"],
            f"{row['valid_share']:.0%}",
            f"{row['time_over_valid_share']:.2f}",
            f"{row['times_faster_than_nn_packed']:.2f}",
        )
        for row in found["ragged"]
    ]
    title = "Ragged; time over that of the padded batch times the valid share; times faster"
    print_table(title, columns, rows, right=columns[2:])
    columns = ("cell", "stream", "step", "nn.LSTM", "one product", "share of nn.LSTM")
    rows = [
        (
            row["cell"],
            *(f"{row[f'{name} microseconds']:.0f}" for name in columns[1:5]),
            f"{row['share_of_nn.LSTM']:.2f}",
        )
        for row in found["one_step"]
    ]
    print_table("One step, B = 1, hidden 256, microseconds", columns, rows, right=columns[1:])
    columns = ("cell", "first call, seconds", "tensors [B, H] kept of a step")
    rows = [
        (name, f"{seconds:.3f}", f"{found['kept_of_a_step'][name]:.1f}")
        for name, seconds in found["first_call_seconds"].items()
    ]
    print_table("Planning and memory", columns, rows, right=columns[1:])


def _faster(row: dict[str, Any], who: str) -> str:
    peer = row.get(f"{who} training milliseconds")
    return "" if peer is None else f"{peer / row['ours training milliseconds']:.2f}"
