"""Where the native library lies; torch is not imported, so that a header can name the path."""

import os
from pathlib import Path

LIBRARY = Path(__file__).with_name("unrolled.native.so")
CHOICE = "UNROLLED_ISA"  # of the environment: an instruction set, or none


def is_there() -> bool:
    """Tell whether the library was built and is not switched off."""
    return LIBRARY.exists() and os.environ.get(CHOICE, "") != "none"
