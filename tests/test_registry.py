"""Names and the classes they stand for."""

import pytest
from torch import nn

import unrolled
from unrolled import registry
from unrolled.cells import LSTM
from unrolled.errors import ConfigError


@pytest.fixture(autouse=True)
def _own_table(monkeypatch) -> None:
    monkeypatch.setattr(registry, "_REGISTERED", {})


def test_every_name_of_the_library_stands_for_a_module() -> None:
    for name in registry.names():
        assert issubclass(registry.lookup(name), nn.Module)


def test_where_a_recurrence_is_needed_a_network_over_whole_inputs_is_refused() -> None:
    assert registry.lookup_recurrence("lstm") is LSTM
    with pytest.raises(ConfigError, match="a Recurrence, which runs step by step, got 'resnet18'"):
        registry.build_recurrence("resnet18")
    with pytest.raises(ConfigError, match="a network over whole inputs"):
        unrolled.build("recurrent_language_model", 11, cell="resnet18")


def test_an_ordinary_network_of_a_user_has_a_name_too() -> None:
    unrolled.register("flat", nn.Flatten)
    assert isinstance(unrolled.build("flat"), nn.Flatten)


def test_a_network_is_built_by_its_name() -> None:
    cell = unrolled.build("lstm", 3, 5, forget_bias=0.0)
    assert isinstance(cell, LSTM)
    assert cell.hidden_size == 5


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"got 'lsmt'; did you mean lstm\?"):
        unrolled.build("lsmt", 3, 5)
    with pytest.raises(ConfigError, match=r"or call unrolled\.register\('nonsense', YourClass\)"):
        unrolled.build("nonsense", 3, 5)


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(ConfigError, match="unexpected keyword argument 'depth'"):
        unrolled.build("lstm", 3, 5, depth=2)


def test_a_users_class_is_used_by_its_name() -> None:
    class Mine(LSTM):
        """A user's cell."""

    unrolled.register("mine", Mine)
    unrolled.register("mine", Mine)
    assert isinstance(unrolled.build("mine", 3, 5), Mine)
    model = unrolled.build("recurrent_language_model", 11, cell="mine", hidden_size=5)
    assert any(isinstance(layer, Mine) for layer in model.children())
    with pytest.raises(ConfigError, match="a name that is free, got 'mine'"):
        unrolled.register("mine", LSTM)
    with pytest.raises(ConfigError, match="a name that is free, got 'lstm'"):
        unrolled.register("lstm", Mine)
    with pytest.raises(ConfigError, match="a class derived from Recurrence or "):
        unrolled.register("dict", dict)
