"""The instruction sets that the native library and this machine have in common."""

import pytest

from unrolled.kernels import native

BEST = native.available()
HERE = native.ISAS[: native.ISAS.index(BEST) + 1] if BEST else ()

needs_library = pytest.mark.skipif(not HERE, reason="no native library: there was no compiler")
every_isa = pytest.mark.parametrize(
    "isa", HERE or [pytest.param("none", marks=pytest.mark.skip(reason="no native library"))]
)


def choose(isa: str, patch: pytest.MonkeyPatch) -> None:
    """Let a test run on an instruction set, on the best if it is "", or on "none"."""
    patch.setattr(native, "available", lambda: native._chosen(isa))
