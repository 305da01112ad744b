"""What proves the drivers of SEN5x and SEN66."""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from unittest.mock import patch

from drivers import sen, sen5x, sen66
from drivers.sen5x import SEN5x, SEN5xOptions
from drivers.sen66 import SEN66, SEN66Options
from edgenode.bus.sensirion import packed
from edgenode.virtual.sen5x import Sen5xSpec, VirtualSEN5x
from edgenode.virtual.sen66 import Sen66Spec, VirtualSEN66
from tests.drivers.known_sen import (
    MUTANTS_OF_BOTH,
    MUTANTS_OF_SEN5X,
    MUTANTS_OF_SEN66,
    READ_SEN5X,
    READ_SEN66,
    WORDS,
    of_both,
    of_sen5x,
    of_sen66,
    opened,
)
from tests.drivers.known_sen import part as fake
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, Sleeper, adafruit
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, Damage, Mutants, Oracle, Proof
from tests.support.sensirion import Transceiver, channel

MINUTE_S = 60  # a row of what is played: both drivers read within it
CLEANED_EVERY = 50  # measurements after which the part is begun anew, and knows nothing at first
EXACT = (0.0,) * 9
PLAYS: Any = {
    **dict.fromkeys(("pm1", "pm25", "pm4", "pm10"), Anything(0, 6553.4)),
    "humidity": Anything(0, 100),
    "temperature": Anything(-40, 85),
    "voc_index": Anything(1, 500),
    "nox_index": Anything(1, 500),
}


def part_of_sen5x(bed: Bed) -> Wire:
    """Play the air."""
    return Address(bed, VirtualSEN5x(Sen5xSpec("s"), bed.truth, bed.now_ns))


def part_of_sen66(bed: Bed) -> Wire:
    """Play the air."""
    return Address(bed, VirtualSEN66(Sen66Spec("s"), bed.truth, bed.now_ns))


def sen5x_as_sensirion() -> Iterator[Agreement]:
    """Let both read the same virtual parts; each of the three models begins anew now and then."""
    library = import_module("sensirion_i2c_sen5x")
    i2c = import_module("sensirion_i2c_driver")
    for product in ("SEN50", "SEN54", "SEN55"):
        bed = Bed()
        spec = Sen5xSpec("air", every_ms=MINUTE_S * 1000, product=product, **PLAYS)
        chip = VirtualSEN5x(spec, bed.truth, 0)
        bus = ChipBus({0x69: chip})
        with patch.object(i2c.connection, "time", Sleeper(bus.sleep)):
            theirs = library.Sen5xI2cDevice(i2c.I2cConnection(Transceiver(bus)))
            assert theirs.get_product_name() == product
            ours = SEN5x(bus.device(0x69), SEN5xOptions(), sleep=bus.sleep)
            for turn in range(FRAMES):
                bus.sleep(MINUTE_S)
                if turn % CLEANED_EVERY == 0:
                    theirs.device_reset()
                    ours = SEN5x(bus.device(0x69), SEN5xOptions(), sleep=bus.sleep)
                values = ours.read(0).values
                found = theirs.read_measured_values()
                yield Agreement(bus.said, values, _known(found), EXACT[:8])
                assert not theirs.read_device_status().value


def _known(found: Any) -> tuple[float | None, ...]:
    values = (
        found.mass_concentration_1p0.physical,
        found.mass_concentration_2p5.physical,
        found.mass_concentration_4p0.physical,
        found.mass_concentration_10p0.physical,
        found.ambient_humidity.percent_rh,
        found.ambient_temperature.degrees_celsius,
        found.voc_index.scaled,
        found.nox_index.scaled,
    )
    return tuple(None if math.isnan(value) else value for value in values)


def sen66_as_sensirion() -> Iterator[Agreement]:
    """Let both read the same virtual part, which begins anew now and then."""
    library = import_module("sensirion_i2c_sen66")
    i2c = import_module("sensirion_i2c_driver")
    bus = _bus_of_sen66(PLAYS)
    with patch.object(i2c.connection, "time", Sleeper(bus.sleep)):
        theirs = library.Sen66Device(channel(bus, 0x6B))
        assert theirs.get_product_name() == "SEN66"
        ours = SEN66(bus.device(0x6B), SEN66Options(), sleep=bus.sleep)
        for turn in range(FRAMES):
            bus.sleep(MINUTE_S)
            if turn % CLEANED_EVERY == 0:
                theirs.device_reset()
                bus.sleep(1)
                ours = SEN66(bus.device(0x6B), SEN66Options(), sleep=bus.sleep)
            values = ours.read(0).values
            raw = theirs.read_measured_values_as_integers()
            found = theirs.read_measured_values()
            unknown = (0xFFFF,) * 4 + (0x7FFF,) * 4 + (0xFFFF,)
            real = tuple(
                None if word == mark else getattr(value, "value", value)
                for word, mark, value in zip(raw, unknown, found, strict=True)
            )
            yield Agreement(bus.said, values, real, EXACT)


def sen66_as_adafruit() -> Iterator[Agreement]:
    """Let both read the same virtual part above 0 °C: Adafruit's driver knows no signed words."""
    library = adafruit("adafruit_sen6x")
    bus = _bus_of_sen66({**PLAYS, "temperature": Anything(0, 85)})
    with patch.object(library, "time", Sleeper(bus.sleep)):
        library.time.monotonic = lambda: bus.now_ns / 1e9
        theirs = library.SEN66(bus)
        theirs.start_measurement()
        bus.sleep(MINUTE_S)
        ours = SEN66(bus.device(0x6B), SEN66Options(), sleep=bus.sleep)
        for _ in range(FRAMES):
            bus.sleep(MINUTE_S)
            values = ours.read(0).values
            found = theirs.all_measurements()
            names = ("pm1_0", "pm2_5", "pm4_0", "pm10", "humidity", "temperature")
            real = (
                *(found[n] for n in names),
                found["voc_index"],
                found["nox_index"],
                found["co2"],
            )
            yield Agreement(bus.said, values, real, EXACT)


def _bus_of_sen66(plays: Any) -> ChipBus:
    plays = {**plays, "co2": Anything(0, 40_000)}
    spec = Sen66Spec("air", every_ms=MINUTE_S * 1000, **plays)
    return ChipBus({0x6B: VirtualSEN66(spec, Bed().truth, 0)})


def damage(module: Any, product: str, command: bytes, *words: int) -> Damage:
    """Read a part that answers so."""

    def decoded(pieces: list[bytes]) -> list[Any]:
        chip = fake(product, *words)
        chip.answers[command] = b"".join(pieces)
        return [opened(module, chip).read(0)]

    return Damage(lambda: packed(*words), decoded)


SCALES = "words 52, 95, 126, 133, 3700, -700, 1000, 15 by the datasheet's scales and Sensirion's"

PROOFS = (
    Proof(
        driver="sen5x",
        part=part_of_sen5x,
        options={},
        against=(Oracle("sensirion-i2c-sen5x", "sensirion_i2c_sen5x", sen5x_as_sensirion),),
        known=SCALES,
        mutants=(
            Mutants(sen5x, MUTANTS_OF_SEN5X, of_sen5x),
            Mutants(sen, MUTANTS_OF_BOTH, of_both),
        ),
        damage=damage(sen5x, "SEN55", READ_SEN5X, *WORDS),
        found="^SEN55, serial number 0F1D2C3B4A596877$",
        every_ms=30_000,
        waits=("sleep",),
    ),
    Proof(
        driver="sen66",
        part=part_of_sen66,
        options={},
        against=(
            Oracle("sensirion-i2c-sen66", "sensirion_i2c_sen66", sen66_as_sensirion),
            Oracle("adafruit-circuitpython-sen6x", "adafruit_sen6x", sen66_as_adafruit),
        ),
        known=SCALES + "; 421 is 421 ppm",
        mutants=(
            Mutants(sen66, MUTANTS_OF_SEN66, of_sen66),
            Mutants(sen, MUTANTS_OF_BOTH, of_both),
        ),
        damage=damage(sen66, "SEN66", READ_SEN66, *WORDS, 421),
        found="^SEN66, serial number 1A2B3C4D5E6F7081$",
        every_ms=30_000,
        waits=("sleep",),
    ),
)
