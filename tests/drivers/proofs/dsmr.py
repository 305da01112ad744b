"""What proves the DSMR driver."""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Literal

from drivers import dsmr
from drivers.dsmr import DSMR, DSMROptions, decode
from edgenode.bus import p1
from edgenode.bus.p1 import Telegrams, Version
from edgenode.virtual.dsmr import DsmrSpec, VirtualDSMR
from tests.drivers.known_dsmr import (
    MUTANTS,
    OF_TELEGRAMS,
    OPTIONS,
    TELEGRAM,
    answers_hold,
    telegrams_hold,
)
from tests.support.beds import Bed, Cable, Wire
from tests.support.plays import Anything
from tests.support.proofs import Agreement, Damage, Mutants, Oracle, Proof

EACH: dict[Literal[3, 4, 5], int] = {5: 120, 4: 60, 3: 60}
READINGS = {3: "GAS_METER_READING", 4: "HOURLY_GAS_METER_READING", 5: "MBUS_METER_READING"}
POWERS = ("CURRENT_ELECTRICITY_USAGE", "CURRENT_ELECTRICITY_DELIVERY")
ENERGIES = tuple(f"ELECTRICITY_{way}_TARIFF_{n}" for way in ("USED", "DELIVERED") for n in (1, 2))


def part(bed: Bed) -> Wire:
    """Play a household."""
    assert DSMR.line
    return Cable(bed, VirtualDSMR(DsmrSpec("s"), bed.truth, bed.now_ns), DSMR.line)


def telegram(version: Literal[3, 4, 5], draw: random.Random) -> bytes:
    """Return the telegram of a meter of any age and load."""
    plays: Any = {
        "power": Anything(-99_999, 99_999),
        "voltage": Anything(0, 299.9),
        "current": Anything(0, 999),
        "energy": Anything(-1, 9),
    }
    spec = DsmrSpec(
        "s",
        version=version,
        import_from=draw.choice([0.0, 999_000.0, draw.uniform(0, 999_000)]),
        export_from=draw.uniform(0, 999_000),
        gas_from=draw.uniform(0, 99_000),
        **plays,
    )
    meter = VirtualDSMR(spec, Bed().truth, 0)
    return meter.telegram(draw.randrange(10**12))


def ours(text: bytes, version: Version) -> tuple[float | None, ...]:
    """Return what our driver makes of a telegram, without the totals that it adds up itself."""
    options = DSMROptions(version=version, phases=3, devices=("gas",))
    said = text if version > 3 else bytes(c | (c.bit_count() & 1) << 7 for c in text)
    cut = Telegrams(version).cut(said)
    return decode(cut[0], options).values[2:] if cut else ()


def theirs(told: Any, version: Version) -> tuple[float | None, ...]:
    """Return what dsmr-parser makes of it, in the order and the units of our channels."""
    values = [float(getattr(told, name).value) for name in ENERGIES]
    values += [1000 * float(getattr(told, name).value) for name in POWERS]
    for n in (1, 2, 3) if version > 3 else ():
        if version == 5:
            values.append(float(getattr(told, f"INSTANTANEOUS_VOLTAGE_L{n}").value))
        values.append(float(getattr(told, f"INSTANTANEOUS_CURRENT_L{n}").value))
        power = f"INSTANTANEOUS_ACTIVE_POWER_L{n}"
        taken, given = (getattr(told, f"{power}_{way}").value for way in ("POSITIVE", "NEGATIVE"))
        values.append(1000 * float(taken - given))
    return (*values, float(getattr(told.MBUS_DEVICES[0], READINGS[version]).value))


def as_dsmr_parser() -> Iterator[Agreement]:
    """Give both the same telegrams of three versions."""
    specifications = import_module("dsmr_parser.telegram_specifications")
    parsers = import_module("dsmr_parser.parsers")
    draw = random.Random(5)
    for version, count in EACH.items():
        parser = parsers.TelegramParser(getattr(specifications, f"V{version}"))
        for _ in range(count):
            text = telegram(version, draw)
            agreed = ours(text, version)
            told = theirs(parser.parse(text.decode("ascii")), version)
            yield Agreement(text, agreed, told, (0.0,) * len(agreed))


def decoded(pieces: list[bytes]) -> list[Any]:
    """Let the pieces arrive one after another."""
    cutter = Telegrams(5)
    return [decode(one, OPTIONS) for piece in pieces for one in cutter.cut(piece)]


PROOFS = (
    Proof(
        driver="dsmr",
        part=part,
        options={"phases": 3, "devices": ["gas"]},
        against=(Oracle("dsmr-parser", "dsmr_parser", as_dsmr_parser),),
        known="TELEGRAM_V5 of dsmr_parser: 4.426 and 2.399 kWh, 0.244 kW; the example of V3.0",
        mutants=(
            Mutants(dsmr, tuple(MUTANTS), answers_hold),
            Mutants(p1, tuple(OF_TELEGRAMS), telegrams_hold),
        ),
        damage=Damage(lambda: TELEGRAM, decoded, pieces=True),
        found="DSMR P1 version 5, maker ISk",
        waits=("clock",),
    ),
)
