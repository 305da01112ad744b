"""SGP40 and SGP41: measured each second, an index that survives, a cell that comes to no harm."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from sensirion_gas_index_algorithm.voc_algorithm import VocAlgorithm

from drivers.sgp4x import FAILURES_MOST, SGP40, SGP41, SGP4xOptions
from edgenode.bus.sensirion import packed
from edgenode.errors import BusError, BusStuck, DriverError, WrongDevice
from edgenode.reading import Quality
from edgenode.virtual.sgp4x import Sgp4xSpec, VirtualSGP4x
from tests.drivers import known_sgp4x as known
from tests.drivers.known_sgp4x import BEEF, HEATER_OFF, MEASURE_40, ONE, Seat
from tests.support.beds import Address, Bed, play
from tests.support.fake_sensirion import FakeSensirion

HARM_NS = 10_000_000_000
MINUTE_MS = 60_000


def seated(model: Any, driver: Any, **plays: Any) -> tuple[Bed, VirtualSGP4x, Address, Any]:
    bed = Bed()
    chip = VirtualSGP4x(Sgp4xSpec("gas", model=model, **plays), bed.truth, bed.now_ns)
    wire = Address(bed, chip)
    return bed, chip, wire, driver(wire, SGP4xOptions(), sleep=bed.sleep, clock=bed.clock)


def test_is_measured_each_second_however_seldom_it_is_read() -> None:
    bed, _, wire, sensor = seated("sgp40", SGP40)
    assert [play(bed, wire, sensor, ms).feeds for ms in (MINUTE_MS, 3_000)] == [60, 3]


def test_the_index_is_sensirions_own_of_the_ticks_of_each_second() -> None:
    seat = Seat(sys.modules["drivers.sgp4x"], FakeSensirion(ONE), "SGP40")
    engine = VocAlgorithm()
    engine.process(0xBEEF)
    for n in range(300):
        ticks = 29_000 + n * 37 % 1_900
        seat.chip.answers[MEASURE_40] = packed(ticks)
        assert seat.after(1).values == (ticks, engine.process(ticks) or None)


def test_has_ticks_at_once_and_no_index_before_there_is_one() -> None:
    bed, _, wire, sensor = seated("sgp40", SGP40)
    first = sensor.read(bed.now_ms)
    assert first.values[0] is not None
    assert (first.values[1], first.quality[1]) == (None, Quality.SETTLING)
    assert play(bed, wire, sensor, MINUTE_MS).sample.quality == ()


def test_the_cell_is_conditioned_for_some_seconds_and_never_for_ten() -> None:
    bed, chip, wire, sensor = seated("sgp41", SGP41)
    play(bed, wire, sensor, MINUTE_MS)
    assert HARM_NS / 2 < chip.conditioned_ns < HARM_NS


def test_the_cell_comes_to_no_harm_while_another_part_holds_the_bus_for_two_seconds() -> None:
    bed, chip, wire, sensor = seated("sgp41", SGP41)
    play(bed, wire, sensor, 6_900)
    bed.sleep(2)
    play(bed, wire, sensor, MINUTE_MS)
    assert chip.conditioned_ns < HARM_NS


def test_opening_again_and_again_begins_with_the_heater_off() -> None:
    bed, chip, wire, sensor = seated("sgp41", SGP41)
    for _ in range(4):
        play(bed, wire, sensor, 5_000)
        sensor = SGP41(wire, SGP4xOptions(), sleep=bed.sleep, clock=bed.clock)
    assert chip.conditioned_ns < HARM_NS


def test_one_bad_second_costs_its_own_measurement_and_not_the_index() -> None:
    seat = Seat(sys.modules["drivers.sgp4x"], FakeSensirion(ONE), "SGP40")
    before = seat.after(200)
    seat.chip.answers[MEASURE_40] = BEEF[:2] + b"\0"
    during = seat.after(1)
    assert during.values == before.values
    assert seat.after(2).quality == (Quality.STALE, Quality.STALE)
    seat.chip.answers[MEASURE_40] = BEEF
    assert seat.after(1).quality == ()


def test_a_part_that_answers_no_more_is_given_up_after_five_seconds() -> None:
    seat = Seat(sys.modules["drivers.sgp4x"], FakeSensirion(ONE), "SGP40")
    seat.chip.broken = BusError("fake: unplugged")
    seat.after(FAILURES_MOST - 1)
    with pytest.raises(BusError, match="unplugged"):
        seat.sensor.feed(0)


def test_a_bus_that_is_held_is_told_at_once() -> None:
    seat = Seat(sys.modules["drivers.sgp4x"], FakeSensirion(ONE), "SGP40")
    seat.chip.broken = BusStuck("fake: SDA is low")
    with pytest.raises(BusStuck):
        seat.sensor.feed(0)


def test_without_sensirions_package_the_error_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sensirion_gas_index_algorithm.voc_algorithm", None)
    with pytest.raises(DriverError, match=r"pip install 'edgenode\[gas\]', or write index = false"):
        SGP40(FakeSensirion(ONE), SGP4xOptions(), sleep=lambda _: None)
    raw = SGP40(FakeSensirion(ONE), SGP4xOptions(index=False), sleep=lambda _: None)
    assert raw.read(0).values == (0xBEEF,)
    assert [channel.name for channel in raw.measures()] == ["sraw_voc"]


def test_measures_with_the_climate_of_the_file() -> None:
    command = b"\x26\x0f" + packed(52428, 15916)  # 80 %RH, -2.5 °C
    chip = FakeSensirion({**ONE, command: BEEF})
    options = SGP4xOptions(humidity_percent=80, temperature_c=-2.5)
    assert SGP40(chip, options, sleep=lambda _: None).read(0).values[0] == 0xBEEF


def test_is_compensated_by_the_climate_that_others_measure_and_by_the_files_without() -> None:
    bed, chip, wire, sensor = seated("sgp41", SGP41)
    taken = []
    for humidity, celsius in ((80.0, -2.5), (None, None), (130.0, -60.0)):
        sensor.lend("humidity", humidity)
        sensor.lend("temperature", celsius)
        play(bed, wire, sensor, 1_000)
        taken.append(chip.climate)
    assert taken == [(52428, 15916), (0x8000, 0x6666), (0xFFFF, 0)]


def test_closing_turns_the_heater_off_even_on_a_wire_that_fails() -> None:
    chip = FakeSensirion(ONE)
    sensor = SGP40(chip, SGP4xOptions(), sleep=lambda _: None)
    sensor.close()
    assert chip.commands[-1] == HEATER_OFF
    chip.broken = BusError("fake: unplugged")
    sensor.close()
    assert chip.closed == 2


def test_each_says_which_driver_the_other_needs() -> None:
    with pytest.raises(WrongDevice, match='write driver = "sgp41"'):
        SGP40(FakeSensirion(known.TWO), SGP4xOptions(), sleep=lambda _: None)
    with pytest.raises(WrongDevice, match='write driver = "sgp40"'):
        SGP41(FakeSensirion(ONE), SGP4xOptions(), sleep=lambda _: None)


def test_what_has_no_feature_set_is_the_wrong_device() -> None:
    chip = FakeSensirion({**ONE, known.FEATURES: b"\xff\xff\xff"})
    with pytest.raises(WrongDevice, match="wrong checksum"):
        SGP40(chip, SGP4xOptions(), sleep=lambda _: None)
    assert SGP40.identify(chip, lambda _: None) is None


def test_a_scan_neither_heats_nor_tests_nor_measures() -> None:
    chip = FakeSensirion(ONE)
    assert SGP40.identify(chip, lambda _: None)
    assert chip.commands == [known.FEATURES, known.SERIAL]
