"""The command line: ``unrolled VERB``, one verb a file; torch is imported when a verb runs."""

import os
import sys

from cyclopts import App, CycloptsError

import unrolled
from unrolled.cli.bench import bench
from unrolled.cli.compare import compare
from unrolled.cli.convert import convert
from unrolled.cli.data import data
from unrolled.cli.demo import demo
from unrolled.cli.evaluate import evaluate
from unrolled.cli.export import export
from unrolled.cli.figure import figure
from unrolled.cli.generate import generate
from unrolled.cli.help import FoldedHelp
from unrolled.cli.info import info
from unrolled.cli.inspect import inspect
from unrolled.cli.list_names import list_names
from unrolled.cli.predict import predict
from unrolled.cli.stream import stream
from unrolled.cli.train import train
from unrolled.cli.verify import verify
from unrolled.errors import UnrolledError

app = App(
    name="unrolled",
    help="Sequence models for vision, one step at a time.",
    version=unrolled.__version__,
    help_formatter=FoldedHelp(),
    help_format="plaintext",  # Markdown would swallow <eos>, and takes 60 ms to import
)
for verb in (
    demo,
    train,
    evaluate,
    compare,
    predict,
    generate,
    stream,
    inspect,
    figure,
    verify,
    data,
    info,
):
    app.command(verb)
app.command(bench)
app.command(export)
app.command(convert)
app.command(list_names, name="list")


def main(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code.

    0; 1 where `verify` finds a mismatch; 2 for what the caller can put right; 130 after Ctrl-C.
    """
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except (UnrolledError, CycloptsError) as error:
        line = " ".join(str(error).split())
        print(f"unrolled: {line}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # who reads the pipe has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a full disk, a folder that may not be written to
        print(f"unrolled: {error.strerror or error}: {error.filename or 'a file'}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("unrolled: stopped", file=sys.stderr)
        return 130
    return code if isinstance(code, int) else 0
