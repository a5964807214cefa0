"""Training through plans at sizes at which memory and products are treated in ways of their own."""

import platform
import subprocess
import sys

import pytest
import torch

from unrolled import cells

_FAULTS = """
import resource, torch
from unrolled.cells import LSTM
cell, x = LSTM(65, 128), torch.randn(50, 50, 65)
def call():
    cell.zero_grad()
    cell(x)[0].sum().backward()
for _ in range(30):
    call()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(60):
    call()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 60)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators have other rules")
def test_training_uses_the_memory_of_the_call_before() -> None:
    """The system finds pages for the first calls; without what keeps them, 500 or more for each."""
    found = subprocess.run([sys.executable, "-c", _FAULTS], capture_output=True, text=True)
    assert float(found.stdout) < 120, found.stderr


def test_many_rows_and_few_columns_learn_as_few_rows_do() -> None:
    """There a square matrix has the gradient of the other product, turned, or it is transposed."""
    torch.manual_seed(0)
    cell, x = cells.RNN(4, 4), torch.randn(10, 130, 4)
    cell(x)[0].square().sum().backward()
    found = [parameter.grad for parameter in cell.parameters()]
    exact = cells.RNN(4, 4).double()
    exact.load_state_dict(cell.state_dict())
    exact(x.double())[0].square().sum().backward()
    for got, parameter in zip(found, exact.parameters(), strict=True):
        torch.testing.assert_close(got, parameter.grad.float(), rtol=1e-4, atol=1e-3)
