"""The virtual TMP117: converts in its own time, and says so once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.tmp117 import TMP117, TMP117Options
from edgenode.bus import open_i2c
from edgenode.errors import BusError, WrongDevice
from edgenode.virtual import Scenario, parse, send_command
from edgenode.virtual.series import Play
from edgenode.virtual.tmp117 import Tmp117Spec, VirtualTMP117
from edgenode.virtual.truth import Truth
from tests.support.chips import ChipBus
from tests.support.instruments import logged, street
from tests.support.ports import until

ROOM = Tmp117Spec("room", temperature=Play(offset=25.0))
READY = 0x20


class Bench:
    """One chip on a bus, and its log."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "truth"
        self.log = Truth(self.path)
        self.bus = ChipBus({0x48: VirtualTMP117(ROOM, self.log, ChipBus({}).now_ns)})
        self.device = self.bus.device(0x48)

    def config(self) -> bytes:
        return self.device.read(0x01, 2)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.log.close()


def test_has_no_temperature_before_its_first_eight_conversions(bench: Bench) -> None:
    bench.bus.sleep(0.125)
    assert bench.config()[0] & READY == 0
    assert bench.device.read(0x00, 2) == b"\x80\x00"
    bench.bus.sleep(0.002)
    assert bench.config()[0] & READY
    assert bench.device.read(0x00, 2) == b"\x0c\x80"


def test_says_once_that_a_conversion_is_new(bench: Bench) -> None:
    bench.bus.sleep(1)
    assert bench.config()[0] & READY
    assert not bench.config()[0] & READY
    bench.bus.sleep(1)
    bench.device.read(0x00, 2)
    assert not bench.config()[0] & READY


def test_converts_once_where_once_was_asked_for_and_shuts_down(bench: Bench) -> None:
    bench.device.write(0x01, b"\x0c\x00")
    bench.bus.sleep(0.016)
    assert bench.config() == b"\x24\x00", "ready, and shut down"
    bench.bus.sleep(10)
    assert bench.config() == b"\x04\x00"


def test_a_reset_forgets_what_was_measured_and_set(bench: Bench) -> None:
    bench.device.write(0x01, b"\x01\xa0")
    bench.bus.sleep(1)
    bench.device.write(0x01, b"\x00\x02")
    assert bench.config() == b"\x02\x20"
    assert bench.device.read(0x00, 2) == b"\x80\x00"


def test_a_value_is_in_the_log_once(bench: Bench) -> None:
    sensor = TMP117(bench.device, TMP117Options(), bench.bus.sleep)
    for _ in range(3):  # the second finds nothing new
        bench.bus.sleep(0.3)
        sensor.read(0)
    lines = [
        (line["n"], line["channel"], line["value"], line["fate"]) for line in logged(bench.path)
    ]
    assert lines == [(n, "room/temperature", 25.0, "ok") for n in (1, 2)]


def test_is_read_through_sockets_and_misbehaves_on_command(tmp_path: Path) -> None:
    with street(tmp_path, Scenario((ROOM,))) as here:
        sensor = TMP117(open_i2c(here.path("i2c"), 0x48), TMP117Options(averages=1))
        until(lambda: sensor.read(0).values == (25.0,), "a conversion")
        send_command(here.control, "room", "nack")
        with pytest.raises(BusError):
            sensor.read(0)
        sensor.close()


def test_a_scenario_places_it_or_one_of_its_relatives(tmp_path: Path) -> None:
    text = '[[instrument]]\nkind = "tmp117"\nsensor = "roof"\naddress = 0x4b\ndevice_id = 0x2117\n'
    (spec,) = parse(text).instrument
    assert isinstance(spec, Tmp117Spec)
    log = Truth(tmp_path / "truth")
    bus = ChipBus({0x4B: VirtualTMP117(spec, log, 0)})
    with pytest.raises(WrongDevice, match="TMP119"):
        TMP117(bus.device(0x4B), TMP117Options(address=0x4B), bus.sleep)
    log.close()
