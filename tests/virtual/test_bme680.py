"""The virtual BME680: what it heats, how long it takes, and that it plays what it logs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bme680 import BME680, BME680Options
from drivers.bosch680 import heater
from edgenode.bus import open_i2c
from edgenode.errors import BusError
from edgenode.virtual import Scenario, parse, send_command
from edgenode.virtual.bme680 import Bme680Spec, VirtualBME680
from edgenode.virtual.counts680 import EXAMPLE680, plate_celsius
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth
from tests.support.beds import Bed
from tests.support.chips import ChipBus
from tests.support.instruments import logged, street

AIR: dict[str, Any] = {
    "temperature": Play(offset=21.5),
    "humidity": Play(offset=43.2),
    "pressure": Play(offset=99_712.0),
    "gas_resistance": Play(offset=48_300.0),
}
PLAYED = (21.5, 43.2, 99_712.0, 48_300.0)


class Bench:
    """One chip on a bus, and its log."""

    def __init__(self, directory: Path, model: Literal["bme680", "bme688"] = "bme680") -> None:
        self.path = directory / "truth"
        self.log = Truth(self.path)
        self.bus = ChipBus({0x76: VirtualBME680(Bme680Spec("x", model=model, **AIR), self.log, 0)})
        self.device = self.bus.device(0x76)

    def forced(self, heating: int, run_gas: int) -> None:
        for register, value in ((0x64, heating), (0x71, run_gas), (0x72, 1), (0x74, 0x25)):
            self.device.write(register, bytes((value,)))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.log.close()


@pytest.mark.parametrize("model", ["bme680", "bme688"])
def test_a_driver_reads_what_is_played(model: Literal["bme680", "bme688"], tmp_path: Path) -> None:
    bench = Bench(tmp_path, model)
    values = BME680(bench.device, BME680Options(), bench.bus.sleep).read(0).values
    for value, played, step in zip(values, PLAYED, (0.01, 0.1, 1.0, 48.3), strict=True):
        assert value == pytest.approx(played, abs=step)
    bench.log.close()
    lines = logged(bench.path)
    assert [line["value"] for line in lines] == list(PLAYED)


def test_results_are_not_there_before_the_plate_was_heated(bench: Bench) -> None:
    bench.forced(0x66, 0x10)
    bench.bus.sleep(0.162)
    assert bench.device.read(0x1D, 1) == b"\x20"
    bench.bus.sleep(0.001)
    assert bench.device.read(0x1D, 1) == b"\x80"
    assert bench.device.read(0x74, 1) == b"\x24"


def test_a_gas_conversion_that_the_other_variant_knows_is_none(bench: Bench) -> None:
    bench.forced(0x66, 0x20)
    bench.bus.sleep(0.02)
    assert bench.device.read(0x1D, 17)[13:] == bytes(4)


def test_a_plate_that_was_hardly_heated_is_not_stable(bench: Bench) -> None:
    bench.device.write(0x5A, b"\x74")
    for heating, stable in ((0x13, False), (0x14, True)):
        bench.forced(heating, 0x10)
        bench.bus.sleep(0.05)
        assert bool(bench.device.read(0x2B, 1)[0] & 0x10) is stable


@given(celsius=st.integers(200, 400))
def test_the_plate_is_as_hot_as_the_driver_means(celsius: int) -> None:
    bus = ChipBus({0x76: VirtualBME680(Bme680Spec("x"), Bed().truth, 0)})
    sensor = BME680(bus.device(0x76), BME680Options(), bus.sleep)
    setting = heater(celsius, 25.0, sensor._trim)
    assert plate_celsius(setting, 25.0, EXAMPLE680) == pytest.approx(celsius - 2, abs=2.1)


def test_is_read_through_sockets_and_misbehaves_on_command(tmp_path: Path) -> None:
    spec = Bme680Spec("room", **AIR)
    with street(tmp_path, Scenario((spec,))) as here:
        options = BME680Options(heater_ms=30)
        sensor = BME680(open_i2c(here.path("i2c"), 0x76), options)
        assert sensor.read(0).values[0] == pytest.approx(21.5, abs=0.01)
        send_command(here.control, "room", "nack")
        with pytest.raises(BusError):
            sensor.read(0)
        sensor.close()


def test_a_scenario_places_it() -> None:
    text = '[[instrument]]\nkind = "bme680"\nsensor = "roof"\naddress = 0x77\nmodel = "bme688"\n'
    assert parse(text).instrument == (Bme680Spec("roof", address=0x77, model="bme688"),)
