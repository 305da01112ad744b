"""Messages that may be what breaks the connection: sent alone, then set aside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

SUSPECTS_MAX = 100  # some are evicted by the spool and never heard of again
SILENT_DROPS = 3  # a link that went silent says less about a message than a broker that closed


class Identity(NamedTuple):
    """What makes a batch this batch, within one node."""

    spool: bytes
    stream: int
    seq: int


class Suspects:
    """Who was in flight when sessions dropped, over all sessions of the process.

    In flight at two successive drops: to be sent alone. If the broker then closes the connection
    again (RabbitMQ does so for a denied publish), or the link falls silent three times, the
    message is to be set aside.
    """

    def __init__(self) -> None:
        self._last: frozenset[Identity] = frozenset()
        self._alone: dict[Identity, int] = {}  # silent drops it was alone at

    def __contains__(self, identity: object) -> bool:
        return identity in self._alone

    def acked(self, identity: Identity) -> None:
        """Clear a message that got through."""
        self._alone.pop(identity, None)

    def dropped(self, in_flight: Iterable[Identity], *, by_peer: bool) -> Identity | None:
        """Note a drop; return the message to set aside, if it has now been proved."""
        now = frozenset(in_flight)
        if not now:
            return None  # no batch had a part in it
        self._last, before = now, self._last
        lone = next(iter(now)) if len(now) == 1 else None
        if lone is not None and lone in self._alone:
            self._alone[lone] += 1
            if by_peer or self._alone[lone] >= SILENT_DROPS:
                del self._alone[lone]
                return lone
            return None
        for identity in now & before:
            self._alone.setdefault(identity, 0)
        while len(self._alone) > SUSPECTS_MAX:
            del self._alone[next(iter(self._alone))]
        return None
