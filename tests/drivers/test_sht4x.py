"""The SHT4x driver: known answers of other people's software, and every way to be refused.

`66 66 93 80 00 A2` is 25.00 °C and 56.50 % in Linux's sht4x driver (24998 m°C, 56500 m%), in
Adafruit's and in Sensirion's.
"""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sht4x import SHT4x, SHT4xOptions, decode
from edgenode.errors import BadFrame, BusError, BusStuck, BusTimeout, WrongDevice
from edgenode.reading import Quality
from tests.support.fake_sensirion import FakeSensirion

SERIAL = bytes.fromhex("0fa1d5 2b3cff")
WEATHER = bytes.fromhex("666693 8000a2")
ANSWERS = {b"\x89": SERIAL, b"\xfd": WEATHER, b"\xf6": WEATHER, b"\xe0": WEATHER}


@pytest.fixture
def chip() -> FakeSensirion:
    return FakeSensirion(ANSWERS)


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def sensor(chip: FakeSensirion, naps: list[float]) -> SHT4x:
    return SHT4x(chip, SHT4xOptions(), sleep=naps.append)


def test_reads_what_linux_adafruit_and_sensirion_read(sensor: SHT4x) -> None:
    sample = sensor.read(0)
    assert sample.values == pytest.approx((25.0, 56.501), abs=0.002)
    assert sample.quality == ()


@pytest.mark.parametrize(
    ("ticks", "celsius", "percent"),
    [(0, -45, -6), (0xFFFF, 130, 119), (0x8000, 42.5013, 56.5010)],
)
def test_the_ends_and_the_middle_of_the_scales_are_those_of_the_datasheet(
    ticks: int, celsius: float, percent: float
) -> None:
    assert decode(ticks, 0x8000).values[0] == pytest.approx(celsius, abs=0.0001)
    assert decode(0x8000, ticks).values[1] == pytest.approx(min(max(percent, 0), 100), abs=0.0001)


def test_resets_the_chip_and_asks_who_it_is_before_anything_else(
    sensor: SHT4x, chip: FakeSensirion, naps: list[float]
) -> None:
    assert chip.commands == [b"\x94", b"\x89"]
    assert naps[0] >= 0.001


@pytest.mark.parametrize(
    ("precision", "command", "longest_s"),
    [("high", 0xFD, 0.0083), ("medium", 0xF6, 0.0045), ("low", 0xE0, 0.0016)],
)
def test_measures_with_the_precision_that_was_chosen_and_waits_for_it(
    chip: FakeSensirion, naps: list[float], precision: str, command: int, longest_s: float
) -> None:
    options = msgspec.convert({"precision": precision}, SHT4xOptions)
    sensor = SHT4x(chip, options, sleep=naps.append)
    chip.commands.clear()
    naps.clear()
    sensor.read(0)
    assert chip.commands == [bytes((command,))]
    assert longest_s < naps[0] < longest_s + 0.001


def test_precision_is_high_unless_somebody_says_otherwise() -> None:
    assert SHT4xOptions().precision == "high"


def test_never_sends_a_command_that_heats(chip: FakeSensirion) -> None:
    heating = {0x39, 0x32, 0x2F, 0x24, 0x1E, 0x15}
    for precision in ("high", "medium", "low"):
        sensor = SHT4x(chip, SHT4xOptions(precision=precision), sleep=lambda _: None)
        sensor.read(0)
        sensor.close()
    assert not heating & {command[0] for command in chip.commands}


def test_a_chip_that_is_still_measuring_is_asked_again(
    sensor: SHT4x, chip: FakeSensirion, naps: list[float]
) -> None:
    naps.clear()
    chip.busy = 4
    assert sensor.read(0).values[0] == pytest.approx(25, abs=0.01)
    assert sum(naps) < sensor.budget_s / 2


def test_a_chip_that_never_has_an_answer_is_a_timeout_within_the_budget(
    sensor: SHT4x, chip: FakeSensirion, naps: list[float]
) -> None:
    naps.clear()
    chip.busy = 100
    with pytest.raises(BusTimeout, match=r"0x44: took command 0xfd .*\(fake: no acknowledge\)"):
        sensor.read(0)
    assert sum(naps) < sensor.budget_s / 2


def test_a_chip_that_is_gone_does_not_take_the_command_and_is_not_asked_again(
    sensor: SHT4x, chip: FakeSensirion, naps: list[float]
) -> None:
    naps.clear()
    chip.broken = BusError("fake: no acknowledge")
    with pytest.raises(BusError, match="no acknowledge"):
        sensor.read(0)
    assert naps == []


@pytest.mark.parametrize("fault", [BusTimeout("SCL is held"), BusStuck("the bus is held")])
def test_a_fault_of_the_whole_wire_is_not_tried_again(
    sensor: SHT4x, chip: FakeSensirion, naps: list[float], fault: BusError
) -> None:
    def held(data: bytes, length: int) -> bytes:
        if length:
            raise fault
        return b""

    naps.clear()
    chip.transfer = held  # type: ignore[method-assign]
    with pytest.raises(type(fault), match="held"):
        sensor.read(0)
    assert len(naps) == 1


def test_goes_on_after_a_fault_has_passed(sensor: SHT4x, chip: FakeSensirion) -> None:
    chip.broken = BusError("fake: no acknowledge")
    with pytest.raises(BusError):
        sensor.read(0)
    chip.broken = None
    assert sensor.read(0).values[0] == pytest.approx(25, abs=0.01)


@pytest.mark.parametrize("answer", ["0fa1d4 2b3cff", "ffffff ffffff", "000000 000000"])
def test_something_else_at_the_address_has_no_serial_number(
    chip: FakeSensirion, answer: str
) -> None:
    chip.answers[b"\x89"] = bytes.fromhex(answer)
    with pytest.raises(WrongDevice, match=r"SHT4x at 0x45: .*0x89 should have told what it is"):
        SHT4x(chip, SHT4xOptions(address=0x45), sleep=lambda _: None)


def test_a_part_that_knows_no_serial_number_is_not_an_sht4x(chip: FakeSensirion) -> None:
    del chip.answers[b"\x89"]
    with pytest.raises(BusTimeout, match="0x89"):
        SHT4x(chip, SHT4xOptions(), sleep=lambda _: None)


def test_a_wrong_checksum_is_a_bad_frame_that_names_the_sensor(
    sensor: SHT4x, chip: FakeSensirion
) -> None:
    chip.answers[b"\xfd"] = bytes.fromhex("666693 8000a3")
    with pytest.raises(BadFrame, match=r"SHT4x at 0x44: .* check cable"):
        sensor.read(0)


@pytest.mark.parametrize("bit", range(48))
def test_no_single_flipped_bit_is_ever_a_reading(
    sensor: SHT4x, chip: FakeSensirion, bit: int
) -> None:
    flipped = int.from_bytes(WEATHER, "big") ^ 1 << bit
    chip.answers[b"\xfd"] = flipped.to_bytes(6, "big")
    with pytest.raises(BadFrame):
        sensor.read(0)


@pytest.mark.parametrize("held", [0.0, 100.0])
def test_humidity_beyond_the_scale_is_held_and_says_so(held: float) -> None:
    sample = decode(0x6666, 0xFFFF if held else 0)
    assert sample.values[1] == held
    assert sample.quality == (Quality.OK, Quality.CLAMPED)


@given(raw_t=st.integers(0, 0xFFFF), raw_rh=st.integers(0, 0xFFFF))
def test_whatever_the_words_humidity_lies_on_its_scale_and_only_then_is_clamped(
    raw_t: int, raw_rh: int
) -> None:
    sample = decode(raw_t, raw_rh)
    percent = sample.values[1]
    assert percent is not None
    assert 0 <= percent <= 100
    # In whole numbers: -6 + 125 x / 65535 lies in 0..100.
    inside = 6 * 65535 <= 125 * raw_rh <= 106 * 65535
    assert sample.quality == (() if inside else (Quality.OK, Quality.CLAMPED))


@given(ticks=st.lists(st.integers(0, 0xFFFF), min_size=2, max_size=9).map(sorted))
def test_more_ticks_never_read_colder_or_drier(ticks: list[int]) -> None:
    samples = [decode(tick, tick).values for tick in ticks]
    for less, more in itertools.pairwise(samples):
        assert all(
            a <= b for a, b in zip(less, more, strict=True) if a is not None and b is not None
        )


@given(answer=st.binary(min_size=6, max_size=6))
def test_no_six_bytes_can_crash_a_read(answer: bytes) -> None:
    chip = FakeSensirion({**ANSWERS, b"\xfd": answer})
    sensor = SHT4x(chip, SHT4xOptions(), sleep=lambda _: None)
    try:
        values = sensor.read(0).values
    except BadFrame:
        return
    assert None not in values


@pytest.mark.parametrize("address", [0x43, 0x47, 0x76])
def test_only_the_three_addresses_of_the_part_can_be_configured(address: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"address": address}, SHT4xOptions)
