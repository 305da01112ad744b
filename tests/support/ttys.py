"""Serial cables of a machine that has none: pseudo-terminals, and what hangs on their far end."""

from __future__ import annotations

import os
import pty
import select
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[bytes], bytes]
CHUNK = 4096


def opened() -> tuple[int, str]:
    """Return the far end of a cable and the path of its near end."""
    far, near = pty.openpty()
    tty.setraw(near)
    path = os.ttyname(near)
    os.close(near)
    os.set_blocking(far, False)  # an event may be that of an earlier closing
    return far, path


@contextmanager
def far_end(answer: Answer) -> Iterator[str]:
    """Yield the path of a port on which every piece that is said gets `answer`."""
    far, path = opened()
    with _pumped({far: lambda data: _write(far, answer(data))}):
        yield path


@contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """Yield the paths of two ports that a cable joins."""
    (one, one_path), (other, other_path) = opened(), opened()
    ways = {one: lambda data: _write(other, data), other: lambda data: _write(one, data)}
    with _pumped(ways):
        yield one_path, other_path


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@contextmanager
def _pumped(ways: dict[int, Callable[[bytes], None]]) -> Iterator[None]:
    """Carry what is said by a thread of its own; the far ends are closed with it."""
    stop = os.eventfd(0)
    pump = threading.Thread(target=_pump, args=(ways, stop), name="ttys")
    pump.start()
    try:
        yield
    finally:
        os.eventfd_write(stop, 1)
        pump.join()
        for descriptor in (*ways, stop):
            os.close(descriptor)


def _pump(ways: dict[int, Callable[[bytes], None]], stop: int) -> None:
    poll = select.epoll()
    for descriptor in (*ways, stop):
        poll.register(descriptor, select.EPOLLIN | select.EPOLLET)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == stop:
                poll.close()
                return
            with suppress(OSError):  # nobody has the near end open at the moment
                ways[descriptor](os.read(descriptor, CHUNK))
