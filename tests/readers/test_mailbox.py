"""Between two threads: nothing is lost, or the newest alone is kept and the rest counted."""

import threading

import pytest

from unrolled.readers.mailbox import Mailbox, interruptibly


def test_the_newest_alone_is_kept_and_the_others_are_counted() -> None:
    box = Mailbox[int](newest=True)
    for number in range(5):
        assert box.put([number])
    assert box.get() == (4, 4)
    box.put([5])
    box.put([])  # a frame that nobody wants does not take the place of one
    assert box.get() == (5, 0)


def test_what_is_put_together_stays_together() -> None:
    box = Mailbox[int](newest=True)
    box.put([1])
    box.put([2, 3])
    assert [box.get(), box.get()] == [(2, 1), (3, 0)]


def test_otherwise_nothing_is_lost_and_whoever_puts_waits() -> None:
    box, got = Mailbox[int](newest=False, capacity=2), []

    def fill() -> None:
        for number in range(50):
            box.put([number])
        box.close()

    thread = threading.Thread(target=fill)
    thread.start()
    while (item := box.get()) is not None:
        assert len(box._items) <= 2
        got.append(item)
    thread.join()
    assert got == [(number, 0) for number in range(50)]


def test_after_closing_what_waits_can_be_fetched_and_nothing_put() -> None:
    box = Mailbox[int](newest=False)
    box.put([1])
    assert not box.wait_closed(0.0)
    box.close()
    assert box.wait_closed(1.0)
    assert not box.put([2])
    assert [box.get(), box.get()] == [(1, 0), None]


def test_closing_frees_whoever_waits_to_put() -> None:
    box = Mailbox[int](newest=False, capacity=1)
    box.put([1])
    thread = threading.Thread(target=box.put, args=([2],))
    thread.start()
    box.close()
    thread.join(timeout=5)
    assert not thread.is_alive()


def test_what_fails_in_a_thread_fails_here() -> None:
    with pytest.raises(ZeroDivisionError):
        interruptibly(lambda: 1 // 0)
    assert interruptibly(threading.get_ident) != threading.get_ident()
