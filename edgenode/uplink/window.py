"""How much may be in flight: few messages, and no more than the link acknowledges in 10 s."""

from __future__ import annotations

from typing import NamedTuple

from edgenode.clock import Clock

SLOTS = 20  # broker-notes.md: a window of 1,000 costs paho twice the time of 20
HORIZON_MS = 10_000  # of the measured ack rate; half of the PUBACK deadline
FIRST_BYTES = 65_536  # before anything was measured: what the socket buffers
SMOOTHING = 0.25  # weight of the newest sample of the rate


class _Flight(NamedTuple):
    size: int
    live: bool
    sent_ms: int
    acked_bytes: int  # acknowledged in this session when this message was sent


class Window:
    """The messages of one session that wait for their PUBACK, by message id.

    One slot is kept for live data. The ack rate is sampled at each PUBACK as the bytes
    acknowledged since that message was sent, over the time it took (as in BBR's delivery rate,
    draft-cardwell-iccrg-bbr-congestion-control, section 4.1), so a slow link is never given
    more than it can acknowledge well within the PUBACK deadline, and a fast one opens by itself.
    """

    def __init__(self, receive_maximum: int, clock: Clock) -> None:
        self._slots = min(SLOTS, receive_maximum)
        self._clock = clock
        self._flights: dict[int, _Flight] = {}
        self._acked_bytes = 0
        self._rate: float | None = None  # bytes per ms

    def __len__(self) -> int:
        return len(self._flights)

    @property
    def limit_bytes(self) -> int:
        """Bytes that may be in flight now."""
        return FIRST_BYTES if self._rate is None else round(self._rate * HORIZON_MS)

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest message in flight was sent."""
        return next(iter(self._flights.values())).sent_ms if self._flights else None

    def slots(self, *, live: bool) -> int:
        """Return how many more messages the lane may send."""
        kept = 0 if live or self._slots == 1 else 1
        return max(0, self._slots - kept - len(self._flights))

    def admits(self, size: int, *, live: bool) -> bool:
        """Tell whether a message of `size` bytes may be sent now; a lone one always may."""
        if not self.slots(live=live):
            return False
        ahead = sum(f.size for f in self._flights.values() if f.live or not live)
        return ahead == 0 or ahead + size <= self.limit_bytes

    def sent(self, mid: int, size: int, *, live: bool) -> None:
        """Note a message handed to the socket."""
        self._flights[mid] = _Flight(size, live, self._clock.boot_ms(), self._acked_bytes)

    def acked(self, mid: int) -> None:
        """Note its PUBACK, and measure."""
        flight = self._flights.pop(mid)
        self._acked_bytes += flight.size
        took_ms = max(1, self._clock.boot_ms() - flight.sent_ms)
        sample = (self._acked_bytes - flight.acked_bytes) / took_ms
        self._rate = (
            sample if self._rate is None else self._rate + SMOOTHING * (sample - self._rate)
        )
