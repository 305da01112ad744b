"""SEN5x and SEN66: how they start, what they say of themselves, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from drivers import sen5x, sen66
from drivers.sen5x import SEN5x, SEN5xOptions
from drivers.sen66 import SEN66, WEEK_MS, SEN66Options
from drivers.sps30 import SPS30, SPS30Options
from edgenode.bus.sensirion import packed
from edgenode.errors import BusError, ImpossibleValue, WrongDevice
from edgenode.reading import Quality, Sample
from edgenode.virtual.sen import CLEAN
from edgenode.virtual.sen5x import Sen5xSpec, VirtualSEN5x
from edgenode.virtual.sen66 import Sen66Spec, VirtualSEN66
from edgenode.virtual.series import Play
from edgenode.virtual.sps30 import Sps30Spec, VirtualSPS30
from tests.drivers.known_sen import (
    READY,
    SERIAL,
    STATUS,
    STATUS_AND_CLEAR,
    UNKNOWN,
    WORDS,
    opened,
    part,
)
from tests.support.beds import Address, Bed
from tests.support.chips import ChipBus
from tests.support.fake_sensirion import FakeSensirion

FAN, LASER, CLEANS = 1 << 4, 1 << 5, 1 << 19
OK, FAULT, STALE = Quality.OK, Quality.FAULT, Quality.STALE
MINUTE_MS = 60_000


def seated() -> tuple[Bed, VirtualSEN5x, SEN5x]:
    bed = Bed()
    chip = VirtualSEN5x(Sen5xSpec("air"), bed.truth, bed.now_ns)
    return bed, chip, SEN5x(Address(bed, chip), SEN5xOptions(), sleep=bed.sleep)


def qualities(sample: Sample) -> set[Quality]:
    return set(sample.quality) or {OK}


def test_has_its_first_values_when_it_is_open() -> None:
    bed, _, sensor = seated()
    sample = sensor.read(bed.now_ms)
    assert None not in sample.values[:7]
    assert sample.quality[7] is Quality.SETTLING, "nitrogen oxides come after 11 s"


def test_a_part_that_has_nothing_yet_is_settling_and_opens_all_the_same() -> None:
    naps: list[float] = []
    chip = part("SEN55", *UNKNOWN)
    chip.answers[READY] = packed(0)
    sensor = SEN5x(chip, SEN5xOptions(), sleep=naps.append)
    assert sum(naps) < 3, "the bus is somebody else's too"
    assert qualities(sensor.read(0)) == {Quality.SETTLING}


def test_goes_on_measuring_when_it_is_closed_so_that_its_gas_sensor_keeps_what_it_learnt() -> None:
    chip = part("SEN55", *WORDS)
    opened(sen5x, chip).close()
    assert not {b"\x01\x04", b"\xd3\x04"} & set(chip.commands)
    bed, virtual, sensor = seated()
    sensor.close()
    again = SEN5x(Address(bed, virtual), SEN5xOptions(), sleep=bed.sleep)
    bed.sleep(11)
    assert again.read(bed.now_ms).quality == (), "no new beginning, so nothing settles anew"


def test_an_error_is_cleared_in_the_part_and_told_for_a_minute() -> None:
    bed, chip, sensor = seated()
    bed.sleep(60)
    chip.flags |= LASER
    assert sensor.read(bed.now_ms).quality == (FAULT,) * 4 + (OK,) * 4
    assert not chip.flags
    bed.sleep(59)
    sample = sensor.read(bed.now_ms)
    assert sample.values[:4] == (None,) * 4
    bed.sleep(1)
    assert sensor.read(bed.now_ms).quality == ()


def test_an_error_that_lasts_is_told_as_long_as_it_does() -> None:
    bed, chip, sensor = seated()
    chip.broken = FAN
    for _ in range(5):
        bed.sleep(100)
        assert qualities(sensor.read(bed.now_ms)) == {FAULT}


def test_a_part_without_errors_is_not_told_to_forget_any() -> None:
    chip = part("SEN55", *WORDS, status=CLEANS)
    opened(sen5x, chip).read(0)
    assert STATUS in chip.commands
    assert STATUS_AND_CLEAR not in chip.commands


def test_while_the_fan_is_blown_free_there_is_nothing_newer() -> None:
    bed, chip, sensor = seated()
    bed.sleep(60)
    before = sensor.read(bed.now_ms)
    Address(bed, chip).transfer(CLEAN.to_bytes(2, "big"), 0)
    bed.sleep(5)
    during = sensor.read(bed.now_ms)
    assert qualities(during) == {STALE}
    assert during.values == before.values
    bed.sleep(6)
    assert qualities(sensor.read(bed.now_ms)) == {OK}


def test_a_part_that_lost_its_power_for_a_moment_is_started_anew() -> None:
    bed, chip, sensor = seated()
    sensor.read(bed.now_ms)
    bed.sleep(60)
    chip.act("vanish", bed.now_ns)
    with pytest.raises(BusError):
        sensor.read(bed.now_ms)
    chip.act("return", bed.now_ns)
    bed.sleep(1)
    with pytest.raises(ImpossibleValue, match="no longer measures"):
        sensor.read(bed.now_ms)
    again = SEN5x(Address(bed, chip), SEN5xOptions(), sleep=bed.sleep)
    assert again.read(bed.now_ms).values[0] is not None


def test_one_value_that_is_unknown_is_a_fault_and_costs_no_other() -> None:
    sensor = opened(sen5x, part("SEN55", *WORDS[:6], 0x7FFF, 15))
    sensor.read(0)
    sample = sensor.read(MINUTE_MS)
    assert sample.quality == (*(OK,) * 6, FAULT, OK)
    assert sample.values[7] == 1.5


def test_what_a_model_lacks_is_missing_though_a_fault_spoils_the_rest() -> None:
    sensor = opened(sen5x, part("SEN50", *WORDS[:4], *UNKNOWN[4:], status=FAN))
    sensor.read(0)
    assert sensor.read(MINUTE_MS).quality == (FAULT,) * 4 + (Quality.MISSING,) * 4


def test_a_model_that_is_named_has_its_own_channels() -> None:
    names = [channel.name for channel in SEN5x.declare(SEN5xOptions(model="SEN50"))]
    assert names == ["pm1", "pm25", "pm4", "pm10"]
    assert SEN5x.declare(SEN5xOptions()) == SEN5x.channels


def test_another_model_than_the_named_one_is_refused_by_its_name() -> None:
    with pytest.raises(WrongDevice, match='write model = "SEN54"'):
        opened(sen5x, part("SEN54", *WORDS), model="SEN55")


@pytest.mark.parametrize("product", ["SEN65", "SEN68", "SEN63C", "SEN6", "SEN660"])
def test_others_of_the_family_are_refused_by_their_name(product: str) -> None:
    with pytest.raises(WrongDevice, match=f"calls itself '{product}'"):
        opened(sen66, part(product, *WORDS, 421))


def test_a_scan_tells_which_model_it_found() -> None:
    found = SEN5x.identify(part("SEN54", *WORDS), lambda _: None)
    assert found is not None
    assert found.words == "SEN54, serial number 0A1B"
    assert found.options == {"model": "SEN54"}


def test_a_name_without_right_checksums_is_no_name() -> None:
    chip = part("SEN55", *WORDS)
    chip.answers[SERIAL] = b"\xff" * 48
    assert SEN5x.identify(chip, lambda _: None) is None
    with pytest.raises(WrongDevice, match="has no name"):
        opened(sen5x, chip)


def test_an_sps30_at_the_same_address_is_no_sen5x_and_is_not_disturbed() -> None:
    bed = Bed()
    chip = VirtualSPS30(Sps30Spec("dust"), bed.truth, bed.now_ns)
    wire = Address(bed, chip)
    dust = SPS30(wire, SPS30Options(), sleep=bed.sleep)
    bed.sleep(2)
    dust.read(bed.now_ms)
    for look in (lambda: SEN5x(wire, SEN5xOptions(), sleep=bed.sleep), lambda: identified(wire)):
        with pytest.raises((BusError, WrongDevice)):
            look()
    bed.sleep(1)
    assert dust.read(bed.now_ms).values[0] is not None


def identified(wire: Any) -> None:
    if SEN5x.identify(wire, lambda _: None) is None:
        raise WrongDevice("nothing of ours")


def test_a_read_takes_two_questions_and_never_more_than_its_budget() -> None:
    bed, _, sensor = seated()
    began_ns = bed.now_ns
    sensor.read(bed.now_ms)
    assert 0.04 <= (bed.now_ns - began_ns) / 1e9 < sensor.budget_s / 2


def test_the_pressure_of_the_place_is_told_to_a_sen66_before_it_measures() -> None:
    chip = part("SEN66", *WORDS, 421)
    opened(sen66, chip, pressure_hpa=905)
    assert chip.commands.index(b"\x67\x20" + packed(905)) < chip.commands.index(b"\x00\x21")


def seated_sen66(**options: Any) -> tuple[Bed, VirtualSEN66, SEN66]:
    bed = Bed()
    chip = VirtualSEN66(Sen66Spec("air"), bed.truth, bed.now_ns)
    return bed, chip, SEN66(Address(bed, chip), SEN66Options(**options), sleep=bed.sleep)


def test_a_sen66_takes_the_pressure_that_another_sensor_measures() -> None:
    bed, chip, sensor = seated_sen66(pressure_hpa=950)
    told = []
    for pascal in (None, 98_712.0, 98_771.0, 98_801.0, None, 20_000.0, 200_000.0):
        sensor.lend("pressure", pascal)
        bed.sleep(1)
        sensor.read(bed.now_ms)
        told.append(chip.pressure_hpa)
    assert told == [950, 987, 987, 988, 988, 700, 1200]


def test_a_sen66_has_its_fan_blown_free_each_week_and_says_what_it_knew() -> None:
    bed, chip, sensor = seated_sen66()
    asked = spied(chip)
    for _ in range(2):
        before = sensor.read(bed.now_ms)
        asked.clear()
        bed.sleep(WEEK_MS / 1000)
        during = []
        for _ in range(13):
            during.append(sensor.read(bed.now_ms))
            bed.sleep(1)
        assert all(sample.values == before.values for sample in during)
        assert {how for sample in during for how in sample.quality} <= {STALE, Quality.SETTLING}
        bed.sleep(2)
        sensor.read(bed.now_ms)
        assert [c for c in asked if c in {0x0104, CLEAN, 0x0021}] == [0x0104, CLEAN, 0x0021]
        bed.sleep(60)
        assert sensor.read(bed.now_ms).quality == ()


def test_a_sen66_that_is_read_each_minute_misses_three_of_them_a_week() -> None:
    bed, _, sensor = seated_sen66()
    sensor.read(bed.now_ms)
    bed.sleep(WEEK_MS / 1000)
    marks = []
    for _ in range(5):
        marks.append(qualities(sensor.read(bed.now_ms)))
        bed.sleep(60)
    assert [OK in mark for mark in marks] == [False, False, False, True, True]


def spied(chip: VirtualSEN66) -> list[int]:
    """Return the commands that the chip is given from now on."""
    commands: list[int] = []
    obey = chip._obey

    def noted(command: int, arguments: list[int], now_ns: int) -> None:
        commands.append(command)
        obey(command, arguments, now_ns)

    chip._obey = noted  # type: ignore[method-assign]
    return commands


def test_carbon_dioxide_is_no_signed_number() -> None:
    sensor = SEN66(part("SEN66", *WORDS, 40_000), SEN66Options(), sleep=lambda _: None)
    assert sensor.read(0).values[8] == 40_000


def test_is_asked_once_more_where_it_is_not_ready() -> None:
    chip = part("SEN55", *WORDS)
    sensor = SEN5x(chip, SEN5xOptions(), sleep=lambda _: None)
    chip.busy = 2
    assert sensor.read(0).values[0] == 5.2


def test_through_smbus2s_messages_it_reads_the_same() -> None:
    spec = Sen5xSpec("air", pm1=Play(offset=5.2), temperature=Play(offset=-3.5))
    bus = ChipBus({0x69: VirtualSEN5x(spec, Bed().truth, 0)})
    values = SEN5x(bus.device(0x69), SEN5xOptions(), sleep=bus.sleep).read(0).values
    assert (values[0], values[5]) == (5.2, -3.5)


def test_a_fake_that_answers_nothing_is_a_bus_error() -> None:
    with pytest.raises(BusError):
        SEN66(FakeSensirion({}), SEN66Options(), sleep=lambda _: None)
