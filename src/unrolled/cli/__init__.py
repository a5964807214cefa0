"""The command line: ``unrolled VERB``, one verb a file; torch is imported when a verb runs."""

import os
import sys

from cyclopts import App, CycloptsError

import unrolled
from unrolled.cli.help import FoldedHelp
from unrolled.errors import UnrolledError

app = App(
    name="unrolled",
    help="Sequence models for vision, one step at a time.",
    version=unrolled.__version__,
    help_formatter=FoldedHelp(),
    help_format="plaintext",  # Markdown would swallow <eos>, and takes 60 ms to import
)
VERBS = (
    "demo",
    "train",
    "evaluate",
    "compare",
    "predict",
    "generate",
    "stream",
    "inspect",
    "figure",
    "verify",
    "data",
    "info",
    "bench",
    "export",
    "convert",
    "list",
)
for verb in VERBS:  # named, not imported: a verb's file is read when the verb is called for
    name = "list_names" if verb == "list" else verb
    app.command(f"unrolled.cli.{name}:{name}", name=verb)


def main(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code.

    0; 1 where `verify` finds a mismatch; 2 for what the caller can put right; 130 after Ctrl-C.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if not set(VERBS) & set(arguments):
            for verb in VERBS:
                app[verb]  # so that the list of verbs says what each is for
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except (UnrolledError, CycloptsError) as error:
        line = " ".join(str(error).split())
        print(f"unrolled: {line}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # who reads the pipe has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # rich met it, and would end with 1
            return 0
        raise
    except OSError as error:  # a full disk, a folder that may not be written to
        print(f"unrolled: {error.strerror or error}: {error.filename or 'a file'}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("unrolled: stopped", file=sys.stderr)
        return 130
    return code if isinstance(code, int) else 0
