"""The recurrent language model: how it starts."""

import pytest
import torch

from unrolled.errors import ConfigError
from unrolled.models import RecurrentLanguageModel

SIZES = {"embedding_size": 31, "hidden_size": 37, "num_layers": 2}


def test_init_range_bounds_every_parameter_and_fills_its_range() -> None:
    model = RecurrentLanguageModel(41, **SIZES, init_range=0.1)
    values = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    assert float(values.abs().max()) <= 0.1
    assert float(values.abs().max()) > 0.0999
    assert abs(float(values.std()) - 0.1 / 3**0.5) < 1e-3  # of U(-r, r)


def test_with_it_no_forget_gate_is_opened() -> None:
    usual = RecurrentLanguageModel(41, **SIZES).get_submodule("1").bias_ih.detach()
    ranged = RecurrentLanguageModel(41, **SIZES, init_range=0.1).get_submodule("1").bias_ih.detach()
    assert float(usual[37:74].min()) > 0.5
    assert float(ranged[37:74].max()) <= 0.1


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_a_range_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(ConfigError, match="init_range above 0"):
        RecurrentLanguageModel(41, **SIZES, init_range=value)
