"""Set-up of the whole suite: shape annotations are checked while the tests run."""

import gc
import os

import pytest
import torch
from jaxtyping import install_import_hook
from torch import Tensor

import unrolled.state
from tests import elsewhere  # noqa: F401 (before any gradient: torch's engine counts devices once)
from tests.reports.short import shorten_reports


class _AnyTree(type):
    def __instancecheck__(cls, tree: object) -> bool:
        parts = tree if isinstance(tree, tuple) else ()
        return isinstance(tree, Tensor | tuple) and all(isinstance(part, cls) for part in parts)

    def __subclasscheck__(cls, kind: type) -> bool:
        return kind is cls or issubclass(kind, Tensor | tuple)


class Tree(metaclass=_AnyTree):
    """The alias as a class, which looks at every leaf.

    Of an alias within itself beartype compiles a check anew at every call, and looks at one leaf.
    """


unrolled.state.Tree = Tree

# Before any test imports them: here an annotation such as Float[Tensor, "B T C"] is a proof.
install_import_hook(
    ["unrolled.cells", "unrolled.encoders", "unrolled.layers", "unrolled.models"],
    "beartype.beartype",
)


# The sizes are small: a second thread only waits, and takes a core from whoever runs beside.
torch.set_num_threads(1)
os.environ.setdefault("OMP_NUM_THREADS", "1")  # and so in the commands that tests start


def pytest_collection_finish() -> None:
    """Spare the collector what thousands of tests leave standing: it takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


@pytest.fixture
def short_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write reports without curves and with few samples, where a test is about something else."""
    shorten_reports(monkeypatch)


@pytest.fixture(autouse=True)
def _same_draws_in_every_test() -> None:
    # torch.manual_seed would format a stack for every kind of device: a millisecond and more.
    torch.default_generator.manual_seed(0)
