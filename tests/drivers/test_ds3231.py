"""The DS3231 driver: a clock that is looked at, doubted, and never set."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.ds3231 import DS3231, DS3231Options
from edgenode.errors import BadFrame, WrongDevice
from edgenode.reading import Event, EventCode, Quality
from tests.drivers.known_ds3231 import AT, KNOWN, NEVER, NOON, WARM, FakeDS3231, registers
from tests.support.fake_i2c import FakeI2C


def sensor(chip: FakeDS3231, wall: float = NOON) -> DS3231:
    return DS3231(chip, DS3231Options(), wall=lambda: wall)


def test_reads_the_known_registers() -> None:
    assert sensor(FakeDS3231(KNOWN)).read(0).values == (25.25, 0.0, 0.5)


@pytest.mark.parametrize(("clock", "utc"), AT.items())
def test_reads_any_time_of_two_centuries_in_12_hours_and_24(clock: str, utc: float) -> None:
    assert sensor(FakeDS3231(registers(clock)), utc - 3).read(0).values[2] == 3.5


@pytest.mark.parametrize(("warm", "celsius"), WARM.items())
def test_reads_quarters_of_a_degree(warm: str, celsius: float) -> None:
    assert sensor(FakeDS3231(registers(warm=warm))).read(0).values[0] == celsius


@pytest.mark.parametrize("clock", NEVER)
def test_what_is_no_time_is_no_ds3231(clock: str) -> None:
    with pytest.raises(WrongDevice, match="DS3231 at 0x68: what answers is no DS3231"):
        sensor(FakeDS3231(registers(clock)))


def test_a_clock_that_lost_the_time_has_no_difference_and_says_so_once() -> None:
    chip = FakeDS3231(registers(status="88"))
    clock = sensor(chip)
    sample = clock.read(1_000)
    assert sample.values == (25.25, 1.0, None)
    assert sample.quality == (Quality.OK, Quality.OK, Quality.FAULT)
    assert sample.events == (Event(EventCode.STATE_CHANGED, 1, (1, -1)),)
    assert clock.read(2_000).events == ()
    chip.registers = bytes.fromhex(KNOWN)  # somebody has set it
    assert clock.read(61_000).events == (Event(EventCode.STATE_CHANGED, 1, (0, 60_000)),)


def test_a_second_that_ticks_while_it_is_read_is_read_again() -> None:
    one = bytes.fromhex(KNOWN)
    ticking = one + bytes((0x31, *one[1:]))
    assert sensor(FakeDS3231(KNOWN, ticking)).read(0).values[2] == 0.5


def test_registers_that_differ_each_time_are_a_bad_frame() -> None:
    clock = sensor(chip := FakeDS3231(KNOWN))
    chip.ticks = [bytes.fromhex(KNOWN) + bytes(19)] * 3
    with pytest.raises(BadFrame, match="differ; check supply and wiring"):
        clock.read(0)


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_a_line_that_floats_is_no_clock(byte: int) -> None:
    clock = sensor(chip := FakeDS3231(KNOWN))
    chip.registers = bytes((byte,)) * 19
    with pytest.raises(BadFrame):
        clock.read(0)


def test_a_clock_whose_registers_go_on_after_its_time_is_another_part() -> None:
    ds1307 = FakeI2C({0: bytes.fromhex(KNOWN)})  # with memory behind, as DS3232 and DS1307 have
    assert DS3231.identify(ds1307) is None


def test_an_accelerometer_at_its_address_is_another_part() -> None:
    chance = random.Random(6050)
    for _ in range(200):
        mpu6050 = FakeI2C({0x00: chance.randbytes(0x75), 0x75: b"\x68"})
        assert DS3231.identify(mpu6050) is None
    assert DS3231.identify(FakeI2C({0x6B: b"\x40", 0x75: b"\x68"})) is None, "freshly powered"


def test_a_converter_at_its_address_is_not_told_where_to_be_read() -> None:
    mcp3428 = FakeDS3231(KNOWN, *[b"\x01\xf4" + b"\x90" * 36] * 3)  # a voltage, then its setting
    assert DS3231.identify(mcp3428) is None
    assert set(mcp3428.asked) == {b""}


def test_a_scan_says_that_a_clock_lost_the_time() -> None:
    found = DS3231.identify(FakeDS3231(registers(status="88")))
    assert found is not None
    assert found.words == "DS3231, a clock that lost the time"


def test_nothing_is_ever_written() -> None:
    chip = FakeDS3231(registers(status="88"))  # its writing fails the test
    clock = sensor(chip)
    clock.read(0)
    clock.close()
    assert chip.closed == 1


@given(once=st.binary(min_size=19, max_size=19))
def test_no_registers_can_crash_the_decoder(once: bytes) -> None:
    chip = FakeDS3231(once.hex())
    found = DS3231.identify(chip)
    assert found is None or found.words.startswith("DS3231")
