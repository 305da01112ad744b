"""The SPS30 driver on the virtual sensor: sleep, cleaning, its status register, and neighbours."""

from __future__ import annotations

import pytest

from drivers.sps30 import CHANNELS, SPS30, SPS30Options, decode, judged
from edgenode.errors import BusError, BusTimeout, ImpossibleValue, WrongDevice
from edgenode.reading import Quality, Sample
from edgenode.virtual.sensirion import checked
from edgenode.virtual.series import Play
from edgenode.virtual.sps30 import Sps30Spec, VirtualSPS30
from tests.drivers.known_sps30 import answers
from tests.support.beds import Bed
from tests.support.chips import ChipBus
from tests.support.fake_sensirion import FakeSensirion

DUST = Sps30Spec("s", pm25=Play(offset=9.5))


def bench(spec: Sps30Spec = DUST) -> tuple[ChipBus, VirtualSPS30]:
    chip = VirtualSPS30(spec, Bed().truth, 0)
    return ChipBus({0x69: chip}), chip


def opened(bus: ChipBus) -> SPS30:
    return SPS30(bus.device(0x69), SPS30Options(), sleep=bus.sleep)


def read(bus: ChipBus, sensor: SPS30, after_s: float = 1.0) -> Sample:
    bus.sleep(after_s)
    return sensor.read(bus.now_ns // 1_000_000)


def test_a_second_after_opening_there_is_dust() -> None:
    bus, _ = bench()
    sensor = opened(bus)
    assert read(bus, sensor, 0.1).quality == (Quality.SETTLING,) * 10
    assert read(bus, sensor).values[1] == pytest.approx(9.5)


def test_one_that_sleeps_is_woken() -> None:
    bus, _ = bench()
    bus.device(0x69).transfer(b"\x10\x01", 0)
    with pytest.raises(BusError):
        bus.device(0x69).transfer(b"\xd0\x02", 0)
    bus.sleep(1)
    assert read(bus, opened(bus)).values[1] == pytest.approx(9.5)


def test_what_another_program_began_is_begun_anew_and_closing_stops_the_fan() -> None:
    bus, chip = bench()
    opened(bus)
    sensor = opened(bus)
    assert chip._measuring
    sensor.close()
    assert not chip._measuring


def test_a_sensor_that_lost_power_for_a_moment_is_lost_after_half_a_minute() -> None:
    bus, chip = bench()
    sensor = opened(bus)
    read(bus, sensor)
    chip.act("vanish", bus.now_ns)
    chip.act("return", bus.now_ns)
    assert read(bus, sensor, 20).quality == (Quality.STALE,) * 10
    with pytest.raises(BusTimeout, match="SPS30 at 0x69: measured nothing for 31 s"):
        read(bus, sensor, 11)


@pytest.mark.parametrize(
    ("status", "said"), [(1 << 4, "fan is blocked"), (1 << 5, "laser has"), (0x30, "and laser")]
)
def test_a_broken_fan_or_laser_is_a_fault_that_says_so(status: int, said: str) -> None:
    bus, chip = bench()
    sensor = opened(bus)
    chip.status = status
    with pytest.raises(ImpossibleValue, match=f"{said}.*0x000000{status:02x}"):
        read(bus, sensor)


def test_a_failure_that_has_passed_ends_with_the_next_opening() -> None:
    bus, chip = bench()
    opened(bus)
    chip.status = 1 << 4
    assert read(bus, opened(bus)).quality == ()


def test_a_failure_that_lasts_is_told_by_the_next_opening_too() -> None:
    bus, _ = bench(Sps30Spec("s", status=1 << 5))
    with pytest.raises(ImpossibleValue, match="laser has failed"):
        read(bus, opened(bus))


def test_reserved_bits_of_the_status_register_mean_nothing() -> None:
    sample = Sample((1.0,) * 10)
    assert judged(sample, 0xFFFF_FFFF & ~(1 << 4 | 1 << 5 | 1 << 21), "x") is sample


def test_a_fan_at_a_wrong_speed_leaves_what_is_no_number_alone() -> None:
    sample = judged(decode((float("nan"), *[1.0] * 9)), 1 << 21, "x")
    assert sample.quality == (Quality.FAULT, *[Quality.UNCALIBRATED] * 9)


def test_a_sen5x_at_its_address_is_another_device() -> None:
    chip = FakeSensirion({**answers(), b"\xd0\x02": checked(b"SEN54\0\0\0")})
    with pytest.raises(WrongDevice, match="expected product type 00080000, found 'SEN54'"):
        SPS30(chip, SPS30Options(), sleep=lambda _: None)
    assert SPS30.identify(chip, lambda _: None) is None


def test_a_scan_starts_and_stops_nothing() -> None:
    bus, chip = bench()
    opened(bus)
    assert SPS30.identify(bus.device(0x69), bus.sleep)
    assert chip._measuring


def test_has_a_channel_for_each_of_its_ten_numbers() -> None:
    assert len(CHANNELS) == len(decode([0.0] * 10).values)
