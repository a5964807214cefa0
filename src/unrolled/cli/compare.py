"""``unrolled compare``."""

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from unrolled.cli.imports import Imports, run_imports
from unrolled.cli.output import print_json, print_table, progress_bar
from unrolled.cli.running import model_options
from unrolled.errors import ConfigError
from unrolled.tasks.video_options import VideoOptions, VideoTrainingOptions

if TYPE_CHECKING:
    from unrolled.tasks.video_comparison import Comparison

compare = App(
    name="compare",
    help="""Train several models on the same data and put them side by side.

    Example: unrolled compare video --data clips --models single_frame,causal_small --seeds 3
    """,
)


@compare.command
def video(
    *,
    data: str,
    models: str,
    seeds: int = 3,
    folds: int = 1,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative="", show_default=False)] = (),
    out: Path | None = None,
    form: Annotated[Literal["table", "markdown", "latex"], Parameter(name="--format")] = "table",
    import_: Imports = (),
    reading: Annotated[VideoOptions, Parameter(name="*")] = VideoOptions(),  # noqa: B008
    training: Annotated[VideoTrainingOptions, Parameter(name="*")] = VideoTrainingOptions(),  # noqa: B008
    json: bool = False,
) -> None:
    """Compare networks over clips: accuracy with its spread, size, cost, and whether they stream.

    Example: unrolled compare video --data clips --models single_frame,causal_small --folds 5

    Args:
        data: as `train video` takes it.
        models: names, separated by commas.
        seeds: runs of each, with seeds 0, 1, ...
        folds: parts of the data that test in turn; 1 takes the split.
        set_: an option of one model, as in --set lrcn.hidden_size=64; may be repeated.
        out: a folder for the runs, runs/compare-video-N if left out; name it again to go on with a
            comparison that was stopped: what is finished is kept.
        form: of what is printed.
        import_: a Python file of yours that registers networks.
        reading: of the clips.
        training: of the models.
        json: print one JSON object and nothing else.
    """
    from unrolled.tasks.video_comparison import Contest
    from unrolled.tasks.video_comparison import compare as compared

    run_imports(import_)
    names = tuple(name.strip() for name in models.split(",") if name.strip())
    contest = Contest(data, names, seeds, folds, _options(set_), reading, training)
    if out is None:
        out = next(p for n in count(1) if not (p := Path("runs") / f"compare-video-{n}").exists())
    with progress_bar("comparing") as bar:
        found = compared(contest, out, bar)
    if json:
        print_json({"task": "video", "data": data, **found.figures()})
        return
    _show(found, form)


def _options(assignments: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Read ``NAME.KEY=VALUE``."""
    found: dict[str, dict[str, Any]] = {}
    for assignment in assignments:
        name, dot, rest = assignment.partition(".")
        if not dot or "=" not in rest:
            raise ConfigError("--set MODEL.KEY=VALUE", assignment)
        found.setdefault(name, {}).update(model_options((f"model.{rest}",)))
    return found


def _show(found: "Comparison", form: str) -> None:
    from unrolled.tasks.comparison_tables import latex_table, markdown_table

    columns = ["model", "top-1 %", "parameters", "MMAC", "train s", "ms", "streams"]
    rows = [
        [
            entry.model,
            f"{100 * entry.top1:.1f}"
            + ("" if entry.spread is None else f" ± {100 * entry.spread:.1f}"),
            f"{entry.parameters:,}",
            f"{entry.macs_per_frame / 1e6:,.2f}",
            f"{entry.training_seconds:.0f}",
            f"{entry.milliseconds_per_frame:.1f}",
            "yes" if entry.streams else "no",
        ]
        for entry in found.entries
    ]
    rows.append(["(commonest)", f"{100 * found.majority_top1:.1f}", *([""] * 5)])
    if form == "table":
        print_table("", columns, rows, right=columns[1:])
        print(
            f"top-1: mean and standard deviation over {found.entries[0].runs} runs each, in "
            f"{found.out}; MMAC and ms: millions of multiply-accumulates, milliseconds, of a frame"
        )
        return
    print({"markdown": markdown_table, "latex": latex_table}[form](columns, rows))
