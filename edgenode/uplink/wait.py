"""Every wait of the uplink: for descriptors, for a time, and always for the stop.

The work of the uplink is written as turns, generators that yield what they wait for. So a thread
can drive one of them, as on a node, or many, as in a fleet of simulated nodes.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Generator, Iterable
from typing import NamedTuple, Protocol, TypeVar

from edgenode.clock import Clock

TICK_MS = 500  # a threading.Event has no descriptor: it is looked at this often at least
TROUBLE = select.POLLERR | select.POLLHUP | select.POLLNVAL
_Result = TypeVar("_Result")


class Wish(NamedTuple):
    """What a turn waits for: for so long at most, to read from descriptors, to write to one."""

    most_ms: int
    read: tuple[int, ...] = ()
    write: int | None = None


# Is sent the poll(2) events by descriptor, which may be none before the time is over.
Turns = Generator[Wish, dict[int, int], _Result]


class Desk(Protocol):
    """Where turns are driven from."""

    @property
    def stopped(self) -> bool:
        """Whether all turns shall come to their end."""
        ...

    def wake(self) -> None:
        """End the present or the next wait at once; any thread may."""
        ...


def pause(desk: Desk, clock: Clock, pause_ms: int) -> Turns[None]:
    """Wait that long by the clock, or until the stop."""
    until = clock.boot_ms() + pause_ms
    while not desk.stopped and (left := until - clock.boot_ms()) > 0:
        yield Wish(left)


class Waiter:
    """Waits on descriptors with poll(2), no longer than TICK_MS at a time.

    `tick` is called at every return: it is the sign of life that the watchdog reads. `wake` ends
    a wait at once, from any thread.
    """

    def __init__(self, stop: threading.Event, tick: Callable[[], None]) -> None:
        self._stop = stop
        self._tick = tick
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def wake(self) -> None:
        """End the present or the next wait at once."""
        os.eventfd_write(self._wake_fd, 1)

    def __del__(self) -> None:
        os.close(self._wake_fd)  # not sooner: a thread that still may wake us holds a reference

    def wait(
        self, timeout_ms: int, read: Iterable[int] = (), write: int | None = None
    ) -> dict[int, int]:
        """Return the poll(2) events by descriptor; may return empty-handed before the timeout."""
        poll = select.poll()
        poll.register(self._wake_fd, select.POLLIN)
        for fd in read:
            poll.register(fd, select.POLLIN)
        if write is not None:
            poll.register(write, select.POLLIN | select.POLLOUT)
        found = dict(poll.poll(max(0, min(timeout_ms, TICK_MS))))
        if found.pop(self._wake_fd, 0):
            os.eventfd_read(self._wake_fd)
        self._tick()
        return found

    def drive(self, turns: Turns[_Result]) -> _Result:
        """Take turns, one after another, until the last; return what they come to."""
        try:
            wish = next(turns)
            while True:
                wish = turns.send(self.wait(*wish))
        except StopIteration as end:
            result: _Result = end.value
            return result
