"""Set-up of the whole suite: shape annotations are checked while the tests run."""

import gc
import os

import pytest
import torch
from jaxtyping import install_import_hook

from tests.reports.short import shorten_reports

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
    torch.manual_seed(0)
