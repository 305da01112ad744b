"""An outbox that is watched: when its batches go, when they are acknowledged, how old they were."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from edgenode.clock import Clock
from edgenode.fleet.latency import Latencies
from edgenode.reading import Stream
from edgenode.spool import Outbox, Sealed
from edgenode.spool.model import STREAMS
from edgenode.wire import Ack, Batch, decode


class _Taken(NamedTuple):
    """A batch on its way: its last read at boot-time `last_ms`, and so many readings."""

    last_ms: int
    readings: int
    live: bool


class Tally:
    """What became of a process's readings since its start; latencies since they were taken."""

    def __init__(self) -> None:
        self.made = 0
        self.broker_acked = 0
        self.city_acked = 0
        self.attempts = 0
        self.sessions = 0
        self.sent_bytes = 0  # on TCP connections, headers included
        self.received_bytes = 0
        # From the last read of a batch on, and counted for each of its readings:
        self.puback = Latencies()  # to the broker's ack, of what was sent as it came
        self.live = Latencies()  # to the ack that is the last, of the same
        self.late = Latencies()  # to that, of what had to wait for a session


class Watched:
    """Passes everything to an Outbox, and counts telemetry. `last` says whose ack is the last."""

    def __init__(
        self, outbox: Outbox, clock: Clock, every_ms: int, width: int, tally: Tally, *, city: bool
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._every_ms = every_ms
        self._width = width  # readings of all channels at one time
        self._tally = tally
        self._city = city
        self._taken: dict[int, _Taken] = {}
        self._sent: set[int] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outbox, name)

    def take(self, live: bool, limit: int, streams: Collection[int] = STREAMS) -> list[Sealed]:  # noqa: FBT001 - two lanes
        taken = self._outbox.take(live, limit, streams)
        for sealed in taken:
            if sealed.stream == Stream.TELEMETRY:
                self._note(sealed, live=live)
        return taken

    def _note(self, sealed: Sealed, *, live: bool) -> None:
        """Note what goes; what was cut off on its way and goes again is live no more."""
        known = self._taken.get(sealed.seq)
        if known is not None:
            self._taken[sealed.seq] = known._replace(live=known.live and live)
            return
        batch = decode(sealed.data)
        if isinstance(batch, Batch):
            reads = sealed.readings // self._width
            last_ms = batch.tb + max(0, reads - 1) * self._every_ms
            self._taken[sealed.seq] = _Taken(last_ms, sealed.readings, live)

    def broker_acked(self, stream: int, seq: int) -> None:
        self._outbox.broker_acked(stream, seq)
        found = self._taken.get(seq) if stream == Stream.TELEMETRY else None
        if found is None or seq in self._sent:
            return
        self._broker_has(found)
        if self._city:
            self._sent.add(seq)
        else:
            self._arrived(self._taken.pop(seq))

    def city_acked(self, ack: Ack) -> None:
        self._outbox.city_acked(ack)
        if ack.spool != self._outbox.spool:
            return
        spans = ack.ranges.get(Stream.TELEMETRY, ())
        held = [seq for seq in self._taken if any(low <= seq <= high for low, high in spans)]
        for seq in held:
            found = self._taken.pop(seq)
            if seq not in self._sent:  # the city was faster than the broker
                self._broker_has(found)
            self._sent.discard(seq)
            self._tally.city_acked += found.readings
            self._arrived(found)

    def _broker_has(self, taken: _Taken) -> None:
        self._tally.broker_acked += taken.readings
        if taken.live:
            self._tally.puback.add(self._clock.boot_ms() - taken.last_ms, taken.readings)

    def _arrived(self, taken: _Taken) -> None:
        latencies = self._tally.live if taken.live else self._tally.late
        latencies.add(self._clock.boot_ms() - taken.last_ms, taken.readings)
