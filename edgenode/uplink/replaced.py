"""Whether the broker of a session was shown a certificate that the node does not use any more.

A broker looks at a certificate once, when a session begins. So the next one is shown at once, while
there is time to see that a broker does not take it, and not at an outage months later.
"""

from __future__ import annotations

from typing import Final

from edgenode.clock import Clock
from edgenode.uplink import tls
from edgenode.uplink.session import Session

LOOK_MS: Final = 60_000  # and so at most one session a minute ends for this


class Replaced:
    """Looks at the file of the certificate, once a minute."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._due_ms = clock.boot_ms() + LOOK_MS

    def __call__(self) -> bool:
        """Return True where there is another one now; one that was taken away is no reason."""
        now_ms = self._clock.boot_ms()
        if now_ms < self._due_ms:
            return False
        self._due_ms = now_ms + LOOK_MS
        return tls.stamp(self._session.broker) not in {(), self._session.stamp}
