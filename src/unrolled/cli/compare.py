"""``unrolled compare``."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from unrolled.cli.help import FoldedHelp
from unrolled.cli.imports import Imports, run_imports
from unrolled.cli.output import print_json, print_table, progress_bar
from unrolled.cli.running import model_options
from unrolled.errors import ConfigError
from unrolled.tasks.captioning.learning_options import (
    CaptioningTrainingOptions,
    DescribingOptions,
)
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.video.options import VideoOptions, VideoTrainingOptions

if TYPE_CHECKING:
    from unrolled.tasks.captioning.comparison import CaptioningComparison
    from unrolled.tasks.video.comparison import Comparison

compare = App(
    name="compare",
    help="""Train several models on the same data and put them side by side.

    Example: unrolled compare video --data clips --models single_frame,causal_small --seeds 3

    Example: unrolled compare captioning --data world --models show_and_tell,show_attend_tell
    """,
)


@dataclass(frozen=True)
class CompareFlags:
    """A comparison, whatever is compared.

    Args:
        seeds: runs of each, with seeds from --seed on.
        set_: an option of one model, as in --set lrcn.hidden_size=64; may be repeated.
        out: a folder for the runs, runs/compare-TASK-N if left out; name it again to go on with a
            comparison that was stopped: what is finished is kept.
        form: of what is printed.
        import_: a Python file of yours that registers networks.
        json: print one JSON object and nothing else.
    """

    seeds: int = 3
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative="", show_default=False)] = ()
    out: Path | None = None
    form: Annotated[Literal["table", "markdown", "latex"], Parameter(name="--format")] = "table"
    import_: Imports = ()
    json: bool = False

    def folder(self, task: str) -> Path:
        """Return the folder for the runs."""
        free = (p for n in count(1) if not (p := Path("runs") / f"compare-{task}-{n}").exists())
        return self.out or next(free)

    def options(self) -> dict[str, dict[str, Any]]:
        """Read ``NAME.KEY=VALUE``."""
        found: dict[str, dict[str, Any]] = {}
        for assignment in self.set_:
            name, dot, rest = assignment.partition(".")
            if not dot or "=" not in rest:
                raise ConfigError("--set MODEL.KEY=VALUE", assignment)
            found.setdefault(name, {}).update(model_options((f"model.{rest}",)))
        return found


@compare.command
def video(
    *,
    data: str,
    models: str,
    folds: int = 1,
    comparing: Annotated[CompareFlags, Parameter(name="*")] = CompareFlags(),
    reading: Annotated[VideoOptions, Parameter(name="*")] = VideoOptions(),  # noqa: B008
    training: Annotated[VideoTrainingOptions, Parameter(name="*")] = VideoTrainingOptions(),  # noqa: B008
) -> None:
    """Compare networks over clips: accuracy with its spread, size, cost, and whether they stream.

    Example: unrolled compare video --data clips --models single_frame,causal_small --folds 5

    Args:
        data: as `train video` takes it.
        models: names, separated by commas.
        folds: parts of the data that test in turn; 1 takes the split.
        comparing: and how it is shown.
        reading: of the clips.
        training: of the models.
    """
    from unrolled.tasks.video.comparison import VideoContest
    from unrolled.tasks.video.comparison import compare as compared

    run_imports(comparing.import_)
    contest = VideoContest(
        data, _names(models), comparing.seeds, folds, comparing.options(), training, reading
    )
    with progress_bar("comparing") as bar:
        found = compared(contest, comparing.folder("video"), bar)
    if comparing.json:
        print_json({"task": "video", "data": data, **found.figures()})
        return
    _show_video(found, comparing.form)


@compare.command(help_formatter=FoldedHelp(without=CaptioningTrainingOptions.refused))
def captioning(
    *,
    data: str,
    models: str,
    equal_parameters: Annotated[bool, Parameter(negative="")] = False,
    comparing: Annotated[CompareFlags, Parameter(name="*")] = CompareFlags(),
    reading: Annotated[CaptioningOptions, Parameter(name="*")] = CaptioningOptions(),  # noqa: B008
    describing: Annotated[DescribingOptions, Parameter(name="*")] = DescribingOptions(),  # noqa: B008
    training: Annotated[
        CaptioningTrainingOptions, Parameter(name="*")
    ] = CaptioningTrainingOptions(),  # noqa: B008
) -> None:
    """Compare captioners: their scores with the spread, where they look, size and cost.

    Example: unrolled compare captioning --data world --models show_and_tell,show_attend_tell

    Args:
        data: as `train captioning` takes it.
        models: names, separated by commas; all take pictures, or all take films.
        equal_parameters: choose the hidden sizes so that all learn as many numbers as the first.
        comparing: and how it is shown.
        reading: of pictures and captions.
        describing: what looks, and how captions are searched for.
        training: of the models.
    """
    from unrolled.tasks.captioning.comparison import CaptioningContest
    from unrolled.tasks.captioning.comparison import compare as compared

    run_imports(comparing.import_)
    contest = CaptioningContest(
        data,
        _names(models),
        comparing.seeds,
        1,
        comparing.options(),
        training,
        equal_parameters,
        reading,
        describing,
    )
    with progress_bar("comparing") as bar:
        found = compared(contest, comparing.folder("captioning"), bar)
    if comparing.json:
        print_json({"task": "captioning", "data": data, **found.figures()})
        return
    _show_captioning(found, comparing.form)


def _names(models: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in models.split(",") if name.strip())


def _show_video(found: "Comparison", form: str) -> None:
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
    _print(
        columns,
        rows,
        form,
        f"top-1: mean and standard deviation over {found.entries[0].runs} runs each, in "
        f"{found.out}; MMAC and ms: millions of multiply-accumulates, milliseconds, of a frame",
    )


def _show_captioning(found: "CaptioningComparison", form: str) -> None:
    columns = ["model", "CIDEr-D", "exact", "true", "looks", "parameters", "s", "ms"]
    rows = [
        [
            entry.model,
            f"{entry.cider_d:.3f}" + ("" if entry.spread is None else f" ± {entry.spread:.3f}"),
            _percent(entry.exact_match),
            _percent(entry.true),
            _percent(entry.pointing_accuracy),
            f"{entry.parameters:,}",
            f"{entry.training_seconds:.0f}",
            f"{entry.milliseconds_per_caption:.0f}",
        ]
        for entry in found.entries
    ]
    _print(
        columns,
        rows,
        form,
        f"means over {found.entries[0].runs} runs each, in {found.out}; exact: % of captions that "
        "are one of their references; true: % that are true; looks: % of names said while looking "
        "at the object; s: of training; ms: for a caption of one picture",
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _print(columns: Sequence[str], rows: Sequence[Sequence[str]], form: str, words: str) -> None:
    from unrolled.tasks.comparison_tables import latex_table, markdown_table

    if form == "table":
        print_table("", columns, rows, right=tuple(columns[1:]))
        print(words)
        return
    print({"markdown": markdown_table, "latex": latex_table}[form](columns, rows))
