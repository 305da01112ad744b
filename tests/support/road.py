"""The whole road without threads, sockets or sleep: a real spool, a real city, a hand-made world.

What lies between them, the uplink and a broker, is reduced to its contract: a batch is delivered
at least once, and it may be lost after the broker has acked it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.intake import Incoming
from edgenode.cityos.sink import ReadingRow, Sink
from edgenode.reading import Channel, ClockSource, Group, Kind, Sample
from edgenode.spool import Sealed, Spool, SpoolOptions
from edgenode.wire import Ack
from tests.support.clock import FakeClock
from tests.support.spools import kill

NODE = bytes.fromhex("0badcafe0002")
PREFIX = "edgenode/v1"
GROUPS = {
    1: Group(1, (Channel("air/serial", "count", kind=Kind.COUNTER, period_ms=1_000),)),
    2: Group(2, (Channel("road/serial", "count", kind=Kind.COUNTER, period_ms=1_000),)),
}
OPTIONS = {"cap_bytes": 8 << 20, "pregrow": False}


class World(FakeClock):
    """True time, and a node's clocks in it: boot-time drifts, the wall clock is what it is."""

    def __init__(self, ppm: int = 0) -> None:
        super().__init__()
        self.ppm = ppm
        self.true = self.utc_ms()
        self._rest = 0
        self._error = 0

    def advance(self, ms: int) -> None:
        self.true += ms
        drift = ms * (1_000_000 + self.ppm) + self._rest
        self._rest = drift % 1_000_000
        self.boot += drift // 1_000_000
        if self.source == ClockSource.NTP:
            self.offset = self.true + self._error - self.boot

    def reboot(self, off_ms: int = 60_000) -> None:
        """Lose power and, with it, any idea of the time: the wall clock starts in 1970."""
        self.true += off_ms
        self.boots += 1
        self.boot, self.offset, self._rest = 500, 0, 0
        self._told = None
        self.source = ClockSource.NONE

    def ntp(self, error_ms: int = 0, err_ms: int = 20) -> None:
        """Let NTP keep the wall clock from here on, wrong by `error_ms`, vouching for `err_ms`."""
        self._error = error_ms
        self.offset = self.true + error_ms - self.boot
        self.source, self.err_ms = ClockSource.NTP, err_ms


class Road:
    """One node with a serial number for a sensor, one city, and what really happened."""

    groups: ClassVar[dict[int, Group]] = GROUPS

    def __init__(self, directory: Path, world: World) -> None:
        self.world = world
        self.directory = directory
        self.truth: dict[tuple[str, int], int] = {}  # (channel, value) -> true POSIX ms
        self.serial = 0
        self.arrival = 1_800_000_000_000
        self.tamper: Callable[[Sealed], Sealed | None] = lambda sealed: sealed
        self.sink = Sink.open(directory / "city.sqlite")
        self.city = City(self.sink, CityOptions())
        self.start()

    def start(self) -> None:
        """Start the node on what its disk holds, connected: it seals once a minute."""
        options = SpoolOptions(self.directory / "spool", **OPTIONS)  # type: ignore[arg-type]
        self.spool = Spool.open(options, NODE, self.groups, self.world)
        for outbox in (self.spool.outbox, *self.spool.drains):
            outbox.begin_session()
        self.spool.step()

    def stop(self) -> None:
        """Stop the node in good order."""
        self.spool.close()

    def power_cut(self, off_ms: int = 60_000) -> None:
        """Seal nothing and lose the clock; what the last commit covered is on the disk."""
        self.world.advance(5_000)
        self.spool.step()
        kill(self.spool)
        self.world.reboot(off_ms)
        self.start()

    def sample(self, seconds: int) -> None:
        """Read both sensors once a second; every value is a serial number, never used again."""
        for _ in range(seconds):
            for gid, group in GROUPS.items():
                self.serial += 1
                self.truth[group.channels[0].name, self.serial] = self.world.true
                self.spool.append(gid, self.world.boot_ms(), Sample((self.serial,)))
            self.world.advance(1_000)
            self.spool.step()

    def exchange(self, *, acks: bool = True) -> int:
        """Send all that can be sent until nothing is left; return how many batches went."""
        count = 0
        for outbox in (self.spool.outbox, *self.spool.drains):
            while taken := [*outbox.take(True, 20), *outbox.take(False, 20)]:
                count += len(taken)
                self._deliver([kept for sealed in taken if (kept := self.tamper(sealed))])
                for sealed in taken:
                    outbox.broker_acked(sealed.stream, sealed.seq)
                if acks:
                    self.acknowledge()
        self.world.advance(60_000)
        self.spool.step()
        return count

    def _deliver(self, taken: list[Sealed]) -> None:
        base = f"{PREFIX}/{NODE.hex()}"
        messages = []
        for sealed in taken:
            birth = self.spool.outbox.birth(sealed.schema)
            assert birth is not None, "a batch without its birth"
            topic = f"{base}/birth/{sealed.schema.hex()}"
            messages.append(Incoming(topic, birth, self.arrival, retained=True))
            topic = f"{base}/batch/{sealed.stream}"
            messages.append(Incoming(topic, sealed.data, self.arrival))
        self.arrival += 1_000
        self.city.absorb(messages, self.arrival)
        while self.city.derive():
            pass

    def acknowledge(self) -> list[Ack]:
        """Bring the city's acks to the node."""
        self.arrival += 2_000
        acks = self.city.acks(self.arrival, self.arrival)
        for ack in acks:
            for outbox in (self.spool.outbox, *self.spool.drains):
                outbox.city_acked(ack)
        return acks

    def rows(self) -> list[ReadingRow]:
        """Return the city's table."""
        return list(self.sink.readings(NODE))
