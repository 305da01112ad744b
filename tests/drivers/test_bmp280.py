"""The BMP280 driver: the datasheet's example, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bmp280 import BMP280, BMP280Options
from edgenode.errors import BadFrame, BusTimeout, ImpossibleValue, WrongDevice
from edgenode.reading import Quality
from tests.drivers.known_bmp280 import FakeBMP280
from tests.drivers.test_bme280 import results
from tests.support.fake_i2c import FakeI2C


@pytest.fixture
def chip() -> FakeBMP280:
    return FakeBMP280(results()[:6])


def opened(chip: FakeI2C) -> BMP280:
    return BMP280(chip, BMP280Options(), sleep=lambda _: None)


def test_decodes_the_datasheet_example_as_linux_does(chip: FakeBMP280) -> None:
    celsius, pascal = opened(chip).read(0).values
    assert celsius == pytest.approx(25.08, abs=0.005)
    assert pascal == pytest.approx(100653.2539, abs=0.02)


@pytest.mark.parametrize("chip_id", [0x56, 0x57, 0x58])
def test_takes_samples_and_mass_production(chip_id: int) -> None:
    assert opened(FakeBMP280(results()[:6], chip_id=chip_id)).read(0).values[1]


@pytest.mark.parametrize(
    ("chip_id", "words"),
    [
        (0x60, r"is a BME280 \(found id 0x60\); a BMP280 was"),
        (0x61, "BME680 or BME688"),
        (0x55, "found id 0x55"),
    ],
)
def test_refuses_what_shares_its_addresses_by_name(chip_id: int, words: str) -> None:
    with pytest.raises(WrongDevice, match=words):
        opened(FakeBMP280(results()[:6], chip_id=chip_id))


def test_measures_once_when_asked_and_leaves_humidity_alone(chip: FakeBMP280) -> None:
    sensor = opened(chip)
    sensor.read(0)
    assert chip.writes == [(0xE0, b"\xb6"), (0xF4, b"\x25")]


def test_a_chip_that_was_reset_behind_our_back_gives_itself_away(chip: FakeBMP280) -> None:
    sensor = opened(chip)
    chip.read = FakeI2C({0xF7: results()[:6]}).read  # type: ignore[method-assign]
    with pytest.raises(BadFrame, match="register 0xf4 reads 0x00, not 0x24; was it reset"):
        sensor.read(0)


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_a_line_that_floats_is_never_weather(chip: FakeBMP280, byte: int) -> None:
    sensor = opened(chip)
    chip.read = FakeI2C({0: bytes([byte]) * 256}).read  # type: ignore[method-assign]
    with pytest.raises(BadFrame):
        sensor.read(0)


def test_a_skipped_pressure_leaves_the_temperature_good(chip: FakeBMP280) -> None:
    sensor = opened(chip)
    chip.memory[0xF7:0xFD] = results(raw_p=0x80000)[:6]
    sample = sensor.read(0)
    assert sample.values[0] == pytest.approx(25.08, abs=0.005)
    assert sample.values[1] is None
    assert sample.quality == (Quality.OK, Quality.FAULT)


def test_without_a_temperature_there_is_no_sample(chip: FakeBMP280) -> None:
    sensor = opened(chip)
    chip.memory[0xF7:0xFD] = results(raw_t=0x80000)[:6]
    with pytest.raises(ImpossibleValue, match="not measured"):
        sensor.read(0)


def test_a_measurement_that_never_ends_is_a_timeout_within_the_budget(chip: FakeBMP280) -> None:
    naps: list[float] = []
    sensor = BMP280(chip, BMP280Options(address=0x77), sleep=naps.append)
    chip.read = FakeI2C({0xF3: b"\x08\x25"}).read  # type: ignore[method-assign]
    with pytest.raises(BusTimeout, match="BMP280 at 0x77: still measuring"):
        sensor.read(0)
    assert sum(naps) < sensor.budget_s


@given(data=st.binary(min_size=6, max_size=6))
def test_no_six_bytes_can_crash_the_decoder(data: bytes) -> None:
    try:
        sample = opened(FakeBMP280(data)).read(0)
    except ImpossibleValue:
        return
    assert sample.values[0] is not None
