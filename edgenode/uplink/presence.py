"""The node's retained state: online, or the Last Will, told apart by (epoch, connect)."""

from __future__ import annotations

from edgenode.clock import Clock
from edgenode.errors import WireError
from edgenode.uplink.outbox import Outbox
from edgenode.uplink.session import Will
from edgenode.uplink.topics import Topics
from edgenode.wire import State, decode, encode

REPEAT_MS = 1_000  # two nodes under one id must not answer each other faster than this


class Presence:
    """One session's state. Its payloads are fixed when it dials, since the will travels then."""

    def __init__(self, node: bytes, outbox: Outbox, clock: Clock) -> None:
        self._clock = clock
        self._said_ms: int | None = None
        self._online = State(node, outbox.spool, True, outbox.epoch, clock.boot_ms())
        self.online = encode(self._online)
        self.offline = encode(
            State(node, outbox.spool, False, outbox.epoch, self._online.connect_ms)
        )
        self._stale = True

    def will(self, topics: Topics) -> Will:
        """Return the Last Will of this session."""
        return Will(topics.state, self.offline)

    def due(self) -> bool:
        """Tell whether the state is to be published now, and take it as done."""
        now = self._clock.boot_ms()
        if not self._stale or (self._said_ms is not None and now - self._said_ms < REPEAT_MS):
            return False
        self._stale, self._said_ms = False, now
        return True

    def seen(self, payload: bytes) -> None:
        """Take what stands in our own state topic; anything but our own words is to be replaced.

        The will of an older session of ours can come late, another card's state can be retained.
        """
        try:
            self._stale = decode(payload) != self._online
        except WireError:
            self._stale = True
