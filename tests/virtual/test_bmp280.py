"""The virtual BMP280: like its successor, but for humidity."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.bmp280 import BMP280, BMP280Options
from edgenode.bus import open_i2c
from edgenode.errors import BusError
from edgenode.virtual import Scenario, parse, send_command
from edgenode.virtual.bmp280 import Bmp280Spec, VirtualBMP280
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth
from tests.support.chips import ChipBus
from tests.support.instruments import logged, street

ROOM = Bmp280Spec("room", temperature=Play(offset=25.0), pressure=Play(offset=100_653.0))


def test_has_no_registers_of_humidity(tmp_path: Path) -> None:
    log = Truth(tmp_path / "truth")
    bus = ChipBus({0x76: VirtualBMP280(ROOM, log, 0)})
    device = bus.device(0x76)
    device.write(0xF2, b"\x01")
    device.write(0xF4, b"\x25")
    bus.sleep(0.0063)
    assert device.read(0xF3, 2) == b"\x08\x25", "still measuring"
    bus.sleep(0.0002)
    assert device.read(0xF2, 3) == b"\x00\x00\x24"
    assert device.read(0xFD, 2) == b"\0\0"
    assert device.read(0xA1, 1) == b"\0"
    log.close()


def test_every_answer_is_in_the_log(tmp_path: Path) -> None:
    log = Truth(tmp_path / "truth")
    bus = ChipBus({0x76: VirtualBMP280(ROOM, log, 0)})
    BMP280(bus.device(0x76), BMP280Options(), bus.sleep).read(0)
    log.close()
    lines = logged(tmp_path / "truth")
    assert [(line["channel"], line["value"], line["fate"]) for line in lines] == [
        ("room/temperature", 25.0, "ok"),
        ("room/pressure", 100_653.0, "ok"),
    ]


def test_is_read_through_sockets_and_misbehaves_on_command(tmp_path: Path) -> None:
    with street(tmp_path, Scenario((ROOM,))) as here:
        sensor = BMP280(open_i2c(here.path("i2c"), 0x76), BMP280Options())
        assert sensor.read(0).values == pytest.approx((25.0, 100_653.0), abs=1.0)
        send_command(here.control, "room", "nack")
        with pytest.raises(BusError):
            sensor.read(0)
        sensor.close()


def test_a_scenario_places_it() -> None:
    text = '[[instrument]]\nkind = "bmp280"\nsensor = "roof"\naddress = 0x77\nchip_id = 0x56\n'
    assert parse(text).instrument == (Bmp280Spec("roof", address=0x77, chip_id=0x56),)
