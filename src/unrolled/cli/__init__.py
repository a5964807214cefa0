"""The command line: ``unrolled VERB``, one verb a file; torch is imported when a verb runs."""

import os
import sys

from cyclopts import App, CycloptsError

import unrolled
from unrolled.cli.help import FoldedHelp
from unrolled.errors import UnrolledError

# What each is for stands here too: a verb's file is read only when the verb is called for.
VERBS = {
    "demo": "Watch the embedded world, and see networks learn to tell what happens in it.",
    "train": "Train a model for a task, or go on with a run that was stopped.",
    "evaluate": "Measure how good a model is on what was held out of its data, or on other data.",
    "compare": "Train several models on the same data and put them side by side.",
    "predict": (
        "Say what a model expects of a text, what videos show, or in a sentence what pictures show."
    ),
    "generate": "Let a model write on, each token drawn and printed as it comes.",
    "stream": "Label a video frame by frame, as it comes: one line a frame.",
    "inspect": (
        "Show a network layer by layer: shapes, parameters, multiply-accumulates, what it sees."
    ),
    "figure": "Compute figures of the lecture decks, and write each as PNG and SVG.",
    "verify": "Compute published and hand-derivable figures, and compare; exits 1 on a mismatch.",
    "data": "Look at data before a model does.",
    "info": "Say what this installation runs on: versions, machine, extras.",
    "bench": "Measure speed against the peers, in one run, interleaved.",
    "export": "Write one step of a model as a file for ONNX Runtime or torch.export, and check it.",
    "convert": (
        "Make a model folder of weights that another project published; nothing in them can run."
    ),
    "list": "List what can be named: tasks, recipes, models, cells, layers and figures.",
}


def command_line(arguments: list[str]) -> App:
    """Return the command line, in which the verbs called for speak for themselves."""
    app = App(
        name="unrolled",
        help="Sequence models for vision, one step at a time.",
        version=unrolled.__version__,
        help_formatter=FoldedHelp(),
        help_format="plaintext",  # Markdown would swallow <eos>, and takes 60 ms to import
    )
    for verb, purpose in VERBS.items():
        name = "list_names" if verb == "list" else verb
        path = f"unrolled.cli.{name}:{name}"
        app.command(path, name=verb, help=None if verb in arguments else purpose)
    return app


def main(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code.

    0; 1 where `verify` finds a mismatch; 2 for what the caller can put right; 130 after Ctrl-C.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        app = command_line(arguments)
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
