"""One tree of errors: what was expected, what came, and the cure, in one line."""


class UnrolledError(Exception):
    """Anything that the caller can put right.

    Args:
        expected: what the library needed, as the end of "expected ...".
        got: what came instead, as the end of "got ...".
        cure: what to do about it, an imperative sentence without its full stop.
    """

    def __init__(self, expected: str, got: str, cure: str = "") -> None:
        self.expected = expected
        self.got = got
        self.cure = cure
        super().__init__(f"expected {expected}, got {got}" + (f"; {cure}" if cure else ""))


class ShapeError(UnrolledError):
    """A tensor has the wrong number of axes, or an axis the wrong size."""


class DtypeError(UnrolledError):
    """A tensor has a dtype that the module cannot compute with."""


class StateError(UnrolledError):
    """A state does not belong to the module or to the batch that it was given with."""


class ContextError(UnrolledError):
    """A context is missing, of the wrong kind, or has rows that do not fit the batch."""


class ConfigError(UnrolledError):
    """An option has an impossible value, or names something that does not exist."""


class ReaderError(UnrolledError):
    """A file is missing, empty, damaged, or not in the format that was announced."""


class NumericsError(UnrolledError):
    """A loss, a gradient or a score is not a finite number."""


class LawError(UnrolledError):
    """A module breaks the law: the check that found it, where, what was expected and what came.

    Args:
        check: name of the check, as in ``unrolled.testing.CHECKS``.
        where: the tensor and the place in it, such as "y at [row 1, step 3]".
        expected: what the law asks for.
        got: what the module did.
    """

    def __init__(self, check: str, where: str, expected: str, got: str) -> None:
        super().__init__(expected, got)
        self.check = check
        self.where = where

    def __str__(self) -> str:
        return f"{self.check}: {self.where}: expected {self.expected}, got {self.got}"
