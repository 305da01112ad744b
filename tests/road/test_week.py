"""A week of simulated time with a power cut, an outage, a lost sensor and a clock step each day."""

from __future__ import annotations

import gc
import resource
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from edgenode.cityos.audit import audit
from edgenode.cityos.sink import ReadingRow
from edgenode.reading import ClockSource
from tests.support.road import NODE, World
from tests.support.week import Used, Week

DAYS = 7
OPEN_COMMIT_MS = 30_000  # a turn of the simulation, in which nothing is committed
SENSORS = ("air", "road", "noise")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Week:
    """A node that has lived a week, and what it used of memory and descriptors each evening."""
    week = Week(tmp_path_factory.mktemp("week"), World(ppm=30))
    week.world.ntp()
    for day in range(DAYS):
        _day(week, day)
        week.evenings.append(_used())
    week.world.ntp()
    week.live(0.2)
    week.stop()
    week.start()
    for _ in range(3):
        week.exchange()
    return week


def _used() -> Used:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return Used(
        len(gc.get_objects()),
        pages * resource.getpagesize() >> 10,
        len(list(Path("/proc/self/fd").iterdir())),
    )


def _day(week: Week, day: int) -> None:
    """Live one day."""
    week.live(5)
    week.exchange()
    week.street.down.add(SENSORS[day % 3])  # a sensor is unplugged
    week.live(1)
    week.street.down.clear()
    week.live(3)  # nobody takes anything: an outage of nine hours
    week.power_cut(off_ms=900_000)
    week.cuts.append(week.world.true)
    week.live(1)  # no clock yet
    week.world.ntp(error_ms=15)
    week.live(4)
    week.exchange()
    week.world.step(-3_600_000 if day % 2 else 7_200_000)  # somebody sets the wall clock
    week.world.source = ClockSource.NONE
    week.live(1)
    week.world.ntp()
    week.live(8)
    week.exchange()


def numbers(week: Week) -> list[ReadingRow]:
    return [r for r in week.rows() if r.channel.endswith("/serial") and r.value is not None]


def test_the_account_closes(lived: Week) -> None:
    """Every reading that was said is stored once, or fell into the open commit of a cut."""
    said = lived.street.said()
    seen = Counter((row.channel, int(row.value or 0)) for row in numbers(lived))
    assert set(seen.values()) == {1}, "a reading stands twice"
    assert set(seen) <= set(said), "nobody ever said this"
    for key in set(said) - set(seen):
        assert any(cut - OPEN_COMMIT_MS <= said[key] <= cut for cut in lived.cuts), key
    assert len(seen) > DAYS * 3 * 2_500


def test_the_city_can_explain_everything(lived: Week) -> None:
    account = audit(lived.sink, NODE)
    assert account.well
    assert all(stream.received == stream.expected for stream in account.streams)


def test_every_time_is_within_its_stated_error(lived: Week) -> None:
    said = lived.street.said()
    for row in numbers(lived):
        true = said[row.channel, int(row.value or 0)]
        assert row.earliest is None or row.earliest <= true
        assert row.latest is None or true <= row.latest
        assert row.utc is None or row.err is None or abs(row.utc - true) <= row.err, row


def test_totals_never_go_back_and_lack_only_what_nobody_watched(lived: Week) -> None:
    rows = sorted(
        (row for row in lived.rows() if row.channel == "loop/count" and row.value is not None),
        key=lambda row: (row.epoch, row.mono),
    )
    totals = [int(row.value or 0) for row in rows]
    assert all(later >= earlier for earlier, later in pairwise(totals))
    assert lived.street.pulses - totals[-1] <= 2 * 9 * (DAYS + 2), "two turns at each start"


def test_a_lost_sensor_has_rows_that_say_so_and_no_number(lived: Week) -> None:
    missing = Counter(row.channel for row in lived.rows() if row.value is None)
    assert set(missing) == {f"{name}/serial" for name in SENSORS}
    assert min(missing.values()) >= 2 * 110


def test_memory_and_descriptors_are_flat(lived: Week) -> None:
    objects, rss_kib, descriptors = zip(*lived.evenings[2:], strict=True)
    assert len(set(descriptors)) == 1
    assert max(objects) - min(objects) < 0.02 * min(objects)
    assert rss_kib[-1] - rss_kib[0] < 4_096
