"""Between a thread that reads and one that works: the newest, or everything."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class Mailbox(Generic[ItemT]):
    """Hand items over from one thread to another.

    With ``newest``, new ones take the place of those that nobody has fetched yet, and the number of
    those left out is told with the next; otherwise whoever puts them waits until there is room.

    Args:
        newest: keep what was put last, and nothing before.
        capacity: how many may wait otherwise before more are put.
    Source: none.
    Example:
        >>> box = Mailbox[str](newest=True)
        >>> box.put(["a"]), box.put(["b"]), box.get()
        (True, True, ('b', 1))
    """

    def __init__(self, *, newest: bool, capacity: int = 8) -> None:
        self.newest, self.capacity = newest, capacity
        self._items: deque[ItemT] = deque()
        self._changed = threading.Condition()
        self._left_out = 0
        self._closed = False

    def put(self, items: Sequence[ItemT]) -> bool:
        """Leave items that belong together; return False where nobody will fetch them."""
        with self._changed:
            if self.newest and items:
                self._left_out += len(self._items)
                self._items.clear()
            elif items:
                self._changed.wait_for(lambda: len(self._items) < self.capacity or self._closed)
            if self._closed:
                return False
            self._items.extend(items)
            self._changed.notify_all()
            return True

    def get(self) -> tuple[ItemT, int] | None:
        """Wait for an item, and return it with the number left out before it; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed)
            if not self._items:
                return None
            item, left_out = self._items.popleft(), self._left_out
            self._left_out = 0
            self._changed.notify_all()
            return item, left_out

    def close(self) -> None:
        """Say that nothing more is put; what waits can still be fetched."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_closed(self, seconds: float) -> bool:
        """Wait so long, or until it is closed; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed, timeout=seconds)


def interruptibly(function: Callable[[], ItemT]) -> ItemT:
    """Return what a function does, called in a thread: Ctrl-C need not wait for its end.

    Example:
        >>> interruptibly(lambda: 2 + 3)
        5
    """
    box: Mailbox[ItemT] = Mailbox(newest=True)
    errors: list[Exception] = []

    def call() -> None:
        try:
            box.put([function()])
        except Exception as error:
            errors.append(error)
        finally:
            box.close()

    threading.Thread(target=call, name="interruptibly", daemon=True).start()
    got = box.get()
    if got is None:
        raise errors[0]
    return got[0]
