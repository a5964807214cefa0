"""The machine that a run computes on."""

import random

import torch

from unrolled.errors import ConfigError


def find_device(name: str) -> torch.device:
    """Return the device of a name, once it is sure that this machine has it.

    Args:
        name: cpu, cuda, cuda:1, mps or the like; auto is the machine's accelerator, or else cpu.
    Raises:
        ConfigError: no name of a device, or of one that is not there.
    Example:
        >>> find_device("cpu")
        device(type='cpu')
    """
    there = torch.accelerator.current_accelerator(check_available=True)
    if name == "auto":
        return there or torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError("a device: auto, cpu, cuda, cuda:1, mps", repr(name)) from None
    if device.type == "cpu":
        return torch.device("cpu")
    if there is None or device.type != there.type:
        raise ConfigError(_expected(there), name, _cure(device))
    if (device.index or 0) >= torch.accelerator.device_count():
        raise ConfigError(_expected(there), name)
    return device


def use_device(name: str) -> torch.device:
    """Do what ``find_device`` does, and make the device the one that its kind means from now on."""
    device = find_device(name)
    if device.index is not None:
        torch.accelerator.set_device_index(device.index)
    return device


def random_states(device: torch.device) -> dict[str, torch.Tensor]:
    """Return the states of the generators that torch draws from: the CPU's, and the device's own.

    Example:
        >>> list(random_states(torch.device("cpu")))
        ['cpu']
    """
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = torch.get_device_module(device).get_rng_state()
    return states


def restore_random_states(states: dict[str, torch.Tensor], device: torch.device) -> None:
    """Go on drawing where the generators stood; one of another device has nothing to go on from."""
    torch.set_rng_state(states["cpu"])
    if device.type in states and device.type != "cpu":
        torch.get_device_module(device).set_rng_state(states[device.type])


def use_threads(threads: int) -> None:
    """Compute on ``threads`` CPU threads (0: as torch chooses), with denormal numbers as zero.

    Denormals appear as gates saturate and gradients vanish; a CPU takes many times longer over
    them, and no figure changes without them.
    """
    if threads > 0:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


def seed_everything(seed: int) -> None:
    """Start every generator that a run may draw from at ``seed``: torch's and Python's."""
    torch.manual_seed(seed)
    random.seed(seed)


def _expected(there: torch.device | None) -> str:
    """Return words on the devices of this machine."""
    if there is None:
        return "a device of this machine, which has a CPU alone"
    names = [f"{there.type}:{number}" for number in range(torch.accelerator.device_count())]
    return f"a device of this machine: cpu, {', '.join(names)}"


def _cure(device: torch.device) -> str:
    if device.type == "cuda" and not torch.backends.cuda.is_built():
        return f"torch {torch.__version__} is built without CUDA: install one with it, or pass cpu"
    return "pass cpu, or auto for the best that there is"
