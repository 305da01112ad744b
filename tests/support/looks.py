"""A spool that has something to look at, and what its files hold."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edgenode.reading import Event, EventCode
from edgenode.spool import Sealed, Spool
from tests.support.clock import FakeClock
from tests.support.spools import feed, opened

PAGE = 1024


def busy(room: Path, clock: FakeClock, minutes: int = 30) -> Spool:
    """Return a spool with batches, some acknowledged by a broker, some by the City OS."""
    spool = opened(room, clock)
    spool.outbox.begin_session()
    for minute in range(minutes):
        if minute % 3 == 0:
            spool.event(clock.boot_ms(), 1, Event(EventCode.SENSOR_LOST, value=1))
        feed(spool, clock, 60)
    return spool


def sent(spool: Spool, count: int) -> list[Sealed]:
    taken = spool.outbox.take(True, count)
    for one in taken:
        spool.outbox.broker_acked(one.stream, one.seq)
    return taken


def held(spool: Spool) -> set[bytes]:
    return {row[0] for row in spool._core.store.all("SELECT data FROM batch")}


def digests(room: Path) -> dict[str, str]:
    return {
        str(path.relative_to(room)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(room.rglob("*"))
        if path.is_file()
    }
