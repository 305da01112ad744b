"""A bus that an earlier daemon left stuck is told of as recovered by the one that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.clock import SystemClock
from edgenode.config import load
from edgenode.node import parts, sensors
from edgenode.node.boot import board
from edgenode.reading import Event, EventCode
from edgenode.spool import Spool
from tests.support.daemons import NODE, Place, terminated, until
from tests.support.leftbehind import told

PAIR = {EventCode.BUS_STUCK, EventCode.BUS_RECOVERED}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    with made.instruments():
        yield made


def left_stuck(place: Place) -> None:
    """Leave a spool as a daemon does that ends while its bus hangs."""
    config, clock = load(place.config), SystemClock(1000)
    known = sensors.groups(config)
    spool = Spool.open(parts.spool_options(config), bytes.fromhex(NODE), known, clock, board())
    gid = sensors.gids(config)["air"]
    spool.event(clock.boot_ms(), gid, Event(EventCode.BUS_STUCK))
    spool.close()


def test_a_bus_that_answers_after_a_restart_is_told_of_as_recovered_once(place: Place) -> None:
    left_stuck(place)
    with place.daemon() as process:
        until(place.sampled, "it samples")
        until(lambda: not bus(place)["held"], "the bus has answered")
        until(lambda: "bus wire" not in wrong(place), "and is well")
        assert terminated(process) == 0
    codes = [code for code in told(place) if code in PAIR]
    assert codes == [EventCode.BUS_STUCK, EventCode.BUS_RECOVERED]


def bus(place: Place) -> dict[str, Any]:
    status = place.status() or {"buses": [{"bus": "wire", "held": True}]}
    return next(bus for bus in status["buses"] if bus["bus"] == "wire")


def wrong(place: Place) -> set[str]:
    return {problem["key"] for problem in (place.status() or {"problems": []})["problems"]}
