"""The virtual DS3231: ticks, wraps, can be set, and loses the time without a battery."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.ds3231 import DS3231, DS3231Options
from edgenode.bus import open_i2c
from edgenode.errors import BusError
from edgenode.virtual import Scenario, parse, send_command
from edgenode.virtual.ds3231 import Ds3231Spec, VirtualDS3231
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth
from tests.support.chips import ChipBus, adafruit
from tests.support.instruments import logged, street

NOON = 1_795_438_770  # 2026-11-23 12:59:30
CLOCK: Any = {"shows": NOON, "temperature": Play(offset=25.25)}


class Bench:
    """One clock on a bus, and its log."""

    def __init__(self, directory: Path, **spec: Any) -> None:
        self.path = directory / "truth"
        self.log = Truth(self.path)
        now_ns = ChipBus({}).now_ns
        self.chip = VirtualDS3231(Ds3231Spec("rtc", **{**CLOCK, **spec}), self.log, now_ns)
        self.bus = ChipBus({0x68: self.chip})
        self.device = self.bus.device(0x68)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.log.close()


def test_shows_the_known_registers_and_wraps_behind_them(bench: Bench) -> None:
    both = bench.device.read(0x00, 38)
    assert both[:7].hex(" ") == "30 59 12 01 23 11 26"
    assert both[0x11:0x13].hex(" ") == "19 40"
    assert both[:19] == both[19:]


def test_ticks_each_second(bench: Bench) -> None:
    bench.bus.sleep(0.999)
    assert bench.device.read(0x00, 1) == b"\x30"
    bench.bus.sleep(0.001)
    assert bench.device.read(0x00, 1) == b"\x31"
    bench.bus.sleep(29)
    assert bench.device.read(0x00, 3) == b"\x00\x00\x13"


def test_can_be_set_by_who_wants_to(bench: Bench) -> None:
    theirs = adafruit("adafruit_ds3231").DS3231(bench.bus)
    theirs.datetime = time.struct_time((2031, 2, 28, 23, 59, 58, 4, -1, -1))
    bench.bus.sleep(3)
    assert tuple(theirs.datetime)[:6] == (2031, 3, 1, 0, 0, 1)


def test_a_time_that_was_lost_is_so_until_the_flag_is_cleared(tmp_path: Path) -> None:
    bench = Bench(tmp_path, lost=True)
    assert bench.device.read(0x0F, 1) == b"\x88"
    bench.device.write(0x0F, b"\x08")
    assert bench.device.read(0x0F, 1) == b"\x08"
    bench.device.write(0x0F, b"\x88")
    assert bench.device.read(0x0F, 1) == b"\x08", "nobody but the oscillator can set it"
    bench.log.close()


@pytest.mark.parametrize(("spec", "lost"), [({"battery": True}, 0.0), ({"battery": False}, 1.0)])
def test_only_a_battery_keeps_the_time_while_it_is_gone(
    tmp_path: Path, spec: dict[str, bool], lost: float
) -> None:
    bench = Bench(tmp_path, **spec)
    bench.chip.act("vanish", bench.bus.now_ns)
    bench.bus.sleep(100)
    bench.chip.act("return", bench.bus.now_ns)
    sensor = DS3231(bench.device, DS3231Options(), wall=lambda: NOON + 100.5)
    assert sensor.read(0).values == (25.25, lost, None if lost else 0.0)
    bench.log.close()


def test_takes_its_temperature_each_64_seconds(tmp_path: Path) -> None:
    bench = Bench(tmp_path, temperature=Play("air_uci:T", decimals=2), every_ms=1000)
    first = bench.device.read(0x11, 2)
    seen = set()
    for _ in range(63):
        bench.bus.sleep(1)
        seen.add(bench.device.read(0x11, 2))
    bench.bus.sleep(1)
    assert seen == {first}
    assert bench.device.read(0x11, 2) != first
    bench.log.close()


def test_every_look_is_in_the_log(bench: Bench) -> None:
    bench.device.read(0x00, 38)
    lines = logged(bench.path)
    assert [(line["channel"], line["value"], line["fate"]) for line in lines] == [
        ("rtc/temperature", 25.25, "ok"),
        ("rtc/time_lost", 0.0, "ok"),
        ("rtc/time", float(NOON), "ok"),
    ]


def test_is_read_through_sockets_and_misbehaves_on_command(tmp_path: Path) -> None:
    with street(tmp_path, Scenario((Ds3231Spec("rtc"),))) as here:
        sensor = DS3231(open_i2c(here.path("i2c"), 0x68), DS3231Options())
        difference = sensor.read(0).values[2]
        assert difference is not None
        assert abs(difference) < 3, "it shows the time of this machine"
        send_command(here.control, "rtc", "nack")
        with pytest.raises(BusError):
            sensor.read(0)
        sensor.close()


def test_a_scenario_places_it() -> None:
    text = '[[instrument]]\nkind = "ds3231"\nsensor = "rtc"\nlost = true\nbattery = false\n'
    assert parse(text).instrument == (Ds3231Spec("rtc", lost=True, battery=False),)
