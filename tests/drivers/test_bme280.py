"""The BME280 driver against a fake chip and against the datasheet's other formulas.

The golden numbers are those of the worked example in Bosch's BMP280 datasheet (§3.12), which
Linux's bmp280 driver turns into 25080 m°C and 100.653253906 kPa.
"""

from __future__ import annotations

import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bme280 import BME280, BME280Options, Calibration, decode
from edgenode.errors import BadFrame, BusError, BusTimeout, ImpossibleValue, WrongDevice
from edgenode.reading import Quality
from tests.support.fake_i2c import FakeBME280, FakeI2C

TRIM_LOW = struct.pack(
    "<Hhh Hhhhhhhhh xB",
    *(27504, 26435, -1000),
    *(36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000),
    75,
)
TRIM_HIGH = struct.pack("<hBbBbb", 360, 5, 20, 0x2D, 3, 30)  # H2..H6 of the order of real chips
CALIBRATION = Calibration.unpack(TRIM_LOW, TRIM_HIGH)


def results(raw_p: int = 415148, raw_t: int = 519888, raw_h: int = 28000) -> bytes:
    """Pack raw counts the way the chip lays them out at 0xF7."""
    return (
        (raw_p << 4).to_bytes(3, "big") + (raw_t << 4).to_bytes(3, "big") + raw_h.to_bytes(2, "big")
    )


@pytest.fixture
def chip() -> FakeBME280:
    return FakeBME280(TRIM_LOW, TRIM_HIGH, results())


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def sensor(chip: FakeBME280, naps: list[float]) -> BME280:
    return BME280(chip, BME280Options(), sleep=naps.append)


def test_decodes_the_datasheet_example_as_linux_does() -> None:
    celsius, _, pascal = decode(results(), CALIBRATION).values
    assert celsius == pytest.approx(25.08, abs=0.005)
    assert pascal == pytest.approx(100653.2539, abs=0.02)


def test_unpacks_the_two_twelve_bit_humidity_factors_that_share_a_byte() -> None:
    assert CALIBRATION.h == (75, 360, 5, 20 << 4 | 0xD, 3 << 4 | 2, 30)


def test_the_twelve_bit_factors_are_signed() -> None:
    high = struct.pack("<hBbBbb", 360, 5, -1, 0x0F, -2, 30)
    assert Calibration.unpack(TRIM_LOW, high).h[3:5] == (-1, -32)


def test_resets_the_chip_before_it_trusts_its_calibration(sensor: BME280, chip: FakeBME280) -> None:
    assert chip.writes == [(0xE0, b"\xb6")]


def test_triggers_one_forced_measurement_then_waits_for_it(
    sensor: BME280, chip: FakeBME280, naps: list[float]
) -> None:
    chip.writes.clear()
    naps.clear()
    sample = sensor.read(0)
    assert chip.writes == [(0xF2, b"\x01"), (0xF4, b"\x25")]
    assert naps == [0.010]
    assert len(sample.values) == len(sensor.channels)
    assert sample.quality == ()


@pytest.mark.parametrize("chip_id", [0x56, 0x57, 0x58])
def test_refuses_the_pin_compatible_bmp280(chip: FakeBME280, chip_id: int) -> None:
    chip.memory[0xD0] = chip_id
    with pytest.raises(WrongDevice, match=r"is a BMP280.*no humidity"):
        BME280(chip, BME280Options(), sleep=lambda _: None)


def test_refuses_any_other_chip_by_naming_what_it_found(chip: FakeBME280) -> None:
    chip.memory[0xD0] = 0x61
    with pytest.raises(WrongDevice, match="found id 0x61"):
        BME280(chip, BME280Options(), sleep=lambda _: None)


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_refuses_a_chip_whose_calibration_did_not_answer(byte: int) -> None:
    blank = FakeI2C({0xD0: b"\x60", 0x88: bytes([byte]) * 26})
    with pytest.raises(BadFrame, match="calibration"):
        BME280(blank, BME280Options(), sleep=lambda _: None)


def test_a_chip_that_never_ends_its_reset_is_a_timeout(chip: FakeBME280) -> None:
    chip.memory[0xF3] = 0x01
    with pytest.raises(BusTimeout, match="0x77"):
        BME280(chip, BME280Options(address=0x77), sleep=lambda _: None)


def test_waits_a_little_longer_for_a_slow_measurement_but_not_for_ever(
    sensor: BME280, chip: FakeBME280, naps: list[float]
) -> None:
    naps.clear()

    def never_done(register: int, length: int) -> bytes:
        return bytes((0x01, 0x08, 0x25, 0x00, 0x00)) + results()

    chip.read = never_done  # type: ignore[method-assign]
    with pytest.raises(BusTimeout, match="still measuring"):
        sensor.read(0)
    assert sum(naps) < sensor.budget_s


def test_a_chip_that_was_reset_behind_our_back_gives_itself_away(
    sensor: BME280, chip: FakeBME280
) -> None:
    powerless = FakeI2C({0xF7: results()})  # power came and went: every control register is at 0
    chip.read = powerless.read  # type: ignore[method-assign]
    with pytest.raises(BadFrame, match="was it reset"):
        sensor.read(0)


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_a_line_that_floats_is_never_weather(sensor: BME280, chip: FakeBME280, byte: int) -> None:
    chip.read = FakeI2C({0: bytes([byte]) * 256}).read  # type: ignore[method-assign]
    with pytest.raises(BadFrame):
        sensor.read(0)


def test_refuses_a_skipped_measurement_instead_of_inventing_weather(
    sensor: BME280, chip: FakeBME280
) -> None:
    chip.memory[0xF7:0xFF] = results(0x80000, 0x80000, 0x8000)
    with pytest.raises(ImpossibleValue, match="not measured"):
        sensor.read(0)


def test_without_a_temperature_nothing_can_be_compensated() -> None:
    with pytest.raises(ImpossibleValue, match="temperature was not measured"):
        decode(results(raw_t=0x80000), CALIBRATION)


def test_a_skipped_pressure_leaves_the_others_good() -> None:
    sample = decode(results(raw_p=0x80000), CALIBRATION)
    assert sample.values[2] is None
    assert sample.quality == (Quality.OK, Quality.OK, Quality.FAULT)


def test_a_skipped_humidity_leaves_the_others_good() -> None:
    sample = decode(results(raw_h=0x8000), CALIBRATION)
    assert sample.values[1] is None
    assert sample.quality == (Quality.OK, Quality.FAULT, Quality.OK)


def test_humidity_beyond_saturation_is_held_and_says_so() -> None:
    sample = decode(results(raw_h=0xFFFF), CALIBRATION)
    assert sample.values[1] == 100
    assert sample.quality[1] is Quality.CLAMPED


def test_a_silent_bus_is_a_bus_error_and_the_driver_goes_on_after_it(
    sensor: BME280, chip: FakeBME280
) -> None:
    chip.broken = "no acknowledge"
    with pytest.raises(BusError):
        sensor.read(0)
    chip.broken = None
    assert sensor.read(0).values[0] == pytest.approx(25.08, abs=0.005)


def test_a_calibration_that_gives_no_pressure_is_refused_not_divided_by() -> None:
    broken = CALIBRATION._replace(p=(0, *CALIBRATION.p[1:]))
    with pytest.raises(ImpossibleValue, match="pressure"):
        decode(results(), broken)


@pytest.mark.parametrize("address", [0x75, 0x78, 0])
def test_only_the_two_addresses_of_the_chip_can_be_configured(address: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"address": address}, BME280Options)


# The datasheet's integer formulas (§4.2.3), written from it alone: an oracle sharing no code.


def integer_fine(raw_t: int) -> int:
    t1, t2, t3 = CALIBRATION.t
    linear = (((raw_t >> 3) - (t1 << 1)) * t2) >> 11
    return linear + ((((((raw_t >> 4) - t1) ** 2) >> 12) * t3) >> 14)


def integer_pressure(raw_p: int, fine: int) -> float:
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = CALIBRATION.p
    v = fine - 128000
    offset = v * v * p6 + ((v * p5) << 17) + (p4 << 35)
    slope = (((1 << 47) + ((v * v * p3) >> 8) + ((v * p2) << 12)) * p1) >> 33
    p = (((1048576 - raw_p) << 31) - offset) * 3125 // slope
    curve = ((p9 * (p >> 13) * (p >> 13)) >> 25) + ((p8 * p) >> 19)
    return (((p + curve) >> 8) + (p7 << 4)) / 256


def integer_humidity(raw_h: int, fine: int) -> float:
    h1, h2, h3, h4, h5, h6 = CALIBRATION.h
    d = fine - 76800
    slope = ((((d * h6 >> 10) * ((d * h3 >> 11) + 32768)) >> 10) + 2097152) * h2 + 8192 >> 14
    v = ((raw_h << 14) - (h4 << 20) - h5 * d + 16384 >> 15) * slope
    v -= ((v >> 15) ** 2 >> 7) * h1 >> 4
    return min(max(v, 0), 419430400) / 4194304


weather_t = st.integers(350_000, 680_000).filter(lambda n: n != 0x80000)


@given(raw_t=weather_t)
def test_temperature_agrees_with_the_integer_formula(raw_t: int) -> None:
    celsius = decode(results(raw_t=raw_t), CALIBRATION).values[0]
    assert celsius == pytest.approx(((integer_fine(raw_t) * 5 + 128) >> 8) / 100, abs=0.01)


@given(raw_p=st.integers(200_000, 700_000), raw_t=weather_t)
def test_pressure_agrees_with_the_integer_formula(raw_p: int, raw_t: int) -> None:
    pascal = decode(results(raw_p=raw_p, raw_t=raw_t), CALIBRATION).values[2]
    if raw_p != 0x80000:
        assert pascal == pytest.approx(integer_pressure(raw_p, integer_fine(raw_t)), abs=1.5)


@given(raw_h=st.integers(0, 0xFFFF), raw_t=weather_t)
def test_humidity_agrees_with_the_integer_formula(raw_h: int, raw_t: int) -> None:
    percent = decode(results(raw_t=raw_t, raw_h=raw_h), CALIBRATION).values[1]
    if raw_h != 0x8000:
        assert percent == pytest.approx(integer_humidity(raw_h, integer_fine(raw_t)), abs=0.02)


@given(low=st.integers(0, 0x7FFFF), high=st.integers(0, 0x7FFFF))
def test_warmer_counts_never_read_colder(low: int, high: int) -> None:
    low, high = sorted((low, high))
    cold, warm = (decode(results(raw_t=t), CALIBRATION).values[0] for t in (low, high))
    assert cold is not None
    assert warm is not None
    assert cold <= warm


@given(data=st.binary(min_size=8, max_size=8))
def test_no_eight_bytes_can_crash_the_decoder(data: bytes) -> None:
    try:
        percent = decode(data, CALIBRATION).values[1]
    except ImpossibleValue:
        return
    assert percent is None or 0 <= percent <= 100
