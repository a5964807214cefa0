"""What the tests of unrolled.nn share: what ran natively."""

from collections.abc import Sequence

import pytest
from torch import Tensor

from unrolled import fused
from unrolled.kernels import naive, native
from unrolled.kernels.program import Program

Counts = tuple[int, ...]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Counts]:
    """Return a list that grows with every program that runs: the active rows of its steps.

    Where there is no native library, torch runs the programs.
    """
    execute = fused.execute
    if native.available() is None:
        monkeypatch.setattr(native, "available", lambda: "generic")
        execute = naive.run
    found: list[Counts] = []

    def counted(
        program: Program,
        tensors: Sequence[Tensor | None],
        matrices: Sequence[Tensor],
        counts: Sequence[int],
    ) -> None:
        found.append(tuple(counts))
        execute(program, tensors, matrices, counts)

    monkeypatch.setattr(fused, "execute", counted)
    return found
