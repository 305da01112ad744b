"""Durable totals of counters: kept in memory, riding in every commit and every seal."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable

import cbor2

from edgenode.errors import SpoolError
from edgenode.reading import Total
from edgenode.spool.block import MAX_TOTALS
from edgenode.spool.rows import MALFORMED


def key_of(channel: str) -> bytes:
    """Return the 8 bytes that stand for a channel's name in a journal block."""
    return hashlib.blake2b(channel.encode(), digest_size=8).digest()


class Totals:
    """Totals by channel; any thread may call, never touching the disk."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: dict[bytes, Total] = {}
        self._names: dict[bytes, str] = {}
        self.version = 0  # grows with every change

    def set(self, channel: str, total: Total) -> None:
        """Note a total; raises SpoolError for more than 64 channels with one."""
        key = key_of(channel)
        with self._lock:
            if key not in self._totals and len(self._totals) >= MAX_TOTALS:
                self._forget_one(channel)
            self._totals[key] = total
            self._names[key] = channel
            self.version += 1

    def _forget_one(self, channel: str) -> None:
        """Drop a total that no channel of this process has asked for; it is an old sensor's."""
        for key in self._totals:
            if key not in self._names:
                del self._totals[key]
                return
        raise SpoolError(
            f"no room for a total of {channel}: {MAX_TOTALS} channels of a node can have one; "
            "configure fewer counters that begin at 0"
        )

    def get(self, channel: str) -> Total | None:
        key = key_of(channel)
        with self._lock:
            total = self._totals.get(key)
            if total is not None:
                self._names[key] = channel
            return total

    def snapshot(self) -> dict[bytes, Total]:
        """Return the totals as a block carries them."""
        with self._lock:
            return dict(self._totals)

    def values(self) -> dict[str, int]:
        """Return the values by channel, as far as the names were ever told."""
        with self._lock:
            return {name: self._totals[key].value for key, name in self._names.items()}

    def merge(self, totals: Iterable[tuple[bytes, Total]]) -> None:
        """Take in recovered totals; of two for one channel the later one holds."""
        for key, total in totals:
            old = self._totals.get(key)
            if old is None or total[1:] + total[:1] > old[1:] + old[:1]:
                self._totals[key] = total

    def dump(self) -> bytes:
        """Return the totals as they stand in the store."""
        return cbor2.dumps([[key, *total] for key, total in self.snapshot().items()])


def load_totals(data: bytes) -> list[tuple[bytes, Total]]:
    """Return what `dump` was; raises SpoolError when it is no list of totals."""
    try:
        return [(row[0], Total(*row[1:])) for row in cbor2.loads(data)]
    except MALFORMED as error:
        raise SpoolError(f"the totals of the store are not readable: {error}") from error
