"""Acks that wait for the next transaction: what a broker took, what the City OS holds."""

from __future__ import annotations

from typing import NamedTuple

from edgenode.spool.model import STREAMS
from edgenode.spool.ranges import Ranges
from edgenode.spool.store import Custody, batch_id, place_of

PRUNE_MAX = 500  # batches of a transaction


class Pending(NamedTuple):
    """What a transaction shall write: ranges (stream, from, to) to prune, and custody rows."""

    pruned: tuple[tuple[int, int, int], ...]
    custody: tuple[tuple[int, int, str], ...]

    def __bool__(self) -> bool:
        return bool(self.pruned or self.custody)


class Acks:
    """Not thread-safe: the outbox holds its lock around every call."""

    def __init__(self) -> None:
        self.broker: set[int] = set()
        self._aside: dict[int, str] = {}
        self._city = {stream: Ranges() for stream in STREAMS}  # wait to be pruned
        self._known = {stream: Ranges() for stream in STREAMS}  # acked since this process began

    def city(self, stream: int, low: int, high: int) -> bool:
        """Note that low..high shall be pruned; return whether any of it is news."""
        news = not self._known[stream].covers(low, high)
        if news:
            self._known[stream].add(low, high)
            self._city[stream].add(low, high)
        return news

    def known(self, stream: int, seq: int) -> bool:
        """Tell whether a batch was acked since this process began."""
        return seq in self._known[stream]

    def landed(self) -> int:
        """Forget which broker took what waits to be pruned; return how many that were."""
        gone = {key for key in self.broker if self.pruning(key)}
        self.broker -= gone
        return len(gone)

    def wanted_again(self, stream: int, low: int, high: int) -> None:
        """Keep low..high after all, as far as it is not pruned yet."""
        self._known[stream].remove(low, high)
        self._city[stream].remove(low, high)

    def aside(self, key: int, reason: str) -> None:
        """Note that a batch shall not be sent any more."""
        self._aside[key] = reason

    def done(self, key: int) -> bool:
        """Tell whether a batch needs no sending, by what is not in the store yet."""
        stream, seq = place_of(key)
        return key in self.broker or key in self._aside or seq in self._city[stream]

    def pruning(self, key: int) -> bool:
        """Tell whether a batch waits to be pruned."""
        stream, seq = place_of(key)
        return seq in self._city[stream]

    def ranges(self) -> list[tuple[int, int]]:
        """Return the ids that wait to be pruned."""
        return [
            (batch_id(stream, low), batch_id(stream, high))
            for stream, ranges in self._city.items()
            for low, high in ranges
        ]

    def waiting(self) -> int:
        """Return how many acks wait."""
        return len(self.broker) + len(self._aside) + sum(r.count() for r in self._city.values())

    def collect(self, first_held: dict[int, int]) -> Pending:
        """Return what the next transaction shall write; big prunes come in slices."""
        left, spans = PRUNE_MAX, []
        for stream, ranges in self._city.items():
            ranges.remove(0, first_held[stream] - 1)
            for low, high in ranges:
                if left > 0:
                    spans.append((stream, low, min(high, low + left - 1)))
                    left -= spans[-1][2] - low + 1
        custody = [(key, int(Custody.BROKER), "") for key in self.broker]
        custody += [(key, int(Custody.SET_ASIDE), why) for key, why in self._aside.items()]
        return Pending(tuple(spans), tuple(custody))

    def settled(self, pending: Pending) -> None:
        """Forget what is written now."""
        for stream, low, high in pending.pruned:
            self._city[stream].remove(low, high)
        for key, state, _ in pending.custody:
            if state == Custody.BROKER:
                self.broker.discard(key)
            else:
                self._aside.pop(key, None)
