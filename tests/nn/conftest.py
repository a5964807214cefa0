"""What the tests of unrolled.nn share: a count of the programs that ran."""

from collections.abc import Sequence

import pytest
from torch import Tensor

from unrolled import fused
from unrolled.kernels import naive, native
from unrolled.kernels.program import Program


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    """Return the list of the programs that ran; torch runs them if there is no native library."""
    execute = fused.execute
    if native.available() is None:
        monkeypatch.setattr(native, "available", lambda: "generic")
        execute = naive.run
    ran: list[Program] = []

    def counted(
        program: Program,
        tensors: Sequence[Tensor | None],
        matrices: Sequence[Tensor],
        counts: Sequence[int],
    ) -> None:
        ran.append(program)
        execute(program, tensors, matrices, counts)

    monkeypatch.setattr(fused, "execute", counted)
    return ran
