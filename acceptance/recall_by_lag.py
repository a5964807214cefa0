"""Recall after a lag, measured: which network learns it, over several seeds.

    python -m acceptance.recall_by_lag --out recall

trains every learner of the figure ``recall_by_lag`` on each lag alone and on all of them, appends a
JSON line for every accuracy to ``recall.jsonl`` as it is measured, draws ``recall.png`` and writes
the table ``recall.txt``. It holds what must be so: a TCN recalls all that it can see and is at
chance beyond, and so is an LSTM whose windows end before the question and start anew. The twin is
a TCN that sees further: the check for chance has to catch it.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean

from acceptance.verdict import conclude
from unrolled.figures.drawing import house_style
from unrolled.figures.recall_by_lag import LEARNERS, RECEPTIVE_FIELD, WINDOW, plot
from unrolled.tasks.recall import CHANCE, Learner, Recall, recall_after_all_lags, recall_by_lag
from unrolled.training.device import use_threads

_MARGIN = 0.075  # five standard deviations of chance over 512 sequences


def broken_laws(results: Sequence[Recall]) -> list[str]:
    """Return what contradicts what must be so, a sentence each."""
    found = []
    for result in results:
        told = f"{result.learner} at lag {result.lag}, seed {result.seed}: {result.accuracy:.3f}"
        at_chance = abs(result.accuracy - CHANCE) <= _MARGIN
        if result.learner == "TCN" and result.lag >= RECEPTIVE_FIELD and not at_chance:
            found.append(f"{told}, beyond its receptive field")
        alone = result.trained_on == "this lag"
        if alone and result.learner == "TCN" and result.lag < RECEPTIVE_FIELD:
            found += [f"{told}, within its receptive field"] if result.accuracy < 0.99 else []
        if alone and "dropped" in result.learner and result.lag >= WINDOW and not at_chance:
            found.append(f"{told}, past its window")
    return found


def table(results: Sequence[Recall]) -> Iterator[str]:
    """Yield the lines of a Markdown table: the mean over seeds, and the least and the most."""
    for trained_on in ("this lag", "all lags"):
        lags = sorted({result.lag for result in results if result.trained_on == trained_on})
        yield f"| trained on {trained_on} | " + " | ".join(map(str, lags)) + " |"
        yield "|" + "---|" * (len(lags) + 1)
        for label in LEARNERS:
            cells = []
            for lag in lags:
                key = (label, trained_on, lag)
                found = [r.accuracy for r in results if (r.learner, r.trained_on, r.lag) == key]
                spread = f" ({min(found):.2f} to {max(found):.2f})" if len(set(found)) > 1 else ""
                cells.append(f"{mean(found):.2f}{spread}")
            yield f"| {label} | " + " | ".join(cells) + " |"
        yield ""


def measured(lags: list[int], longest: int, num_batches: int, seed: int) -> Iterator[Recall]:
    """Run all trainings of one seed."""
    all_lags, seeds = [*lags, longest], [seed]
    yield from recall_after_all_lags(LEARNERS, all_lags, num_batches=num_batches, seeds=seeds)
    yield from recall_by_lag(LEARNERS, lags, num_batches=num_batches, seeds=seeds)


def main() -> int:
    """Measure, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("recall"))
    parser.add_argument("--lags", type=int, nargs="+", default=[2, 5, 10, 20, 30, 31, 50, 100])
    parser.add_argument("--longest", type=int, default=200, help="when trained on all lags")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--batches", type=int, default=300)
    asked = parser.parse_args()
    use_threads(1)
    began = time.monotonic()
    asked.out.mkdir(parents=True, exist_ok=True)
    results = []
    with (asked.out / "recall.jsonl").open("w") as log:
        for seed in range(asked.seeds):
            for result in measured(asked.lags, asked.longest, asked.batches, seed):
                results.append(result)
                seconds = round(time.monotonic() - began, 1)
                line = json.dumps(result.figures() | {"seconds": seconds})
                print(line, file=log, flush=True)
                print(line, file=sys.stderr)
    with house_style():
        plot(results).savefig(asked.out / "recall.png", metadata={"Software": None})
    (asked.out / "recall.txt").write_text("\n".join(table(results)))
    further = {"TCN": Learner("tcn", {**LEARNERS["TCN"].options, "kernel_size": 16})}
    twin = list(recall_by_lag(further, [RECEPTIVE_FIELD], num_batches=asked.batches, seeds=[0]))
    return conclude(
        "recall_by_lag",
        len(results),
        broken_laws(results),
        control_failed=bool(broken_laws(twin)),
        exercised={r.lag < RECEPTIVE_FIELD for r in results} == {True, False},
        figures={"seeds": asked.seeds, "batches": asked.batches, "lags": asked.lags},
        began=began,
    )


if __name__ == "__main__":
    sys.exit(main())
