"""The SCD30 driver on the virtual sensor: its memory, its interval, and what is no number."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from drivers.scd30 import SCD30, SCD30Options, decode
from edgenode.errors import BusTimeout, WrongDevice
from edgenode.reading import Quality, Sample
from edgenode.virtual.scd30 import FACTORY, Scd30Spec, VirtualSCD30
from edgenode.virtual.series import Play
from tests.support.beds import Bed
from tests.support.chips import ChipBus

AIR = Scd30Spec("s", co2=Play(offset=500.5))


def bench() -> tuple[ChipBus, VirtualSCD30]:
    chip = VirtualSCD30(AIR, Bed().truth, 0)
    return ChipBus({0x61: chip}), chip


def opened(bus: ChipBus, **options: Any) -> SCD30:
    return SCD30(bus.device(0x61), msgspec.convert(options, SCD30Options), sleep=bus.sleep)


def read(bus: ChipBus, sensor: SCD30, after_s: float) -> Sample:
    bus.sleep(after_s)
    return sensor.read(bus.now_ns // 1_000_000)


def test_is_asked_for_no_measurement_that_is_not_ready() -> None:
    bus, _ = bench()
    sensor = opened(bus)
    assert read(bus, sensor, 1.5).quality == (Quality.SETTLING,) * 3
    first = read(bus, sensor, 1)
    assert first.values[0] == 500.5
    assert read(bus, sensor, 0.5) is first


def test_a_setting_is_written_only_where_it_differs() -> None:
    bus, chip = bench()
    opened(bus, altitude_m=300, interval_s=2, self_calibration=False, temperature_offset_c=0)
    assert chip.settings == {**FACTORY, 0x5102: 300}
    assert chip.writes == 2, "the altitude, and the start"
    opened(bus, altitude_m=300, interval_s=2)
    assert chip.writes == 3, "the start"


def test_the_pressure_goes_with_the_start() -> None:
    bus, chip = bench()
    opened(bus, pressure_hpa=912)
    assert chip.settings[0x0010] == 912


def test_closed_it_goes_on_measuring_also_without_power_for_a_moment() -> None:
    bus, chip = bench()
    opened(bus).close()
    chip.act("vanish", bus.now_ns)
    chip.act("return", bus.now_ns)
    assert chip._measuring


@pytest.mark.parametrize(("after_s", "quality"), [(15, ()), (21, (Quality.STALE,) * 3)])
def test_how_old_is_late_goes_by_the_interval_that_the_part_has(
    after_s: int, quality: tuple[Quality, ...]
) -> None:
    bus, chip = bench()
    sensor = opened(bus, interval_s=10)
    read(bus, sensor, 11)
    chip._stop()
    assert read(bus, sensor, after_s).quality == quality
    with pytest.raises(BusTimeout, match="measured nothing"):
        read(bus, sensor, 51)


def test_an_interval_that_cannot_be_is_another_part() -> None:
    bus, chip = bench()
    chip.settings[0x4600] = 1
    with pytest.raises(WrongDevice, match="interval of 1 s"):
        opened(bus)
    assert SCD30.identify(bus.device(0x61), bus.sleep) is None


@pytest.mark.parametrize("ppm", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_a_fault_of_its_channel(ppm: float) -> None:
    assert decode(ppm, 20.0, 40.0) == Sample(
        (None, 20.0, 40.0), (Quality.FAULT, Quality.OK, Quality.OK)
    )


def test_a_scan_changes_nothing() -> None:
    bus, chip = bench()
    assert SCD30.identify(bus.device(0x61), bus.sleep)
    assert not chip.writes
    assert not chip._measuring
