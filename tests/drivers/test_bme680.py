"""The BME680 driver: two variants, a plate that must be hot, and a chip that must be its own."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bme680 import BME680, BME680Options
from drivers.bosch680 import gas_wait, heating_s
from edgenode.errors import BadFrame, BusTimeout, ImpossibleValue, WrongDevice
from edgenode.reading import Quality
from tests.drivers.known_bme680 import FIELDS, SETTLED_MS, FakeBME680
from tests.support.fake_i2c import FakeI2C

FIELD = FIELDS[0][0][0]
OHM = 3


def opened(chip: FakeI2C, **options: int) -> BME680:
    made = msgspec.convert(options, BME680Options)
    return BME680(chip, made, sleep=lambda _: None)


def test_the_resistance_settles_for_five_minutes_and_the_air_does_not() -> None:
    sensor = opened(FakeBME680(FIELD))
    assert sensor.read(1_000).quality == (*[Quality.OK] * 3, Quality.SETTLING)
    assert sensor.read(1_000 + SETTLED_MS).quality == (Quality.OK,) * 4


def test_a_plate_that_did_not_get_hot_gives_a_resistance_that_settles() -> None:
    sensor = opened(FakeBME680(FIELD.replace("e637", "e627")))
    sensor.read(0)
    sample = sensor.read(SETTLED_MS)
    assert sample.values[OHM] == pytest.approx(48_292, abs=1)
    assert sample.quality[OHM] is Quality.SETTLING


def test_a_resistance_that_was_not_measured_is_a_fault_and_the_air_stays_good() -> None:
    sample = opened(FakeBME680(FIELD.replace("e637", "e617"))).read(0)
    assert sample.values[OHM] is None
    assert sample.quality == (*[Quality.OK] * 3, Quality.FAULT)


def test_the_plate_is_heated_by_what_the_air_was_before() -> None:
    chip = FakeBME680(FIELDS[0][1][0])  # colder than the first read assumes
    sensor = opened(chip, heater_c=400, heater_ms=30)
    sensor.read(0)
    sensor.read(10_000)
    first, second = (data[0] for register, data in chip.writes if register == 0x5A)
    assert second < first


def test_a_read_waits_for_the_longest_heating_and_stays_in_its_budget() -> None:
    naps: list[float] = []
    chip = FakeBME680("00" + FIELD[2:])
    sensor = BME680(chip, BME680Options(heater_ms=1000), sleep=naps.append)
    naps.clear()
    with pytest.raises(BusTimeout, match="BME680 at 0x76: still measuring"):
        sensor.read(0)
    assert naps[0] > 1.0
    assert sum(naps) < sensor.budget_s


@given(ms=st.integers(30, 1000))
def test_the_plate_is_heated_for_as_long_as_asked_or_a_little_longer(ms: int) -> None:
    assert ms <= heating_s(gas_wait(ms)) * 1000 < ms + 16


@pytest.mark.parametrize("wrong", [{"heater_c": 199}, {"heater_ms": 1001}, {"address": 1}])
def test_a_heater_beyond_what_the_plate_bears_is_a_mistake_in_the_file(
    wrong: dict[str, int],
) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, BME680Options)


def test_refuses_a_variant_whose_formula_nobody_published() -> None:
    with pytest.raises(WrongDevice, match="variant 0x02; its gas formula is not known"):
        opened(FakeBME680(FIELD, variant=2))


@pytest.mark.parametrize(("chip_id", "name"), [(0x60, "BME280"), (0x58, "BMP280"), (0x55, "0x55")])
def test_refuses_what_shares_its_addresses_by_name(chip_id: int, name: str) -> None:
    with pytest.raises(WrongDevice, match=name):
        opened(FakeBME680(FIELD, chip_id=chip_id))


def test_a_chip_that_was_reset_behind_our_back_gives_itself_away() -> None:
    chip = FakeBME680(FIELD)
    sensor = opened(chip)
    chip.read = FakeI2C({0x1D: bytes.fromhex(FIELD)}).read  # type: ignore[method-assign]
    with pytest.raises(BadFrame, match="was it reset"):
        sensor.read(0)


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_a_line_that_floats_is_never_air(byte: int) -> None:
    chip = FakeBME680(FIELD)
    sensor = opened(chip)
    chip.read = FakeI2C({0: bytes([byte]) * 256}).read  # type: ignore[method-assign]
    with pytest.raises(BadFrame):
        sensor.read(0)


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_a_calibration_that_did_not_answer_is_refused(byte: int) -> None:
    chip = FakeBME680(FIELD)
    chip.memory[0x8A:0xA1] = bytes([byte]) * 23
    with pytest.raises(BadFrame, match="calibration"):
        opened(chip)


def test_marks_of_what_was_skipped_are_no_values() -> None:
    chip = FakeBME680(FIELD.replace("50e850", "800000").replace("5348", "8000"))
    sample = opened(chip).read(0)
    assert sample.values[1:3] == (None, None)
    assert sample.quality[:3] == (Quality.OK, Quality.FAULT, Quality.FAULT)
    with pytest.raises(ImpossibleValue, match="temperature was not measured"):
        opened(FakeBME680(FIELD.replace("76f580", "800000"))).read(0)


@given(field=st.binary(min_size=17, max_size=17), variant=st.sampled_from([0, 1]))
def test_no_registers_can_crash_the_decoder(field: bytes, variant: int) -> None:
    sensor = opened(FakeBME680((b"\x80" + field[1:]).hex(), variant))
    try:
        _, percent, _, ohm = sensor.read(0).values
    except ImpossibleValue:
        return
    low, high = sensor.channels[OHM].low, sensor.channels[OHM].high
    assert low is not None
    assert high is not None
    assert percent is None or 0 <= percent <= 100
    assert ohm is None or low <= ohm <= high
