"""The log of a run as TensorBoard events, where TensorBoard is installed."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from unrolled.training.run_folder import RunFolder

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class EventLog:
    """Writes what a run logs to ``tensorboard/`` in its folder, numbers as curves, words as text.

    Without the extra ``tensorboard``, or without a folder, nothing is written. The writer opens
    with the first event, so that a refused run leaves nothing behind.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: RunFolder | None) -> None:
        self.folder = folder if find_spec("tensorboard") else None
        self._writer: SummaryWriter | None = None
        self._first_step: int | None = None

    def go_on_from(self, step: int) -> None:
        """Take up the events of a run whose log now ends in step ``step``."""
        self._first_step = step

    def add(self, line: dict[str, Any]) -> None:
        """Add the line that the log now ends with."""
        if self.folder is None:
            return
        lines = [line]
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            path, first_step = self.folder.path / "tensorboard", self._first_step
            self._writer = SummaryWriter(path, purge_step=first_step)
            if first_step is not None:
                # The events of this step are void now; those that the log still has come again.
                lines = [line for line in self.folder.read_log() if line["step"] >= first_step]
        for line in lines:
            _write(self._writer, line)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
        self._writer = self._first_step = None


def _write(writer: "SummaryWriter", line: dict[str, Any]) -> None:
    for name, value in line.items():
        if isinstance(value, dict):  # texts by name
            value = "\n".join(f"{key}: {text}" for key, text in value.items())
        if isinstance(value, str):
            text = "\n".join(f"    {row}" for row in value.split("\n"))  # verbatim in Markdown
            writer.add_text(name, text, line["step"])
        elif name not in ("step", "share"):
            writer.add_scalar(name, value, line["step"])
