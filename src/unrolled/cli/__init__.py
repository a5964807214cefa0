"""The command line: ``unrolled VERB``, one verb a file; torch is imported when a verb runs."""

import sys

from cyclopts import App, CycloptsError

import unrolled
from unrolled.cli.demo import demo
from unrolled.cli.evaluate import evaluate
from unrolled.cli.generate import generate
from unrolled.cli.predict import predict
from unrolled.cli.train import train
from unrolled.errors import UnrolledError

app = App(
    name="unrolled",
    help="Sequence models for vision, one step at a time.",
    version=unrolled.__version__,
)
for verb in (demo, train, evaluate, predict, generate):
    app.command(verb)


def main(arguments: list[str] | None = None) -> int:
    """Run a command line; return 0, 2 for what the caller can put right, or 130 after Ctrl-C."""
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except (UnrolledError, CycloptsError) as error:
        line = " ".join(str(error).split())
        print(f"unrolled: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("unrolled: stopped", file=sys.stderr)
        return 130
    return code if isinstance(code, int) else 0
