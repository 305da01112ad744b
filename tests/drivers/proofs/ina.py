"""What proves the INA219 and INA226 drivers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from drivers import ina2xx, ina219, ina226
from drivers.ina219 import INA219, INA219Options
from drivers.ina226 import INA226, INA226Options
from edgenode.virtual.supply import Ina219Spec, Ina226Spec, VirtualINA219, VirtualINA226
from tests.drivers.known_ina import (
    OF_BOTH,
    OF_INA219,
    OF_INA226,
    ina219_holds,
    ina226_holds,
    monitors_hold,
)
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, adafruit
from tests.support.fake_words import FakeWords
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, KernelOracle, Mutants, Oracle, Proof

LAB = "tests/lab/parts.py"  # whose kernel driver is ina2xx
MINUTE_S = 60  # a row of what is played: both drivers measure within it
UNNOTICED = (
    "the chip has no checksum; its configuration is read back behind each result, so a chip that "
    "was reset or replaced and a line that floats are refused, one flipped bit is not"
)


def part_219(bed: Bed) -> Wire:
    """Play a battery and its load."""
    return Address(bed, VirtualINA219(Ina219Spec("s"), bed.truth, bed.now_ns))


def part_226(bed: Bed) -> Wire:
    """Play a battery and its load."""
    return Address(bed, VirtualINA226(Ina226Spec("s"), bed.truth, bed.now_ns))


def as_adafruit() -> Iterator[Agreement]:
    """Let both read the same virtual chip, currents either way and beyond the range.

    The chip computes current and power for Adafruit's, in steps of 0.1 mA and 2 mW; it has no
    room for a power that they would call negative, so sizes are compared.
    """
    plays: Any = {"voltage": Anything(0, 26), "current": Anything(-3.25, 3.25)}
    bed = Bed()
    chip = VirtualINA219(Ina219Spec("s", every_ms=MINUTE_S * 1000, **plays), bed.truth, 0)
    bus = ChipBus({0x40: chip})
    ours = INA219(bus.device(0x40), INA219Options(averages=1), sleep=bus.sleep)
    theirs = adafruit("adafruit_ina219").INA219(bus)
    for _ in range(FRAMES):
        bus.sleep(MINUTE_S)
        volts, amperes, watts = ours.read(0).values
        given = (theirs.bus_voltage, theirs.current / 1000, theirs.power)
        frame = b"".join(bus.device(0x40).read(register, 2) for register in (1, 2))
        assert watts is not None
        yield Agreement(frame, (volts, amperes, abs(watts)), given, (0.0, 1e-4, 2e-3))


def as_pamoja() -> Iterator[Agreement]:
    """Give both the same registers of an INA226, the ends of their ranges among them."""
    from pamoja.sensors import ina226 as theirs  # noqa: PLC0415 - the suite looks when it comes

    rng = random.Random(226)
    milliohm, step_ua = 10, 250
    calibration = theirs.calibration(step_ua, milliohm)
    words = [(0x137F, 0x0A4B), (0x7FFF, 0x7FFF), (0x8000, 1), (0xFFFF, 0), (0, 0x7FFF)]
    words += [(rng.randrange(0x1_0000), rng.randrange(0x8000)) for _ in range(FRAMES)]
    for shunt, bus in words:
        chip = FakeWords({0xFE: 0x5449, 0xFF: 0x2260, 1: shunt, 2: bus, 6: 0x0008})
        sensor = INA226(chip, INA226Options(shunt_ohm=milliohm / 1000), sleep=lambda _: None)
        volts, amperes, watts = sensor.read(0).values
        count = shunt - 0x1_0000 if shunt & 0x8000 else shunt
        current = theirs.current_register_from_shunt(count, calibration)
        power = theirs.power_register_from_current(current, bus)
        given = (
            theirs.bus_microvolts(bus) / 1e6,
            theirs.current_microamps(current, step_ua) / 1e6,
            theirs.power_microwatts(power, step_ua) / 1e6,
        )
        assert watts is not None
        frame = shunt.to_bytes(2, "big") + bus.to_bytes(2, "big")
        yield Agreement(frame, (volts, amperes, abs(watts)), given, (0.0, 250e-6, 6.25e-3 + 0.011))


PROOFS = (
    Proof(
        driver="ina219",
        part=part_219,
        options={},
        against=(
            Oracle("adafruit-circuitpython-ina219", "adafruit_ina219", as_adafruit),
            KernelOracle("ina219", LAB),
        ),
        known="bus 0x1F60 and shunt 0x03E8 are 4.016 V and 10 mV: Linux ina2xx, Adafruit",
        mutants=(
            Mutants(ina219, OF_INA219, ina219_holds),
            Mutants(ina2xx, OF_BOTH, monitors_hold),
        ),
        damage=UNNOTICED,
        found="^INA219, by its configuration$",
        waits=("sleep",),
    ),
    Proof(
        driver="ina226",
        part=part_226,
        options={"shunt_ohm": 0.02},
        against=(
            Oracle("pamoja-sensors", "pamoja.sensors", as_pamoja),
            KernelOracle("ina226", LAB),
        ),
        known="a dump of a real part, 3294 mV, 1248 mA and 4112.5 mW: groeck/module-tests",
        mutants=(
            Mutants(ina226, OF_INA226, ina226_holds),
            Mutants(ina2xx, OF_BOTH, monitors_hold),
        ),
        damage=UNNOTICED,
        found="^INA226$",
        waits=("sleep",),
    ),
)
