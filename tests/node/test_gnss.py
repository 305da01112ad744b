"""A whole node without NTP, its wall clock in 2001, beside a satellite receiver."""

from __future__ import annotations

import time
from pathlib import Path

from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.intake import Incoming
from edgenode.cityos.sink import ReadingRow, Sink
from edgenode.clock import SystemClock
from edgenode.config import Config, parse
from edgenode.node.rooms import Rooms
from edgenode.reading import ClockSource
from edgenode.virtual import Scenario
from edgenode.virtual.gnss import GnssSpec
from edgenode.virtual.pulse import PulseSpec
from edgenode.wire import Batch, decode
from tests.support.instruments import Street, street
from tests.support.ports import until

MS = 1_000_000  # ns
ERROR_MS = 550
ARRIVAL = 1_900_000_000_000  # which nobody takes for the time of anything
NODE = "0badcafe0005"


class Lost(SystemClock):
    """A real clock that woke up in 2001 and asks nobody."""

    def __init__(self) -> None:
        super().__init__()
        self._behind_ms = time.time_ns() // 1_000_000 - 1_000_000_000_000

    def utc_ms(self) -> int:
        return super().utc_ms() - self._behind_ms

    def sync(self) -> tuple[int, int]:
        return ClockSource.NONE, 0


def config(here: Street, state: Path) -> Config:
    return parse(f"""\
schema = 1
[node]
id = "{NODE}"
state = "{state}"
[spool]
cap_mb = 8
pregrow = false
commit_interval_s = 0.2
[[uplink.broker]]
host = "127.0.0.1"
tls = false
[[bus]]
name = "sky"
kind = "serial"
path = "{here.path("gnss")}"
[[bus]]
name = "pins"
kind = "gpio"
path = "{here.path("gpio")}"
[[sensor]]
name = "gnss"
driver = "gnss"
bus = "sky"
every_s = 60
purpose = "time"
almanac_s = 0
[[sensor]]
name = "loop"
driver = "pulse"
bus = "pins"
every_s = 0.2
line = 17
purpose = "traffic"
""")


def sampled(found: Config, clock: SystemClock) -> None:
    """Run the node until a receiver has vouched and a commit has taken note of it."""
    rooms = Rooms(found, clock)
    rooms.start_sensing()
    until(lambda: rooms.picture().clock == ClockSource.GNSS, "a receiver that vouches")
    picture = rooms.picture()
    assert abs(picture.utc_ms - time.time_ns() // MS) <= ERROR_MS
    assert picture.clock_err_ms in {ERROR_MS, ERROR_MS + 1}
    before = rooms.spool.stats().commits
    until(lambda: rooms.spool.stats().commits > before + 1, "two commits")
    assert rooms.stop()


def sent(found: Config, clock: SystemClock) -> list[tuple[str, bytes]]:
    """Return what the node sends of it, with topics, births first."""
    rooms = Rooms(found, clock)
    box = rooms.spool.outbox
    box.begin_session()
    taken = [*box.take(True, 100), *box.take(False, 100)]
    base = f"{found.uplink.prefix}/{NODE}"
    messages = []
    for sealed in taken:
        birth = box.birth(sealed.schema)
        assert birth is not None
        messages.append((f"{base}/birth/{sealed.schema.hex()}", birth))
        messages.append((f"{base}/batch/{sealed.stream}", sealed.data))
    assert rooms.stop()
    return messages


def received(messages: list[tuple[str, bytes]], directory: Path) -> list[ReadingRow]:
    """Return the table of a city that got these."""
    sink = Sink.open(directory / "city.sqlite")
    city = City(sink, CityOptions())
    city.absorb([Incoming(topic, data, ARRIVAL, "birth" in topic) for topic, data in messages], 0)
    while city.derive():
        pass
    return list(sink.readings(bytes.fromhex(NODE)))


def test_its_anchors_are_the_receivers_and_the_city_knows_the_time_of_every_reading(
    tmp_path: Path,
) -> None:
    instruments = Scenario((GnssSpec("gnss", period_ms=100), PulseSpec("loop", line=17)))
    with street(tmp_path, instruments) as here:
        found, clock = config(here, tmp_path / "state"), Lost()
        sampled(found, clock)
        messages = sent(found, clock)
    true_ahead_ms = time.time_ns() // MS - clock.boot_ms()
    batches = [decode(data) for topic, data in messages if "/batch/" in topic]
    anchors = [anchor for batch in batches if isinstance(batch, Batch) for anchor in batch.anchors]
    assert {anchor.source for anchor in anchors} == {ClockSource.GNSS}
    assert all(abs(a.utc - a.mono - true_ahead_ms) <= a.err <= ERROR_MS + 1 for a in anchors)
    rows = received(messages, tmp_path)
    assert {row.channel.partition("/")[0] for row in rows} == {"gnss", "loop"}
    for row in rows:
        assert row.clock == ClockSource.GNSS
        assert row.utc is not None
        assert row.err is not None
        assert abs(row.utc - row.mono - true_ahead_ms) <= row.err
