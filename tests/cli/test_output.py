"""What verbs print goes where the caller sends it, whatever the bar does."""

import os
import pty
import subprocess
import sys

CODE = """
from unrolled.cli.output import progress_bar
with progress_bar("learning") as bar:
    bar(0.5, "half")
    print("a result", flush=True)
"""


def test_a_result_in_a_pipe_is_not_drawn_over_by_a_bar_on_the_terminal() -> None:
    screen, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=terminal, env=environment
    )
    os.close(terminal)
    assert done.stdout == b"a result\n"
    assert b"learning" in os.read(screen, 65536)
    os.close(screen)
