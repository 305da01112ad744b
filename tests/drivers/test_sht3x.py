"""The SHT3x driver: told apart from an SHT4x, and from what must not be sent a command."""

from __future__ import annotations

import msgspec
import pytest

from drivers.sht3x import SHT3x, SHT3xOptions
from drivers.sht4x import SHT4x
from edgenode.errors import BadFrame, BusError, BusTimeout
from edgenode.virtual.series import Play
from edgenode.virtual.sht3x import Sht3xSpec, VirtualSHT3x
from edgenode.virtual.sht4x import Sht4xSpec, VirtualSHT4x
from tests.drivers.known_sht3x import ANSWERS
from tests.support.beds import Bed
from tests.support.chips import ChipBus
from tests.support.fake_sensirion import FakeSensirion, Stranger

ROOM = Sht3xSpec("room", temperature=Play(offset=25.0), humidity=Play(offset=50.0))


@pytest.fixture
def bus() -> ChipBus:
    bed = Bed()
    return ChipBus(
        {0x44: VirtualSHT3x(ROOM, bed.truth, 0), 0x45: VirtualSHT4x(Sht4xSpec("x"), bed.truth, 0)}
    )


def test_each_of_two_kinds_is_taken_for_itself_only(bus: ChipBus) -> None:
    found = SHT3x.identify(bus.device(0x44), bus.sleep)
    assert found
    assert found.words == "SHT3x, serial number 1a2b3c4d"
    with pytest.raises(BusError):
        SHT4x.identify(bus.device(0x44), bus.sleep)
    with pytest.raises(BusError):
        SHT3x.identify(bus.device(0x45), bus.sleep)
    assert SHT4x.identify(bus.device(0x45), bus.sleep)


def test_an_sht4x_at_its_address_does_not_open(bus: ChipBus) -> None:
    with pytest.raises(BusError):
        SHT3x(bus.device(0x45), SHT3xOptions(address=0x45), bus.sleep)


def test_a_periodic_measurement_of_another_program_is_ended(bus: ChipBus) -> None:
    bus.device(0x44).transfer(b"\x21\x30", 0)
    sensor = SHT3x(bus.device(0x44), SHT3xOptions(), bus.sleep)
    assert sensor.read(0).values == pytest.approx((25, 50), abs=0.01)


def test_is_never_heated() -> None:
    chip = FakeSensirion(ANSWERS)
    for precision in ("high", "medium", "low"):
        sensor = SHT3x(chip, SHT3xOptions(precision=precision), sleep=lambda _: None)
        sensor.read(0)
        sensor.close()
    assert b"\x30\x6d" not in chip.commands


def test_a_chip_that_never_has_an_answer_is_a_timeout_within_the_budget() -> None:
    chip, naps = FakeSensirion(ANSWERS), list[float]()
    sensor = SHT3x(chip, SHT3xOptions(), sleep=naps.append)
    naps.clear()
    chip.busy = 100
    with pytest.raises(BusTimeout, match="SHT3x at 0x44: took command 0x2400"):
        sensor.read(0)
    assert sum(naps) < sensor.budget_s / 2


def test_a_wrong_checksum_is_a_bad_frame_that_names_the_sensor() -> None:
    chip = FakeSensirion({**ANSWERS, b"\x24\x00": bytes.fromhex("666693 8000a3")})
    with pytest.raises(BadFrame, match=r"SHT3x at 0x44: .* check cable"):
        SHT3x(chip, SHT3xOptions(), sleep=lambda _: None).read(0)


@pytest.mark.parametrize("address", [0x43, 0x46])
def test_only_the_two_addresses_of_the_part_can_be_configured(address: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"address": address}, SHT3xOptions)


def test_a_scan_sends_nothing_to_an_ina219_at_its_address() -> None:
    part = Stranger()
    assert SHT3x.identify(part, lambda _: None) is None
    assert part.commands == []
