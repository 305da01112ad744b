"""What brokers delivered and the sink has not stored yet: bounded in messages and in bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from edgenode.cityos.intake import Incoming

MAX_MESSAGES = 1_024
MAX_BYTES = 16 << 20  # at least one message is always let in


class Delivery(NamedTuple):
    """A message and how to release it: until `release` is called the broker keeps it."""

    message: Incoming
    release: Callable[[], object]


class Inbox:
    """A bounded queue; a full one holds up the connections, and with them the brokers."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Delivery] = deque()
        self._bytes = 0
        self._woken = False
        self._closed = False

    def put(self, delivery: Delivery) -> None:
        """Add one, waiting while the inbox is full; after `close` nothing is kept."""
        size = len(delivery.message.payload)
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._fits(size))
            if not self._closed:
                self._waiting.append(delivery)
                self._bytes += size
                self._changed.notify_all()

    def _fits(self, size: int) -> bool:
        full = len(self._waiting) >= MAX_MESSAGES or self._bytes + size > MAX_BYTES
        return not (self._waiting and full)

    def take(self, limit: int, timeout_s: float) -> list[Delivery]:
        """Return up to `limit` deliveries; waits until there is one, or for `wake`."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._woken or self._closed, timeout_s)
            self._woken = False
            taken = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
            self._bytes -= sum(len(delivery.message.payload) for delivery in taken)
            self._changed.notify_all()
            return taken

    def wake(self) -> None:
        """End a wait in `take`; may be called from a signal handler (the lock is reentrant)."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let go whoever waits in `put`; their messages stay with the broker."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
