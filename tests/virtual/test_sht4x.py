"""The virtual SHT4x: commands and refusals as the datasheet has them, and true to its log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.sht4x import SHT4x, SHT4xOptions
from edgenode.bus import open_i2c
from edgenode.errors import BadFrame, BusError, BusTimeout, DriverError, WrongDevice
from edgenode.virtual import Scenario, parse, send_command
from edgenode.virtual.bme280 import Bme280Spec, VirtualBME280
from edgenode.virtual.series import Play
from edgenode.virtual.sht4x import Sht4xSpec, VirtualSHT4x
from edgenode.virtual.truth import Truth
from tests.support.chips import ChipBus
from tests.support.instruments import logged, street

MS = 0.001
ROOM = Sht4xSpec("room", temperature=Play(offset=25.0), humidity=Play(offset=56.5))


class Bench:
    """One chip on a bus, and its log."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "truth"
        self.log = Truth(self.path)
        self.chip = VirtualSHT4x(ROOM, self.log, 0)
        self.bus = ChipBus({0x44: self.chip})
        self.device = self.bus.device(0x44)

    def command(self, byte: int) -> None:
        self.device.transfer(bytes((byte,)), 0)

    def answer(self) -> str:
        return self.device.transfer(b"", 6).hex(" ")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.log.close()


def test_answers_weather_as_the_known_bytes(bench: Bench) -> None:
    bench.command(0xFD)
    bench.bus.sleep(8.4 * MS)
    assert bench.answer() == "66 66 93 80 00 a2"


@pytest.mark.parametrize(("command", "ms"), [(0xFD, 8.3), (0xF6, 4.5), (0xE0, 1.6)])
def test_is_not_to_be_spoken_to_while_it_measures(bench: Bench, command: int, ms: float) -> None:
    bench.command(command)
    bench.bus.sleep((ms - 0.1) * MS)
    with pytest.raises(BusError, match="no acknowledge"):
        bench.answer()
    with pytest.raises(BusError, match="no acknowledge"):
        bench.command(0x89)
    bench.bus.sleep(0.2 * MS)
    assert bench.answer()


def test_gives_an_answer_once(bench: Bench) -> None:
    bench.command(0x89)
    assert bench.answer() == "0f a1 d5 2b 3c ff"
    with pytest.raises(BusError, match="no acknowledge"):
        bench.answer()


def test_a_reset_takes_a_millisecond_and_forgets_the_answer(bench: Bench) -> None:
    bench.command(0x89)
    bench.command(0x94)
    with pytest.raises(BusError):
        bench.command(0xFD)
    bench.bus.sleep(1.1 * MS)
    with pytest.raises(BusError):
        bench.answer()
    bench.command(0xFD)


@pytest.mark.parametrize("command", [0x39, 0x15, 0x00])
def test_does_not_acknowledge_what_it_does_not_know(bench: Bench, command: int) -> None:
    with pytest.raises(BusError, match="no acknowledge"):
        bench.command(command)


def test_weather_beyond_the_scale_ends_where_its_words_end(tmp_path: Path) -> None:
    log = Truth(tmp_path / "truth")
    spec = Sht4xSpec("x", temperature=Play(offset=500), humidity=Play(offset=-50))
    bus = ChipBus({0x44: VirtualSHT4x(spec, log, 0)})
    assert SHT4x(bus.device(0x44), SHT4xOptions(), bus.sleep).read(0).values == (130, 0)
    log.close()


def test_every_answer_is_in_the_log(bench: Bench) -> None:
    sensor = SHT4x(bench.device, SHT4xOptions(), bench.bus.sleep)
    sensor.read(0)
    sensor.read(0)
    assert [(line["channel"], line["n"], line["value"]) for line in logged(bench.path)] == [
        ("room/temperature", 1, 25.0),
        ("room/humidity", 1, 56.5),
        ("room/temperature", 2, 25.0),
        ("room/humidity", 2, 56.5),
    ]
    assert {line["fate"] for line in logged(bench.path)} == {"ok"}
    assert logged(bench.path)[-1]["t"] == bench.bus.now_ns // 1_000_000


@pytest.mark.parametrize(
    ("action", "error", "fate"),
    [
        ("nack", BusError, "nack"),
        ("hang", BusTimeout, "hang"),
        ("garbage", BadFrame, "garbage"),
        ("vanish", BusError, "nack"),
    ],
)
def test_misbehaviour_is_an_error_in_the_log_and_ends_with_return(
    bench: Bench, action: Any, error: type[DriverError], fate: str
) -> None:
    sensor = SHT4x(bench.device, SHT4xOptions(), bench.bus.sleep)
    bench.chip.act(action, bench.bus.now_ns)
    with pytest.raises(error):
        sensor.read(0)
    assert logged(bench.path)[-1]["fate"] == fate
    bench.chip.act("return", bench.bus.now_ns)
    bench.bus.sleep(2 * MS)  # what vanished comes back freshly powered
    again = SHT4x(bench.device, SHT4xOptions(), bench.bus.sleep)
    assert again.read(0).values == pytest.approx((25, 56.5), abs=0.01)


def test_a_bme280_at_its_address_is_the_wrong_device(tmp_path: Path) -> None:
    log = Truth(tmp_path / "truth")
    bus = ChipBus({0x44: VirtualBME280(Bme280Spec("x"), log, 0)})
    with pytest.raises(WrongDevice):
        SHT4x(bus.device(0x44), SHT4xOptions(), bus.sleep)
    log.close()


def test_is_read_through_sockets_and_smbus2s_messages(tmp_path: Path) -> None:
    with street(tmp_path, Scenario((ROOM,))) as here:
        sensor = SHT4x(open_i2c(here.path("i2c"), 0x44), SHT4xOptions())
        assert sensor.read(0).values == pytest.approx((25, 56.5), abs=0.01)
        send_command(here.control, "room", "nack")
        with pytest.raises(BusError):
            sensor.read(0)
        sensor.close()


def test_a_scenario_places_it(tmp_path: Path) -> None:
    text = '[[instrument]]\nkind = "sht4x"\nsensor = "roof"\naddress = 0x46\n'
    assert parse(text).instrument == (Sht4xSpec("roof", address=0x46),)
