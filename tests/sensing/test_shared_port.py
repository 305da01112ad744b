"""Two meters on one port: what becomes of one costs the other no more than it may."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from drivers.sdm import SDM230, SDMOptions
from edgenode.errors import Reason
from edgenode.reading import EventCode, Group
from edgenode.sensing import BusWorker, Job, stagger
from tests.support.clock import FakeClock
from tests.support.fake_cable import FakeCable
from tests.support.meters import SINGLE, FakeMeter
from tests.support.sensing import FakeSink

SILENCE_S = 0.7  # docs/drivers.md: a meter that says nothing costs its bus 0.6 s a try


class TimedCable(FakeCable):
    """A cable whose time is that of the node."""

    def __init__(self, clock: FakeClock, *parts: Callable[[bytes], bytes]) -> None:
        super().__init__(*parts)
        self._clock, self._told_s = clock, 0.0

    def receive(self, size: int, timeout_s: float) -> bytes:
        data = super().receive(size, timeout_s)
        passed_ms = int((self.now_s - self._told_s) * 1000)
        self._told_s += passed_ms / 1000
        self._clock.advance(passed_ms)
        return data


class Port:
    """A bus of two meters, run by hand."""

    def __init__(self, every_ms: int) -> None:
        self.clock, self.sink, self.every_ms = FakeClock(), FakeSink(), every_ms
        self.meters = [FakeMeter(SINGLE, address) for address in (1, 2)]
        self.cable = TimedCable(self.clock, *self.meters)
        phases = stagger([every_ms, every_ms])
        jobs = [self._job(address, phase) for address, phase in zip((1, 2), phases, strict=True)]
        self.worker = BusWorker("meters", jobs, self.sink, self.clock, threading.Event())

    def _job(self, address: int, phase_ms: int) -> Job:
        channels = tuple(replace(c, name=f"s{address}/{c.name}") for c in SDM230.channels)
        return Job(
            f"s{address}",
            Group(address, channels),
            lambda: SDM230(self.cable, SDMOptions(address=address)),
            self.every_ms,
            stamp_ms=50,
            phase_ms=phase_ms,
        )

    def run(self, seconds: int) -> None:
        until_ms = self.clock.boot + seconds * 1000
        while (due_ms := self.worker.turn()) < until_ms:
            self.clock.advance(max(0, due_ms - self.clock.boot))
        self.clock.advance(max(0, until_ms - self.clock.boot))

    def state(self, number: int) -> tuple[str, int | None, int]:
        stats = self.worker.stats().sensors[number - 1]
        return stats.state, stats.reason, stats.missed

    def lateness_ms(self) -> int:
        """The latest that any read has begun."""
        counts = self.worker.lateness.counts()
        return max(ms for ms, count in enumerate(counts) if count)


@pytest.fixture
def port() -> Port:
    made = Port(every_ms=2000)
    made.run(10)
    assert (made.state(1), made.state(2)) == (("ok", None, 0), ("ok", None, 0))
    return made


def test_a_silent_meter_holds_the_other_up_by_one_try_at_most(port: Port) -> None:
    del port.cable.parts[1]
    before = len(port.sink.of(1))
    port.run(600)
    assert port.state(2) == ("lost", Reason.TIMEOUT, 0)
    assert port.state(1) == ("ok", None, 0)
    rows = port.sink.of(1)[before:]
    assert len(rows) == 300
    assert all(not sample.quality for _, sample in rows)
    assert port.lateness_ms() < SILENCE_S * 1000 < SDM230.budget_s * 1000


def test_a_silent_meter_has_a_row_in_each_slot_and_is_asked_ever_more_seldom(port: Port) -> None:
    del port.cable.parts[1]
    port.run(10)
    rows, asked = len(port.sink.of(2)), len(port.cable.sent)
    port.run(600)
    assert len(port.sink.of(2)) - rows == 300
    tries = len(port.cable.sent) - asked - 300  # those of the other meter
    assert 10 <= tries <= 14


@pytest.mark.parametrize(
    ("noise", "reason"),
    [(b"\x55" * 9, Reason.BAD_CHECKSUM), (b"", Reason.TIMEOUT)],
    ids=["garbage", "nothing"],
)
def test_a_meter_that_comes_back_is_found_and_the_other_never_noticed(
    port: Port, noise: bytes, reason: Reason
) -> None:
    answers = port.cable.parts[1]
    port.cable.parts[1] = lambda frame: noise if frame[0] == 2 else b""
    port.run(100)
    assert port.state(2)[:2] == ("lost", reason)
    port.cable.parts[1] = answers
    port.run(130)
    assert port.state(2)[:2] == ("ok", None)
    assert port.state(1) == ("ok", None, 0)
    told = [(gid, event.code) for _, gid, event in port.sink.events]
    assert told == [(2, EventCode.SENSOR_LOST), (2, EventCode.SENSOR_FOUND)]
