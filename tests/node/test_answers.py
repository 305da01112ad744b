"""What is answered about a channel is what happened to it, in the right figures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drivers.pms5003 import PMS5003, PMS5003Options
from edgenode.config import Config, parse
from edgenode.driver import Driver
from edgenode.errors import BusError, NodeError
from edgenode.node import answers
from edgenode.node.answers import View
from edgenode.node.chronicle import Chronicle
from edgenode.node.report import Picture
from edgenode.node.sensors import groups
from edgenode.reading import ClockSource
from edgenode.sensing import BusWorker, Job
from edgenode.spool import SpoolStats
from tests.support.clock import FakeClock
from tests.support.fake_serial import FakeSerial
from tests.support.pms5003 import air
from tests.support.sensing import FakeSink
from tests.support.spools import opened
from tests.support.toml import WELL

DUST = """\
[[bus]]
name = "port"
kind = "serial"
path = "/dev/serial/by-id/usb-dust"

[[sensor]]
name = "dust"
driver = "pms5003"
bus = "port"
every_s = 1
purpose = "dust of the street"
"""


@dataclass
class Node:
    """One PMS5003, served by hand, and what would be answered about it."""

    log: Chronicle
    clock: FakeClock
    config: Config
    port: FakeSerial | None = None

    def __post_init__(self) -> None:
        group = next(g for g in groups(self.config).values() if g.channels[0].name == "dust/pm1")
        job = Job("dust", group, self._opened, every_ms=1000, stamp_ms=50)
        self.worker = BusWorker("port", [job], FakeSink(), self.clock, threading.Event())
        self.channels = {channel.name: channel for channel in group.channels}

    def _opened(self) -> Driver:
        if self.port is None:
            raise BusError("no such port; is it plugged in?")
        return PMS5003(self.port, PMS5003Options(), clock=self.port.clock)

    def live(self, seconds: int) -> None:
        for _ in range(seconds):
            if self.port:
                self.port.say(air(12))
            self.worker.turn()
            self.clock.advance(1000)

    def why(self, channel: str = "dust/pm25", *, workers: bool = True) -> dict[str, Any]:
        picture = Picture(
            now_ms=self.clock.boot_ms(),
            started_ms=0,
            utc_ms=self.clock.utc_ms(),
            clock=ClockSource.NTP,
            spool=SpoolStats(),
            buses=(self.worker.stats(),),
            uplink=None,
        )
        there = (self.worker,) if workers else ()
        view = View(self.config, self.channels, there, picture)
        return answers.why(view, channel, self.log, None)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    clock = FakeClock()
    spool = opened(tmp_path, clock)
    yield Node(Chronicle(spool), clock, parse(WELL + DUST))
    spool.close()


def test_before_anything_failed_there_is_no_last_failure(node: Node) -> None:
    node.port = FakeSerial(air(12))
    node.live(3)
    assert node.why()["last_failure"] is None


def test_the_last_failure_says_when_and_stays_known_after_the_sensor_was_found(node: Node) -> None:
    node.live(1)
    failed = {"reason": "no-answer", "detail": "no such port; is it plugged in?"}
    assert node.why()["last_failure"] == {**failed, "ago_s": 1.0}
    node.port = FakeSerial(air(12))
    node.live(9)
    answer = node.why()
    assert answer["state"] == "settling"
    assert answer["last_failure"] == {**failed, "ago_s": 10.0}


def test_how_long_it_still_settles_is_counted_from_its_opening(node: Node) -> None:
    node.port = FakeSerial(air(12))
    node.live(10)
    assert node.why()["settling"] == {"left_s": 20.0, "settle_s": 30.0}
    node.live(20)
    assert node.why()["settling"] == {"left_s": 0.0, "settle_s": 30.0}, "its newest one settled"
    node.live(1)
    answer = node.why()
    assert (answer["quality"], answer["settling"]) == ("ok", None)


def test_opened_anew_it_settles_anew(node: Node) -> None:
    node.port = FakeSerial(air(12))
    node.live(40)
    node.port.gone = True
    node.live(1)
    assert node.why()["settling"] is None
    node.port = FakeSerial(air(12))
    node.live(5)
    assert node.why()["settling"]["left_s"] == pytest.approx(30 - 4, abs=1)


def test_a_channel_whose_bus_is_just_being_exchanged_is_to_be_asked_again(node: Node) -> None:
    with pytest.raises(NodeError, match="bus port is being exchanged; ask again"):
        node.why(workers=False)
