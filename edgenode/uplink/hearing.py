"""What a session asks to hear; asked again where a broker refused.

A refusal need not be about rights: a NATS cluster refuses in passing while it elects leaders. A
node that left it there would be deaf to acks for as long as the session lasts.
"""

from __future__ import annotations

from edgenode.clock import Clock
from edgenode.uplink.session import Session
from edgenode.uplink.topics import Topics

AGAIN_MS = 5_000  # doubles with each refusal
AGAIN_MAX_MS = 600_000


class Hearing:
    """The subscriptions of one session: the city's acks, and the node's own state."""

    def __init__(self, session: Session, topics: Topics, clock: Clock) -> None:
        self._session = session
        self._topics = topics
        self._clock = clock
        self._pause_ms = AGAIN_MS
        self._due_ms: int | None = None

    def ask(self) -> None:
        """Subscribe; what is retained there comes again too."""
        self._due_ms = None
        self._session.subscribe(self._topics.ack, self._topics.state)

    def refused(self) -> bool:
        """Ask again when it is time; True when a broker has refused since the last call."""
        news = self._session.refused_topics > 0
        self._session.refused_topics = 0
        now = self._clock.boot_ms()
        if news:
            self._due_ms = now + self._pause_ms
            self._pause_ms = min(AGAIN_MAX_MS, self._pause_ms * 2)
        elif self._due_ms is not None and now >= self._due_ms:
            self.ask()
        return news
