"""``unrolled bench``."""

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from unrolled.cli.bench_describing import captions, decoding
from unrolled.cli.output import print_json, print_table, progress_bar

bench = App(
    name="bench",
    help="""Measure speed against the peers, in one run, interleaved.

    Example: unrolled bench recurrence --json
    """,
)
bench.command(decoding)
bench.command(captions)


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
    part: Literal["reading", "causal", "all"] = "all",
    seconds: float = 30.0,
    rounds: int = 5,
    threads: int = 0,
    json: bool = False,
) -> None:
    """Time the reading of a video against a plain PyAV loop, with a key frame every 12 and every
    250; and causal networks frame by frame against sliding a window, and against
    continual-inference where that is installed.

    Example: unrolled bench video --part causal --threads 2

    Args:
        part: reading, causal, or all of it.
        seconds: of the video that is read, 640 x 360 at 25 frames a second, which is made first.
        rounds: turns that each of the compared has; the medians are shown.
        threads: CPU threads; 0 leaves torch's own choice.
        json: print one JSON object and nothing else.
    """
    from unrolled.training.device import use_threads

    use_threads(threads)
    found: dict[str, Any] = {}
    with progress_bar("timing") as bar:
        if part in ("reading", "all"):
            from unrolled.benchmarks.reading import measure_reading

            found |= measure_reading(seconds=seconds, rounds=rounds, show=bar)
        if part in ("causal", "all"):
            from unrolled.benchmarks import causal_video

            found["causal"] = causal_video.measure(rounds=rounds, show=bar)
    if json:
        print_json(found)
        return
    if "reading" in found:
        _show_reading(found)
    if "causal" in found:
        _show_causal(found["causal"])


def _show_causal(found: dict[str, Any]) -> None:
    print(f"{found['threads']} threads; {found['peer']}\n")
    columns = ("per frame, B = 1", "stream, ms", "against", "ms", "times faster", "difference")
    rows = [
        (
            name.replace("_", " "),
            f"{part['stream_milliseconds']:.2f}",
            key.removeprefix("times_faster_than_").replace("_", " "),
            f"{part[key.removeprefix('times_faster_than_') + '_milliseconds']:.2f}",
            f"{ratio:.2f}",
            f"{part['largest_relative_difference']:.0e}",
        )
        for name, part in found.items()
        if isinstance(part, dict)
        for key, ratio in part.items()
        if key.startswith("times_faster_than_")
    ]
    print_table("Causal networks, frame by frame", columns, rows, right=(columns[1], *columns[3:]))


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
    _show_context(found)
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


def _show_context(found: dict[str, Any]) -> None:
    columns = ("T, B, input, hidden", "vectors", "ms", "loop, ms", "times faster")
    rows = [
        (
            row["shape"],
            str(row["vectors"]),
            *(f"{row[f'{who} milliseconds']:.2f}" for who in ("ours", "loop")),
            f"{row['times_faster_than_loop']:.2f}",
        )
        for row in found["context"]
    ]
    title = "The unseen cell bound to vectors, each of as many rows; training"
    print_table(title, columns, rows, right=columns[1:])


def _faster(row: dict[str, Any], who: str) -> str:
    peer = row.get(f"{who} training milliseconds")
    return "" if peer is None else f"{peer / row['ours training milliseconds']:.2f}"
