"""The SPS30 on its UART: how it is opened, what it says between measurements, when it fails."""

from __future__ import annotations

import pytest

from drivers.sps30_uart import SPS30UART, SPS30UARTOptions
from edgenode.errors import ImpossibleValue, WrongDevice
from edgenode.reading import Quality, SerialLine
from edgenode.virtual.sps30_uart import Sps30UartSpec, VirtualSPS30UART
from tests.support.beds import Bed, Cable
from tests.support.fake_cable import FakeCable
from tests.support.sps30_uart import FakeSPS30, framed, opened


def test_a_measurement_is_given_again_until_the_next_and_stale_when_that_is_late() -> None:
    sensor, part, _ = opened()
    first = sensor.read(0)
    part.answers[0x03] = framed(0x03)
    assert sensor.read(3_000) == first
    assert set(sensor.read(3_001).quality) == {Quality.STALE}


def test_before_the_first_measurement_it_settles() -> None:
    sensor, part, _ = opened()
    part.answers[0x03] = framed(0x03)
    assert set(sensor.read(0).quality) == {Quality.SETTLING}


def test_a_fan_at_another_speed_leaves_numbers_uncalibrated() -> None:
    sensor, part, _ = opened()
    part.answers[0xD2] = framed(0xD2, bytes.fromhex("0020000000"))
    assert set(sensor.read(0).quality) == {Quality.UNCALIBRATED}


def test_a_failed_laser_is_a_fault_in_words() -> None:
    sensor, part, _ = opened()
    part.answers[0xD2] = framed(0xD2, bytes.fromhex("0000002000"))
    with pytest.raises(ImpossibleValue, match="laser has failed"):
        sensor.read(0)


def test_another_product_is_refused_by_name() -> None:
    part = FakeSPS30()
    part.answers[0xD0] = framed(0xD0, b"00090000\0")
    cable = FakeCable(part, line=SerialLine(115_200))
    with pytest.raises(WrongDevice, match="expected product type 00080000, found '00090000'"):
        SPS30UART(cable, SPS30UARTOptions())


def test_one_that_sleeps_is_woken_and_closing_stops_the_fan() -> None:
    bed = Bed()
    instrument = VirtualSPS30UART(Sps30UartSpec("s"), bed.truth, bed.now_ns)
    cable = Cable(bed, instrument, SerialLine(115_200))
    cable.write(b"\x7e\x00\x10\x00\xef\x7e")  # sleep
    assert cable.arrived().hex() == "7e00100000ef7e"
    sensor = SPS30UART(cable, SPS30UARTOptions(), sleep=bed.sleep)
    bed.sleep(1)
    assert None not in sensor.read(bed.now_ms).values
    sensor.close()
    cable.write(b"\x7e\x00\x03\x00\xfc\x7e")
    assert cable.arrived()[3] == 0x43  # it no longer measures
