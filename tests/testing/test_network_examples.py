"""The table of networks: every network over pictures or clips, in every check."""

import doctest
import importlib
import inspect
from functools import cache

import pytest
import torch
from torch import nn

import unrolled
from unrolled import encoders, registry
from unrolled.encoders import ClipNetwork, PictureNetwork
from unrolled.testing.network_examples import NETWORK_EXAMPLES
from unrolled.testing.networks import NETWORK_CHECKS, run_network_check

BY_NAME = {example.name: example for example in NETWORK_EXAMPLES}
BUILT = cache(lambda name: BY_NAME[name].build())  # the checks work on copies
NAMES = [
    name
    for name in registry.names()
    if issubclass(registry.lookup(name), PictureNetwork | ClipNetwork)
]
CLASSES = [
    cls
    for cls in vars(encoders).values()
    if isinstance(cls, type)
    and issubclass(cls, PictureNetwork | ClipNetwork)
    and cls not in (PictureNetwork, ClipNetwork)
]


@pytest.mark.parametrize("check", NETWORK_CHECKS)
@pytest.mark.parametrize("name", BY_NAME)
def test_promises(name: str, check: str) -> None:
    run_network_check(check, BUILT(name), BY_NAME[name].x())


def missing(names: list[str], classes: list[type]) -> list[str]:
    """Return what has no line in the table: names of the registry, and public classes."""
    built = {name: type(BUILT(name)) for name in BY_NAME}
    return [name for name in names if built.get(name) is not registry.lookup(name)] + [
        cls.__name__ for cls in classes if cls not in built.values()
    ]


def test_every_network_has_an_example() -> None:
    assert missing(NAMES, CLASSES) == []


def test_a_missing_example_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgotten(PictureNetwork):
        """A network of which no line tells."""

    monkeypatch.setattr(registry, "_REGISTERED", {"forgotten": Forgotten})
    found = missing(["forgotten", *NAMES], [Forgotten, *CLASSES])
    assert found == ["forgotten", "Forgotten"]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_docstring_names_shapes_and_source_and_its_example_runs(cls: type[nn.Module]) -> None:
    text = inspect.getdoc(cls) or ""
    for part in ("Shapes:", "Source:", "Example:"):
        assert part in text, f"{cls.__name__}'s docstring has no {part!r}"
    home = vars(importlib.import_module(cls.__module__))
    (example,) = doctest.DocTestFinder(recurse=False).find(cls, cls.__name__, globs=dict(home))
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_network_can_be_counted_without_memory_for_its_weights(name: str) -> None:
    with torch.device("meta"):
        network = unrolled.build(name)
    assert all(parameter.is_meta for parameter in network.parameters())
