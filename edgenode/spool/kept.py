"""What the small things have in common that ride in the store's transactions."""

from __future__ import annotations

import threading


class Kept:
    """Tells whether what is written is the last word; `lock` guards the thing itself.

    The spool thread calls `dumped` under the lock while it makes a transaction, `settled` once
    that is durable. A transaction that failed leaves the thing changed.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._version = 0
        self._dumped = self._written = 0

    @property
    def changed(self) -> bool:
        """The store does not have the last word."""
        return self._version != self._written

    def touch(self) -> None:
        """Note a change."""
        self._version += 1

    def dumped(self) -> None:
        """Note that a transaction takes what holds now."""
        self._dumped = self._version

    def settled(self) -> None:
        """Note that this transaction is durable."""
        self._written = self._dumped
