"""From the file to the row: dust of one bus, corrected by the humidity of another."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.config import parse
from edgenode.node.sensors import Crew, groups
from edgenode.reading import Quality
from edgenode.virtual import Scenario
from edgenode.virtual.bme280 import Bme280Spec
from edgenode.virtual.pms5003 import Pms5003Spec
from edgenode.virtual.series import Play
from tests.support.instruments import Street, street
from tests.support.sensing import FakeSink
from tests.support.toml import WELL

STREET = Scenario(
    (
        Bme280Spec("air", bus="i2c", humidity=Play(offset=50.0)),
        Pms5003Spec("pm", bus="dust", pm25=Play(offset=20)),
    )
)
WAIT_S = 10.0


def file(here: Street) -> str:
    """Return the file of a node with both sensors, each on a bus of its own."""
    head = WELL[: WELL.index("[[bus]]")]
    return f"""{head}
[[bus]]
name = "i2c"
kind = "i2c"
path = "{here.path("i2c")}"
[[bus]]
name = "dust"
kind = "serial"
path = "{here.path("dust")}"
[[sensor]]
name = "air"
driver = "bme280"
bus = "i2c"
address = 0x76
every_s = 0.2
purpose = "air of the street"
[[sensor]]
name = "pm"
driver = "pms5003"
bus = "dust"
every_s = 1
purpose = "dust of the street"
derived = ["pm25_epa2021"]
sources = {{ humidity = "air/humidity" }}
"""


def test_the_raw_and_the_corrected_value_stand_side_by_side(tmp_path: Path) -> None:
    with street(tmp_path, STREET) as here:
        config = parse(file(here))
        known = groups(config)
        gid, group = next(item for item in known.items() if item[1].channels[0].name == "pm/pm1")
        assert group.channels[-1].name == "pm/pm25_epa2021"
        crew, sink, stop = Crew(SystemClock()), FakeSink(), threading.Event()
        workers = [crew.hire(config, bus, known, sink, stop) for bus in config.buses]
        for worker in workers:
            worker.start()
        until = time.monotonic() + WAIT_S
        while not (rows := [s for _, s in sink.of(gid) if s.values[-1] is not None]):
            assert time.monotonic() < until, sink.of(gid)
            stop.wait(0.02)
        stop.set()
        for worker in workers:
            worker.wake()
            worker.join()
    assert rows[0].values[1] == 20
    assert rows[0].values[-1] == pytest.approx(0.524 * 20 - 0.0862 * 50 + 5.75, abs=0.05)
    assert rows[0].quality[-1] is Quality.SETTLING  # as good as the worst of its sources
