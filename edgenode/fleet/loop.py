"""One thread for many nodes: epoll(7) for their sockets, a heap for their times."""

from __future__ import annotations

import heapq
import itertools
import os
import select
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from edgenode.uplink.wait import Desk, Turns, Wish


def now_ms() -> int:
    """Return the loop's time, ms."""
    return time.monotonic_ns() // 1_000_000


class Seat:
    """The desk of one uplink: takes a turn when what it waits for has come.

    `after` is called behind every turn.
    """

    def __init__(
        self, loop: Loop, turns: Callable[[Desk], Turns[None]], after: Callable[[], None]
    ) -> None:
        self.over = False
        self._loop = loop
        self._after = after
        self._stopped = False
        self._number = 0  # of turns: an alarm clock set before the last is void
        self._fds: tuple[int, ...] = ()
        self._turns = turns(self)
        self.wake()

    @property
    def stopped(self) -> bool:
        return self._stopped

    def wake(self) -> None:
        """Take a turn soon; any thread may call."""
        self._loop.call(self)

    def stop(self) -> None:
        """Let the turns come to their end."""
        self._stopped = True
        self.wake()

    def abandon(self) -> None:
        """Take no further turn, as a process that was killed."""
        self._finish()
        self._turns.close()

    def turn(self, events: dict[int, int]) -> None:
        """Hand over what happened, and wait for what is wanted next."""
        if self.over:
            return
        self._number += 1
        try:
            wish = self._turns.send(events) if self._number > 1 else next(self._turns)
        except StopIteration:
            self._finish()
        else:
            self._expect(wish)
        self._after()

    def _expect(self, wish: Wish) -> None:
        fds = wish.read if wish.write is None else (*wish.read, wish.write)
        for gone in set(self._fds) - set(fds):
            self._loop.ignore(gone)
        for fd in set(fds):
            self._loop.listen(fd, self, write=fd == wish.write)
        self._fds = fds
        self._loop.at(now_ms() + max(0, wish.most_ms), partial(self._timed_out, self._number))

    def _timed_out(self, number: int) -> None:
        if number == self._number:
            self.turn({})

    def _finish(self) -> None:
        self.over = True
        for fd in set(self._fds):
            self._loop.ignore(fd)
        self._fds = ()


class Loop:
    """Runs seats and what is to be called at a time, until `stop`. `call` is for any thread."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake_fd, select.EPOLLIN)
        self._owners: dict[int, Seat] = {}
        self._called: deque[Seat] = deque()
        self._times: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._stopped = False

    def at(self, due_ms: int, what: Callable[[], None]) -> None:
        """Call `what` at this time of `now_ms`, or soon after."""
        heapq.heappush(self._times, (due_ms, next(self._order), what))

    def call(self, seat: Seat) -> None:
        """Give a seat a turn."""
        self._called.append(seat)
        os.eventfd_write(self._wake_fd, 1)

    def listen(self, fd: int, seat: Seat, *, write: bool) -> None:
        """Give a seat a turn when this descriptor is ready.

        The number of one that was closed comes again for another: so it is always told anew.
        """
        self._owners[fd] = seat
        events = select.EPOLLIN | (select.EPOLLOUT if write else 0)
        try:
            self._epoll.modify(fd, events)
        except FileNotFoundError:
            self._epoll.register(fd, events)
        except OSError:  # closed meanwhile: the turn after the next second finds out
            self._owners.pop(fd, None)

    def ignore(self, fd: int) -> None:
        """Listen to a descriptor no more."""
        self._owners.pop(fd, None)
        with suppress(OSError):  # it is closed
            self._epoll.unregister(fd)

    def stop(self) -> None:
        """End `run` after this round."""
        self._stopped = True

    def run(self) -> None:
        """Serve until `stop`."""
        while not self._stopped:
            self._round()

    def close(self) -> None:
        self._epoll.close()
        os.close(self._wake_fd)

    def _round(self) -> None:
        wait_ms = self._times[0][0] - now_ms() if self._times else 1_000
        ready: dict[Seat, dict[int, int]] = {}
        for fd, events in self._epoll.poll(max(0, wait_ms) / 1000):
            if fd == self._wake_fd:
                os.eventfd_read(fd)
            elif fd in self._owners:
                ready.setdefault(self._owners[fd], {})[fd] = events  # EPOLL* are POLL*
        while self._called:
            ready.setdefault(self._called.popleft(), {})
        for seat, found in ready.items():
            seat.turn(found)
        now = now_ms()
        while self._times and self._times[0][0] <= now:
            heapq.heappop(self._times)[2]()
