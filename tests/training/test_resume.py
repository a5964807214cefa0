"""Exact resume: a run that is left and taken up again is the run that was not."""

from pathlib import Path

import pytest
import torch

from tests.training.runs import Pieces, model, squared_error, training
from unrolled.errors import ConfigError, NumericsError, ReaderError
from unrolled.storage import checksum
from unrolled.training.checkpoints import Checkpoint, CheckpointFolder
from unrolled.training.device import seed_everything
from unrolled.training.loop import Training
from unrolled.training.run_folder import RunFolder


def folder_at(path: Path) -> RunFolder:
    return RunFolder.new(path, "test", {}, keep=2)


def validating(network):
    data = Pieces()
    return lambda _: squared_error(network(data.x)[0], data.target).item()


def run_of(folder: RunFolder, **options) -> Training:
    seed_everything(11)
    network = model(dropout=0.3)
    return training(network, validate=validating(network), folder=folder, **options)


def everything(folder: RunFolder) -> dict:
    checkpoint, faults = folder.checkpoints.load()
    assert not faults
    found = {name: checksum(tensor) for name, tensor in checkpoint.tensors.items()}
    counters = {name: v for name, v in checkpoint.manifest.items() if name != "seconds"}
    return found | {"counters": counters, "log": (folder.path / "metrics.jsonl").read_text()}


class Killed(Exception):  # noqa: N818 (what a test does, not what goes wrong)
    pass


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "adagrad", "rmsprop"])
@pytest.mark.parametrize("windows_back", [1, 2])
def test_a_run_killed_at_every_step_ends_as_if_it_had_not_been(
    tmp_path: Path, optimizer: str, windows_back: int
) -> None:
    options = {
        "optimizer": optimizer,
        "momentum": 0.5,
        "window": 4,
        "backward_steps": 4 * windows_back,
        "max_steps": 10,
        "checkpoint_seconds": 0,
    }
    straight = folder_at(tmp_path / "straight")
    assert run_of(straight, **options).run()
    killed = folder_at(tmp_path / "killed")
    for attempt in range(40):
        run = run_of(killed, **options)
        checkpoint, _ = killed.checkpoints.load()
        if checkpoint is not None:
            seed_everything(attempt)  # as another process would be
            run.restore(checkpoint)

        def kill_after_one(progress, start=run.counters.step) -> None:
            if progress.loss is not None and progress.step > start + 1:
                raise Killed

        run.report = kill_after_one
        try:
            assert run.run()
            break
        except Killed:
            continue
    assert attempt >= 4, "it was really killed"
    assert everything(killed) == everything(straight)


@pytest.mark.parametrize("left_out", ["random.cpu", "state", "optimizer"])
def test_what_is_left_out_of_a_checkpoint_would_show(tmp_path: Path, left_out: str) -> None:
    options = {"max_steps": 10, "checkpoint_seconds": 0, "learning_rate": 0.1}
    straight, other = folder_at(tmp_path / "straight"), folder_at(tmp_path / "other")
    assert run_of(straight, **options).run()
    first = run_of(other, **options)

    def stop(progress) -> None:
        if progress.step == 5:
            raise Killed

    first.report = stop
    with pytest.raises(Killed):
        first.run()
    checkpoint, _ = other.checkpoints.load()
    tensors = {
        name: torch.zeros_like(tensor) if name.startswith(left_out) and tensor.ndim else tensor
        for name, tensor in checkpoint.tensors.items()
    }
    if left_out == "random.cpu":
        tensors["random.cpu"] = torch.Generator().manual_seed(99).get_state()
    second = run_of(other, **options)
    second.restore(Checkpoint(tensors, checkpoint.manifest))
    second.run()
    assert everything(other) != everything(straight)


def test_the_last_good_checkpoint_is_used_and_the_damaged_one_named(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, keep=3)
    for step in (9, 10, 11):
        folder.save(step, Checkpoint({"w": torch.full((3,), float(step))}, {"step": step}))
    path = tmp_path / "step-11.safetensors"
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(data)
    checkpoint, faults = folder.load()
    assert checkpoint.manifest["step"] == 10
    assert "step-11.safetensors" in str(faults[0])
    assert "'w'" in str(faults[0])


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, keep=2)
    for step in (2, 9, 10):
        folder.save(step, Checkpoint({"w": torch.ones(1)}, {}))
    assert [path.name for path in folder.files()] == ["step-9.safetensors", "step-10.safetensors"]


def test_numbers_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, keep=1)
    folder.save(1, Checkpoint({"w": torch.ones(2)}, {}))
    with pytest.raises(NumericsError, match=r"the checkpoint of step 2, got NaN \(1 of 2\) in w"):
        folder.save(2, Checkpoint({"w": torch.tensor([1.0, torch.nan])}, {}))
    assert folder.load()[0].tensors["w"].tolist() == [1, 1]


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"no config\.yaml in it"):
        RunFolder.open(tmp_path)
    with pytest.raises(ReaderError, match="nothing there"):
        RunFolder.open(tmp_path / "none")
    (tmp_path / "config.yaml").write_text("{")
    with pytest.raises(ReaderError, match=r"YAML at .*config\.yaml"):
        RunFolder.open(tmp_path)
    (tmp_path / "config.yaml").write_text("task: test")
    for damaged in ("", "{", "[]"):
        (tmp_path / "resume.json").write_text(damaged)
        with pytest.raises(ReaderError, match=r"to go on in .*resume\.json, got damage"):
            RunFolder.open(tmp_path)


def test_a_run_killed_at_birth_leaves_a_folder_that_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "resume.json").write_text("{}")
    (tmp_path / ".config.yaml.123.tmp").write_text("tas")
    folder_at(tmp_path).log({"step": 1})
    assert RunFolder.open(tmp_path).request == {"task": "test"}
    with pytest.raises(ConfigError, match="one in use"):
        folder_at(tmp_path)
