"""What proves the BME680 driver, on both variants of the part."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from math import log10
from typing import Any, Literal
from unittest.mock import patch

from drivers import bme680, bosch, bosch680
from drivers.bme680 import BME680, BME680Options
from edgenode.virtual.bme680 import Bme680Spec, VirtualBME680
from edgenode.virtual.counts680 import EXAMPLE680, Trim680
from tests.drivers.known_bme680 import MUTANTS, OF_THE_TRIM, known_answers_hold, trim_holds
from tests.drivers.known_bosch import OF_THE_COMPENSATION, compensation_holds
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, Sleeper, adafruit
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, Mutants, Oracle, Proof

MINUTE_S = 60  # a row of what is played: both drivers measure within it
MODELS: tuple[Literal["bme680", "bme688"], ...] = ("bme680", "bme688")
# Adafruit's driver takes the low nibbles of H1 and H2 for each other's: here they are the same.
SAME_NIBBLES = EXAMPLE680._replace(h2=0x3EA)


class Decades(Anything):
    """Any value, as many of each decade."""

    def value(self, row: int) -> float:
        return float(10 ** super().value(row))


class Timer(Sleeper):
    """Stands where they have imported `time`."""

    def __init__(self, bus: ChipBus) -> None:
        super().__init__(bus.sleep)
        self.monotonic = lambda: bus.now_ns / 1e9


class Smbus:
    """Our way of reading, as methods of smbus."""

    def __init__(self, bus: ChipBus) -> None:
        self._bus = bus

    def read_byte_data(self, address: int, register: int) -> int:
        return self._bus.device(address).read(register, 1)[0]

    def read_i2c_block_data(self, address: int, register: int, length: int) -> list[int]:
        return list(self._bus.device(address).read(register, length))

    def write_byte_data(self, address: int, register: int, value: int) -> None:
        self._bus.device(address).write(register, bytes((value,)))


def part(bed: Bed) -> Wire:
    """Play the air."""
    return Address(bed, VirtualBME680(Bme680Spec("s"), bed.truth, bed.now_ns))


def chip(model: Literal["bme680", "bme688"], trim: Trim680) -> VirtualBME680:
    """Play any air, up to what both gas formulas can mean."""
    most = 12e6 if model == "bme680" else 100e6
    plays: Any = {
        "temperature": Anything(-40, 85),
        "humidity": Anything(0, 104),
        "pressure": Anything(30_000, 110_000),
        "gas_resistance": Decades(log10(1_500), log10(most)),
    }
    spec = Bme680Spec("air", every_ms=MINUTE_S * 1000, model=model, **plays)
    return VirtualBME680(spec, Bed().truth, 0, trim)


def as_adafruit() -> Iterator[Agreement]:
    """Let both read the same virtual chips; its resistances are whole Ohm."""
    library = adafruit("adafruit_bme680")
    for model in MODELS:
        virtual = chip(model, SAME_NIBBLES)
        bus = ChipBus({0x77: virtual})
        with patch.object(library, "time", Timer(bus)):
            theirs = library.Adafruit_BME680_I2C(bus)
            for _ in range(FRAMES):
                bus.sleep(MINUTE_S)
                ours = BME680(bus.device(0x77), BME680Options(address=0x77), sleep=bus.sleep)
                values = ours.read(0).values
                given = (theirs.temperature, theirs.humidity, theirs.pressure * 100, theirs.gas)
                yield Agreement(frame(virtual), values, given, (0.01, 0.1, 1.0, 10.0))


def as_pimoroni() -> Iterator[Agreement]:
    """Let both read the same virtual chips; its pressure is 4 Pa coarse and left out."""
    library = import_module("bme680")
    for model in MODELS:
        virtual = chip(model, EXAMPLE680)
        bus = ChipBus({0x76: virtual})
        with patch.object(library, "time", Timer(bus)):
            for _ in range(FRAMES):
                bus.sleep(MINUTE_S)
                ours = BME680(bus.device(0x76), BME680Options(), sleep=bus.sleep)
                celsius, percent, _, ohm = ours.read(0).values
                theirs = library.BME680(i2c_device=Smbus(bus))
                theirs.set_gas_heater_profile(320, 30)  # it waits for 0.1 s at most
                assert theirs.get_sensor_data()
                data = theirs.data
                given = (data.temperature, data.humidity, data.gas_resistance)
                yield Agreement(frame(virtual), (celsius, percent, ohm), given, (0.01, 0.1, 10.0))


def frame(virtual: VirtualBME680) -> bytes:
    """Return the registers that were read last."""
    return bytes(virtual._memory[0x1D:0x2E])


PROOFS = (
    Proof(
        driver="bme680",
        part=part,
        options={},
        against=(
            Oracle("adafruit-circuitpython-bme680", "adafruit_bme680", as_adafruit),
            Oracle("bme680", "bme680", as_pimoroni),
        ),
        known="registers of a chip that Pimoroni's bme680 (temperature, humidity, resistance) and "
        "Adafruit's (pressure) make the same of",
        mutants=(
            Mutants(bme680, tuple(MUTANTS), known_answers_hold),
            Mutants(bosch680, tuple(OF_THE_TRIM), trim_holds),
            Mutants(bosch, tuple(OF_THE_COMPENSATION), compensation_holds),
        ),
        damage="the chip has no checksum; its control registers are read with each measurement, so "
        "a chip that was reset or replaced and a line that floats are refused, one bit is not",
        found="^BME680, chip id 0x61$",
        every_ms=300_000,  # the gas plate has settled by the second read
        waits=("sleep",),
    ),
)
