"""A node without NTP and with a wrong wall clock, and a satellite receiver: the city knows when."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.gnss import GNSS, GNSSOptions
from edgenode.reading import ClockSource, Group, Sample
from edgenode.sensing import Job
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.runner import Runner
from edgenode.sensing.watch import Watch
from edgenode.virtual.gnss import GnssSpec, VirtualGNSS
from edgenode.virtual.truth import Truth
from tests.road.test_time import timed
from tests.support.fake_serial import FakeSerial
from tests.support.road import GROUPS, Road, World
from tests.support.sensing import FakeSink

MS = 1_000_000
STEP_MS = 50


class Receiver:
    """A receiver that knows true time, and the runner that reads it by the node's clock."""

    def __init__(
        self,
        world: World,
        directory: Path,
        *,
        weeks: int = 0,
        latency_ms: int = 400,
        almanac_s: int = 750,
    ) -> None:
        self._options = GNSSOptions(almanac_s=almanac_s)
        spec = GnssSpec("gnss", utc_ms=world.true, weeks=weeks, latency_ms=latency_ms)
        self._world = world
        self._instrument = VirtualGNSS(spec, Truth(directory / "truth"), world.true * MS)
        self._port = FakeSerial()
        job = Job("gnss", Group(9, GNSS.channels), self._opened, 60_000, stamp_ms=50)
        sink = FakeSink()
        self._runner = Runner(job, sink, world, Watch(sink, world), Lateness())

    def _opened(self) -> GNSS:
        self._port = FakeSerial(b"\n$GNGSA,A,1,,,,,,,,,,,,,,,*00\r\n", b"\n$GPTXT*40\r\n")
        return GNSS(self._port, self._options, clock=self._port.clock)

    def play(self) -> None:
        """Let it say what is due, and the node take that in."""
        now_ms = self._world.boot_ms()
        self._port.say(self._instrument.speak(self._world.true * MS))
        if self._runner.schedule.due_ms <= now_ms:
            self._runner.serve(now_ms)
        else:
            self._runner.feed(now_ms)


class Street(Road):
    """A road with a receiver beside it, once there is one."""

    receiver: Receiver | None = None

    def sample(self, seconds: int) -> None:
        for _ in range(seconds):
            for gid, group in GROUPS.items():
                self.serial += 1
                self.truth[group.channels[0].name, self.serial] = self.world.true
                self.spool.append(gid, self.world.boot_ms(), Sample((self.serial,)))
            for _ in range(1_000 // STEP_MS):
                self.world.advance(STEP_MS)
                if self.receiver:
                    self.receiver.play()
            self.spool.step()

    def arrive(self) -> None:
        """Let everything that was sampled reach the city."""
        self.stop()
        self.start()
        self.exchange()


@pytest.fixture(params=[-50, 0, 50])
def street(request: pytest.FixtureRequest, tmp_path: Path) -> Street:
    world = World(ppm=request.param)
    world.reboot()  # the wall clock is in 1970
    return Street(tmp_path, world)


def errors(street: Street) -> list[int]:
    return [row.err for row in street.rows() if row.err is not None]


@pytest.mark.parametrize("latency_ms", [50, 950])
def test_true_time_lies_within_the_error_that_the_city_states(
    street: Street, tmp_path: Path, latency_ms: int
) -> None:
    street.sample(120)  # before the receiver was plugged in
    street.receiver = Receiver(street.world, tmp_path, latency_ms=latency_ms)
    street.sample(900)
    street.arrive()
    assert set(timed(street)) == {ClockSource.GNSS}
    assert 550 <= min(errors(street)) <= max(errors(street)) < 700


def test_until_the_almanac_was_heard_readings_have_no_time(street: Street, tmp_path: Path) -> None:
    street.receiver = Receiver(street.world, tmp_path)
    street.sample(700)
    street.arrive()
    assert set(timed(street)) == {ClockSource.NONE}


def test_readings_outlive_a_power_cut_with_times_of_their_own_boot(
    street: Street, tmp_path: Path
) -> None:
    street.receiver = Receiver(street.world, tmp_path, almanac_s=0)
    street.sample(100)
    street.receiver = None
    street.power_cut(off_ms=3_600_000)
    street.receiver = Receiver(street.world, tmp_path, almanac_s=0)
    street.sample(100)
    street.arrive()
    assert set(timed(street)) == {ClockSource.GNSS}


def test_a_receiver_out_by_a_rollover_times_nothing(street: Street, tmp_path: Path) -> None:
    street.receiver = Receiver(street.world, tmp_path, almanac_s=0, weeks=-1024)
    street.sample(120)
    street.arrive()
    assert set(timed(street)) == {ClockSource.NONE}


def test_ntp_is_believed_beside_a_receiver(street: Street, tmp_path: Path) -> None:
    street.world.ntp(error_ms=15)
    street.receiver = Receiver(street.world, tmp_path, almanac_s=0)
    street.sample(120)
    street.arrive()
    assert set(timed(street)) == {ClockSource.NTP}
