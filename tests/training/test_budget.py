"""Networks that no memory holds are refused before they ask for it."""

import time

import pytest
import torch
from torch import nn

from unrolled.errors import ConfigError
from unrolled.models import RecurrentLanguageModel
from unrolled.training.budget import require_affordable


@pytest.mark.parametrize(
    "options",
    [{"num_layers": 10**9}, {"num_layers": 10**9, "hidden_size": 1}, {"hidden_size": 10**7}],
)
def test_what_is_too_large_is_refused_at_once(options: dict) -> None:
    began = time.monotonic()
    with pytest.raises(ConfigError, match="in this machine's memory, got one that is larger"):
        require_affordable(lambda: RecurrentLanguageModel(7, **options))
    assert time.monotonic() - began < 10


def test_what_is_affordable_passes_and_no_draw_is_used_up() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    require_affordable(lambda: RecurrentLanguageModel(7, init_range=0.1))
    assert torch.equal(torch.get_rng_state(), before)


def test_afterwards_modules_are_built_as_ever() -> None:
    for size in (10**9, 3):
        try:
            require_affordable(lambda size=size: nn.Linear(size, size))
        except ConfigError:
            assert size == 10**9
    assert nn.Linear(3, 3).weight.device.type == "cpu"


def test_other_errors_are_left_to_who_builds_it_in_earnest() -> None:
    def fails() -> nn.Module:
        raise ValueError

    require_affordable(fails)
