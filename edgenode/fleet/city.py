"""The table of the city's sink, as a fleet compares it with its ledger."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from edgenode.cityos.sink import Sink
from edgenode.fleet.compare import Row
from edgenode.reading import Stream

_BUSY = "SELECT EXISTS (SELECT 1 FROM raw WHERE work IN (1, 2))"
LOOK_S = 0.2


def held_rows(sink: Sink, nodes: Iterable[bytes]) -> Iterator[Row]:
    """Yield the readings of these nodes, whatever was sensed."""
    for node in nodes:
        for row in sink.readings(node):
            if row.value is not None and row.stream == Stream.TELEMETRY:
                yield Row(node.hex(), row.epoch, row.channel, row.mono, row.value)


def wait_derived(sink: Sink, seconds: float) -> bool:
    """Wait until every batch whose birth is known has its rows; False when it takes too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not sink.db.execute(_BUSY).fetchone()[0]:
            return True
        time.sleep(LOOK_S)
    return False
