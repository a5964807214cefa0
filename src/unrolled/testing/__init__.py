"""The law as checks, for the library's modules and for your own: ``check_recurrence``."""

from unrolled.errors import LawError
from unrolled.testing.law import CHECKS, check_recurrence

__all__ = ["CHECKS", "LawError", "check_recurrence"]
