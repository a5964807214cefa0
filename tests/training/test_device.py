"""Where a run computes: devices by name, and runs that are there, go on there, or move."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests import elsewhere, forked
from tests.training.runs import Pieces, model, training
from unrolled.cells import LSTM
from unrolled.cells.lstm import LSTMState
from unrolled.errors import ConfigError
from unrolled.layers import Linear, Serial
from unrolled.training.device import find_device
from unrolled.training.loop import Training
from unrolled.training.run_folder import RunFolder


@pytest.fixture
def _plugged_in() -> Iterator[None]:
    with elsewhere.plugged_in():
        yield


def test_auto_is_the_accelerator_or_else_the_cpu() -> None:
    assert find_device("auto").type == "cpu"
    with elsewhere.plugged_in():
        assert find_device("auto").type == elsewhere.NAME
        assert find_device("cpu").type == "cpu"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gpu", "a device: auto, cpu, cuda, cuda:1, mps, got 'gpu'"),
        ("", "a device: auto, cpu, cuda, cuda:1, mps, got ''"),
        ("mps", "a device of this machine: cpu, elsewhere:0, got mps; pass cpu, or auto"),
        ("meta", "a device of this machine: cpu, elsewhere:0, got meta"),
        ("elsewhere:1", "a device of this machine: cpu, elsewhere:0, got elsewhere:1"),
    ],
)
@pytest.mark.usefixtures("_plugged_in")
def test_what_is_not_there_is_refused_in_a_line(name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        find_device(name)


def test_cuda_is_refused_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("hello " * 50)
    train = ("-m", "unrolled", "train", "language", "--data", "book.txt", "--out", "run")
    found = forked.run(*train, "--device", "cuda:7", folder=tmp_path)
    assert found.returncode == 2
    assert found.stderr.startswith("unrolled: expected a device of this machine")
    assert ", got cuda:7" in found.stderr
    assert found.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("steps_back", [4, 8])
@pytest.mark.usefixtures("_plugged_in")
def test_a_run_there_is_the_run_here(steps_back: int) -> None:
    runs = [
        begun(device=device, window=4, backward_steps=steps_back)
        for device in ("cpu", elsewhere.NAME)
    ]
    for run in runs:
        run.run()
    here, there = (dict(run.model.named_parameters()) for run in runs)
    assert {weight.device.type for weight in there.values()} == {elsewhere.NAME}
    for name, weight in here.items():
        torch.testing.assert_close(there[name].cpu(), weight, msg=name)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.usefixtures("_plugged_in")
def test_a_run_goes_on_there_with_its_own_draws(optimizer: str, tmp_path: Path) -> None:
    """Dropout draws from the device's generator, whose state is in the checkpoint."""
    how = {"dropout": 0.5, "optimizer": optimizer, "device": elsewhere.NAME}
    whole = killed_after_four(tmp_path, **how)
    torch.manual_seed(9)  # the generators have gone elsewhere since
    last = taken_up(tmp_path, **how)
    last.run()
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(last.model.state_dict()[name].cpu(), weight.cpu()), name


@pytest.mark.parametrize(("before", "after"), [("cpu", elsewhere.NAME), (elsewhere.NAME, "cpu")])
@pytest.mark.usefixtures("_plugged_in")
def test_a_run_moves(before: str, after: str, tmp_path: Path) -> None:
    whole = killed_after_four(tmp_path, device=before)
    last = taken_up(tmp_path, device=after)
    assert {weight.device.type for weight in last.model.parameters()} == {after}
    last.run()
    for name, weight in whole.model.state_dict().items():
        torch.testing.assert_close(last.model.state_dict()[name].cpu(), weight.cpu(), msg=name)


class BeginsHere(LSTM):
    """Right on a CPU, and nowhere else."""

    def initial_state(self, batch_size: int) -> LSTMState:
        zeros = torch.zeros(batch_size, 7, dtype=torch.float64)
        return LSTMState(zeros, zeros)


@pytest.mark.usefixtures("_plugged_in")
def test_a_state_that_stays_behind_is_found_out() -> None:
    network = Serial(BeginsHere(3, 7), Linear(7, 5)).double()
    training(network, max_steps=1).run()
    with pytest.raises(RuntimeError, match="expected all tensors to be elsewhere"):
        training(network, max_steps=1, device=elsewhere.NAME).run()


@pytest.mark.usefixtures("_plugged_in")
def test_a_loss_that_stays_behind_is_found_out() -> None:
    def loss_of(y: Tensor, target: Tensor) -> Tensor:
        return ((y - target) * torch.ones(5, dtype=torch.float64)).square().mean()

    with pytest.raises(RuntimeError, match="expected all tensors to be elsewhere"):
        training(loss_of=loss_of, max_steps=1, device=elsewhere.NAME).run()


def begun(dropout: float = 0.0, **options) -> Training:
    torch.manual_seed(0)
    options = {"max_steps": 8, "schedule": "constant", "checkpoint_seconds": 0} | options
    return training(model(dropout), Pieces(), **options)


def killed_after_four(path: Path, **options) -> Training:
    """Run to the end, and leave of its checkpoints those of the first four steps."""
    whole = begun(folder=folder(path), **options)
    whole.run()
    for number in range(5, 9):
        (path / "checkpoints" / f"step-{number}.safetensors").unlink()
    return whole


def taken_up(path: Path, **options) -> Training:
    checkpoint, faults = folder(path).checkpoints.load()
    assert checkpoint is not None
    assert not faults
    last = begun(folder=folder(path), **options)
    last.restore(checkpoint)
    assert last.counters.step == 4
    return last


def folder(path: Path) -> RunFolder:
    return RunFolder(path, {"task": "test"}, keep=9)
