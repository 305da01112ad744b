"""The SCD4x driver on the virtual sensor: modes, settings, sleep, and what a scan may ask."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from drivers.scd4x import SCD4x, SCD4xOptions
from edgenode.errors import BusTimeout
from edgenode.reading import Quality, Sample
from edgenode.virtual.scd4x import FACTORY, Scd4xSpec, VirtualSCD4x
from edgenode.virtual.series import Play
from tests.support.beds import Bed
from tests.support.chips import ChipBus
from tests.support.fake_sensirion import Stranger

AIR = Scd4xSpec("s", co2=Play(offset=500), temperature=Play(offset=25), humidity=Play(offset=37))


def bench(spec: Scd4xSpec = AIR) -> tuple[ChipBus, VirtualSCD4x]:
    chip = VirtualSCD4x(spec, Bed().truth, 0)
    return ChipBus({0x62: chip}), chip


def opened(bus: ChipBus, **options: Any) -> SCD4x:
    return SCD4x(bus.device(0x62), msgspec.convert(options, SCD4xOptions), sleep=bus.sleep)


def read(bus: ChipBus, sensor: SCD4x, after_s: float) -> Sample:
    bus.sleep(after_s)
    return sensor.read(bus.now_ns // 1_000_000)


def test_read_faster_than_it_measures_it_gives_the_same_measurement_again() -> None:
    bus, _ = bench()
    sensor = opened(bus)
    assert read(bus, sensor, 4.9).quality == (Quality.SETTLING,) * 3
    first = read(bus, sensor, 0.2)
    assert first.values == pytest.approx((500, 25, 37), abs=0.01)
    assert read(bus, sensor, 2) is first


def test_with_little_power_it_measures_each_half_minute_and_is_not_stale_in_between() -> None:
    bus, _ = bench()
    sensor = opened(bus, mode="low-power")
    assert read(bus, sensor, 29).values == (None, None, None)
    assert read(bus, sensor, 2).values[0] == 500
    assert not read(bus, sensor, 25).quality


def test_without_an_option_every_setting_stays_as_the_part_has_it() -> None:
    bus, chip = bench()
    opened(bus)
    assert chip.settings == FACTORY


@pytest.mark.parametrize(
    ("options", "setting", "word"),
    [
        ({"altitude_m": 1200}, 0x2322, 1200),
        ({"pressure_hpa": 980}, 0xE000, 980),
        ({"self_calibration": False}, 0x2313, 0),
        ({"temperature_offset_c": 2.5}, 0x2318, 936),
    ],
)
def test_what_was_chosen_is_told_before_it_measures(
    options: dict[str, Any], setting: int, word: int
) -> None:
    bus, chip = bench()
    sensor = opened(bus, **options)
    assert chip.settings == {**FACTORY, setting: word}
    assert read(bus, sensor, 6).values[0] == 500


def test_height_and_pressure_together_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="give one of them"):
        msgspec.convert({"altitude_m": 100, "pressure_hpa": 1000}, SCD4xOptions)


def test_without_a_reading_of_co2_temperature_and_humidity_still_count() -> None:
    bus, _ = bench(Scd4xSpec("s", co2=Play(offset=0), temperature=Play(offset=25)))
    sample = read(bus, opened(bus), 6)
    assert sample.values[0] is None
    assert sample.values[1] == pytest.approx(25, abs=0.01)
    assert sample.quality == (Quality.MISSING, Quality.OK, Quality.OK)


def test_one_that_measures_or_sleeps_is_opened_all_the_same() -> None:
    bus, _ = bench()
    opened(bus).close()
    opened(bus)
    sensor = opened(bus)
    sensor.close()
    bus.sleep(1)
    bus.device(0x62).transfer(b"\x36\xe0", 0)
    bus.sleep(1)
    assert read(bus, opened(bus), 6).values[0] == 500


def test_closing_stops_it() -> None:
    bus, chip = bench()
    opened(bus).close()
    assert not chip._measuring


def test_one_that_lost_its_power_for_a_moment_is_lost_after_four_periods() -> None:
    bus, chip = bench()
    sensor = opened(bus)
    read(bus, sensor, 6)
    chip.act("vanish", bus.now_ns)
    chip.act("return", bus.now_ns)
    assert read(bus, sensor, 12).quality == (Quality.STALE,) * 3
    with pytest.raises(BusTimeout, match="measured nothing for 22 s"):
        read(bus, sensor, 10)


def test_a_scan_of_one_that_measures_names_it_and_does_not_stop_it() -> None:
    bus, chip = bench()
    sensor = opened(bus)
    found = SCD4x.identify(bus.device(0x62), bus.sleep)
    assert found
    assert "measures" in found.words
    assert chip._measuring
    assert read(bus, sensor, 6).values[0] == 500


def test_a_scan_sends_nothing_to_an_mcp4725_at_its_address() -> None:
    converter = Stranger()
    assert SCD4x.identify(converter, lambda _: None) is None
    assert converter.commands == []
