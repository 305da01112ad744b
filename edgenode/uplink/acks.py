"""The City OS's acks: what may be pruned, what is to be sent again, which births are missing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from edgenode.clock import Clock
from edgenode.errors import CityError, UnknownVersion, WireError
from edgenode.uplink.alarms import Alarms
from edgenode.uplink.outbox import Outbox
from edgenode.uplink.stats import UplinkStats
from edgenode.wire import Ack, decode


class Acks:
    """Judges what arrives on the ack topic; it outlives sessions.

    An ack is retained, so a refused one comes again with every session: it is alarmed once.
    """

    def __init__(
        self,
        node: bytes,
        boxes: Sequence[Outbox],
        clock: Clock,
        stats: UplinkStats,
        alarms: Alarms,
    ) -> None:
        self._node = node
        self._boxes = tuple(boxes)
        self._clock = clock
        self._stats = stats
        self._alarms = alarms
        self._refused = b""  # digest of the last one

    def take(self, payload: bytes) -> tuple[bytes, ...]:
        """Hand an ack to its outbox; return the schemas whose births are wanted."""
        digest = hashlib.sha256(payload).digest()
        if not payload or digest == self._refused:  # an empty message clears what was retained
            return ()
        try:
            ack = self._read(payload)
            for box in self._boxes:
                if box.spool == ack.spool:
                    box.city_acked(ack)
                    self._stats.city_acks += 1
                    self._stats.last_ack_ms = self._clock.boot_ms()
        except UnknownVersion as exc:
            self._stats.last_error = f"ack not understood: {exc}"
            return ()
        except (WireError, CityError) as exc:
            self._refused = digest
            self._stats.last_error = f"ack refused: {exc}"
            return ()
        return ack.births

    def _read(self, payload: bytes) -> Ack:
        """Return the ack; alarm and raise CityError when it cannot be one for us."""
        try:
            message = decode(payload)
        except UnknownVersion:
            raise
        except WireError:
            self._alarms.tamper()
            raise
        if not isinstance(message, Ack) or message.node != self._node:
            self._alarms.tamper()
            raise CityError("not an ack for this node; only receivers may write the ack topic")
        return message
