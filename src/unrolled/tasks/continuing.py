"""A run taken up again in its folder, whatever its task."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from unrolled.errors import ConfigError, ReaderError
from unrolled.registry import import_file
from unrolled.tasks.configuration import TaskConfiguration
from unrolled.tasks.learning import AnyLearning
from unrolled.tasks.model_folder import require_fitting_sizes
from unrolled.tasks.network_options import module_needed
from unrolled.training.checkpoints import Checkpoint
from unrolled.training.device import find_device
from unrolled.training.loop import Training
from unrolled.training.run_folder import CONFIGURATION, RunFolder

LearningT = TypeVar("LearningT", bound=AnyLearning)
NetworkT = TypeVar("NetworkT", bound=nn.Module)


def take_up(
    path: Path,
    configuration: TaskConfiguration,
    prepare: Callable[[RunFolder, bool], LearningT],
) -> tuple[LearningT, RunFolder]:
    """Take a run up at its last good checkpoint.

    Args:
        path: the folder of the run.
        configuration: of its task.
        prepare: gets the run ready as it began; told whether there is no checkpoint.
    Raises:
        ReaderError: no run there, none of its checkpoints is good, or its data has changed.
        ConfigError: the run was given what no configuration can name, and now is not.
    """
    folder = RunFolder.open(path, read=configuration.read_request)
    _require_device(folder)
    checkpoint, faults = folder.checkpoints.load()
    if checkpoint is None and faults:
        raise ReaderError(f"a good checkpoint in {path}", "; ".join(map(str, faults)))
    try:
        for file in folder.record["import"]:
            import_file(Path(file))
        folder.checkpoints.keep = folder.request["training"]["keep"]
        if checkpoint is not None:
            _check_sizes(folder.request, configuration, checkpoint.tensors)
        learning = prepare(folder, checkpoint is None)
    except (KeyError, TypeError, AttributeError) as error:
        got = " ".join(str(error).split())
        raise ReaderError(f"what a run needs to go on in {path}", got) from None
    learning.notices.extend(f"{fault}; the checkpoint before it is used" for fault in faults)
    if checkpoint is None:
        folder.truncate_log(0)
        learning.training.events.go_on_from(0)
    else:
        _restore(learning.training, checkpoint, path)
        learning.notices.extend(_moved(checkpoint, learning.training))
    return learning, folder


def network_of(folder: RunFolder, given: NetworkT | None) -> str | NetworkT:
    """Return the network that a run was given, or else the name of its network.

    Raises:
        ConfigError: the run began with a network that no name stands for, and now has none.
    """
    name: str | None = folder.request["model"]
    if given is not None:
        return given
    if name is None:
        cure = f"unrolled.resume({str(folder.path)!r}, model=MODULE)"
        raise module_needed("run", str(folder.record["class"]), cure)
    return name


def move_run(path: Path, configuration: TaskConfiguration, device: str) -> None:
    """Let a run that was stopped go on on another device; its configuration says so from now on.

    Args:
        path: the folder of the run.
        configuration: of its task.
        device: as of ``find_device``.
    Raises:
        ReaderError: no run there.
        ConfigError: no such device.
    """
    folder = RunFolder.open(path, read=configuration.read_request)
    folder.comments = configuration.comments()
    folder.request["training"]["device"] = str(find_device(device))
    folder.write_configuration()


def require_unchanged(folder: RunFolder, key: str, value: Any, *, what: str) -> None:
    """Note what a run begins with, and make sure that one that goes on has the same.

    Args:
        folder: of the run, whose record holds it.
        key: of the record.
        value: that it has now, as JSON can hold it.
        what: it is a digest of.
    Raises:
        ReaderError: it is not what it was.
    """
    if folder.record.setdefault(key, value) != value:
        raise ReaderError(f"{what} as it was when the run began", "another one")


def _require_device(folder: RunFolder) -> None:
    """Make sure of the device before anything is read."""
    try:
        find_device(folder.request["training"]["device"])
    except ConfigError as error:
        cure = f"go on on another: unrolled train --resume {folder.path} --device cpu"
        raise ConfigError(error.expected, error.got, cure) from None


def _moved(checkpoint: Checkpoint, training: Training) -> list[str]:
    """Return what is to be said of a run that was on another device until now, if it was."""
    before, now = checkpoint.manifest.get("device", "cpu"), training.device.type
    if before == now:
        return []
    rounding = "sums are rounded otherwise there, and what it draws there begins anew"
    return [
        f"the run was on {before} until step {training.counters.step}, and is on {now}: {rounding}"
    ]


def _check_sizes(
    request: dict[str, Any], configuration: TaskConfiguration, tensors: dict[str, Tensor]
) -> None:
    """Make sure that sizes in a configuration are borne out before anything is built."""
    if request["model"] is not None:
        require_fitting_sizes(configuration.unusual_options(request), tensors)


def _restore(training: Training, checkpoint: Checkpoint, path: Path) -> None:
    try:
        training.restore(checkpoint)
        _ = training.data[training.counters.position]  # is there in the data so cut
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        got = f"another ({' '.join(str(error).split())})"
        cure = f"leave {CONFIGURATION} as the run wrote it"
        expected = f"a checkpoint that fits the configuration in {path}"
        raise ReaderError(expected, got, cure) from None
