"""What a session says before its batches: the node's state, what it is, and its births."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from edgenode.uplink.outbox import Outbox
from edgenode.uplink.parcel import Kind, Parcel, Retained
from edgenode.uplink.presence import Presence
from edgenode.uplink.topics import Topics

BIRTHS_MAX = 64  # asked for in one ack; more are asked for again


class Prelude:
    """The retained messages of one session, each awaited before the first batch that needs it.

    An answer is awaited, not an acceptance: a receiver stores a batch without its birth too, and
    asks for the birth later.
    """

    def __init__(self, topics: Topics, about: bytes, presence: Presence) -> None:
        self._topics = topics
        self._presence = presence
        self._about = Retained(Kind.ABOUT, topics.about, about)
        self._about_done = False
        self._queue: deque[Retained] = deque([self._about])
        self._births: dict[bytes, bool] = {}  # schema: answered

    def next(self) -> Retained | None:
        """Return what is to be published now; it counts as sent."""
        if self._presence.due():
            return Retained(Kind.STATE, self._topics.state, self._presence.online)
        return self._queue.popleft() if self._queue else None

    def answered(self, message: Retained) -> None:
        """Note the PUBACK of a retained message, whatever it said."""
        if message.kind is Kind.ABOUT:
            self._about_done = True
        elif message.kind is Kind.BIRTH:
            self._births[message.schema] = True

    def ready(self, parcel: Parcel) -> bool:
        """Tell whether the batch may go; what it still lacks is queued."""
        schema = parcel.sealed.schema
        if schema not in self._births:
            self._births[schema] = not self._queue_birth(parcel.box, schema)
        return self._about_done and self._births[schema]

    def wanted(self, boxes: Sequence[Outbox], schemas: Sequence[bytes]) -> None:
        """Publish births again that a receiver asks for."""
        for schema in schemas[:BIRTHS_MAX]:
            for box in boxes:
                if self._queue_birth(box, schema):
                    break

    def _queue_birth(self, box: Outbox, schema: bytes) -> bool:
        """Queue a birth unless it waits already; False where the outbox does not know it."""
        if any(message.schema == schema for message in self._queue):
            return True
        data = box.birth(schema)
        if data is None:
            return False
        self._queue.append(Retained(Kind.BIRTH, self._topics.birth(schema), data, schema))
        return True
