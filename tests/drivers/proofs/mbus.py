"""What proves the M-Bus driver."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from drivers import mbus
from drivers.mbus import MBus
from edgenode.bus import mbus as frames
from edgenode.bus import mbus_records
from edgenode.bus.mbus_records import FUNCTIONS, Record, parsed
from edgenode.virtual.mbus import MbusSpec, VirtualMBus
from tests.drivers.known_mbus import (
    CAPTURES,
    HEAT,
    MUTANTS,
    OF_FRAMES,
    OF_RECORDS,
    answers_hold,
    captured,
    framed,
    frames_hold,
    records_hold,
    telegram,
)
from tests.support.beds import Bed, Cable, Wire
from tests.support.proofs import Agreement, Captures, Damage, Mutants, Oracle, Proof

COUNT = 260
SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 7: 8}
DIGITS = {9: 1, 0xA: 2, 0xB: 3, 0xC: 4, 0xE: 6}
# Units of theirs in ours; where they say "Reserved", it is by the table of the standard.
UNITS = {
    "Wh": 1e-3, "J": 1 / 3.6e6, "m^3": 1.0, "kg": 1.0, "W": 1.0, "J/h": 1 / 3600,
    "m^3/h": 1.0, "m^3/min": 60.0, "m^3/s": 3600.0, "kg/h": 1.0, "C": 1.0, "K": 1.0,
    "bar": 100.0, "seconds": 1.0, "H.C.A": 1.0, "V": 1.0, "A": 1.0,
}  # fmt: skip
CODES: list[tuple[int, ...]] = [
    *((code,) for code in (*range(0x6C), 0x6E)),
    *((0xFB, code) for code in (0x00, 0x01, 0x10, 0x11, 0x28, 0x29)),
    *((0xFD, code) for code in range(0x40, 0x60)),
]
WORDS = {  # libmbus: unit, and how to bring it into ours
    "Wh": 1e-3, "m^3": 1.0, "W": 1.0, "m^3/h": 1.0, "°C": 1.0, "K": 1.0, "s": 1.0,
    "Units for H.C.A.": 1.0,
}  # fmt: skip
FUNCTION_WORDS = {
    "Instantaneous value": "current",
    "Maximum value": "maximum",
    "Minimum value": "minimum",
    "Value during error state": "error",
}


def part(bed: Bed) -> Wire:
    """Play a heat meter."""
    assert MBus.line
    return Cable(bed, VirtualMBus(MbusSpec("s"), bed.truth, bed.now_ns), MBus.line)


def number(draw: random.Random) -> tuple[int, bytes]:
    """Return a data field and its bytes: integers, packed decimals and floats, edges included."""
    field = draw.choice([*SIZES, *DIGITS, 5])
    if field == 5:
        return field, struct.pack("<f", draw.choice([0.0, -1.5, draw.uniform(-1e6, 1e6)]))
    if field in SIZES:
        most = (1 << 8 * SIZES[field] - 1) - 1
        whole = draw.choice([0, 1, -1, most, -most, draw.randint(-most, most)])
        return field, whole.to_bytes(SIZES[field], "little", signed=True)
    digits = "".join(draw.choice("0123456789") for _ in range(2 * DIGITS[field]))
    sign = draw.choice(["", "", "f"])
    return field, bytes.fromhex(sign + digits[len(sign) :])[::-1]


def record(draw: random.Random, codes: list[tuple[int, ...]] = CODES) -> bytes:
    """Return one record of any quantity, storage, tariff, subunit and function."""
    field, data = number(draw)
    extensions = [draw.randrange(0x80) for _ in range(draw.choice([0, 0, 1, 2, 3]))]
    dif = field | draw.randrange(4) << 4 | draw.randrange(2) << 6
    dib = [dif, *extensions]
    dib[:-1] = [one | 0x80 for one in dib[:-1]]
    return bytes(dib) + bytes(draw.choice(codes)) + data


def theirs(told: Any) -> tuple[float, ...]:
    """Return a record of pyMeterBus in our unit, with all that sets it apart."""
    said = told.interpreted
    factor = UNITS["J/h" if (told.unit, said["type"]) == ("J", "Power") else told.unit]
    places = (said["storage_number"], said.get("tariff", 0), said.get("device", 0))
    return (float(said["value"]) * factor, *map(float, places), float(told.dib.function_type.value))


def ours(one: Record) -> tuple[float | None, ...]:
    """Return our record the same way."""
    function = FUNCTIONS.index(one.function)
    return (one.value, *map(float, (one.storage, one.tariff, one.subunit, function)))


def steps(values: tuple[float | None, ...]) -> tuple[float, ...]:
    """Return what floats of this size may differ by."""
    return tuple(1e-9 * abs(value or 0.0) for value in values)


def as_meterbus() -> Iterator[Agreement]:
    """Give both the same telegrams, of one to five records."""
    library = import_module("meterbus")
    draw = random.Random(13757)
    for _ in range(COUNT):
        body = b"".join(record(draw) for _ in range(draw.randint(1, 5)))
        frame = framed(telegram(body.hex()), draw.randrange(251))
        mine = [
            value for one in parsed(frames.payload(frame, frame[5])).records for value in ours(one)
        ]
        told = [value for one in library.load(frame).records for value in theirs(one)]
        yield Agreement(frame, tuple(mine), tuple(told), steps(tuple(mine)))


def published(name: str) -> list[tuple[float | None, str, int, int, int, str]]:
    """Return what libmbus makes of a capture.

    For each record value, unit, storage, tariff, subunit and function; the value is None where it
    is no number.
    """
    text = (CAPTURES / f"{name}.norm.xml").read_text(encoding="utf-8")
    found = []
    for block in re.findall(r"<DataRecord id=.*?</DataRecord>", text, re.DOTALL):
        told = dict(re.findall(r"<(\w+)>([^<]*)</", block))
        number = re.fullmatch(r"-?[0-9]+\.[0-9]+", told["Value"])
        found.append(
            (
                float(told["Value"]) if number else None,
                told["Unit"],
                int(told["StorageNumber"]),
                int(told.get("Tariff", "0")),
                int(told.get("Device", "0")),
                told["Function"],
            )
        )
    return found


def as_published() -> Iterator[Agreement]:
    """Read what libmbus recorded from nine meters, record by record."""
    for path in sorted(CAPTURES.glob("*.hex")):
        frame = captured(path.stem)
        mine: list[float | None] = []
        told: list[float | None] = []
        records = parsed(frames.payload(frame, frame[5])).records
        for one, (value, unit, *places, function) in zip(
            records, published(path.stem), strict=False
        ):
            assert bool(one.quantity) == (unit in WORDS), (path.stem, one, unit)
            if not one.quantity:
                continue
            mine += ours(one)
            assert value is not None
            told += [value * WORDS[unit], *map(float, places)]
            told.append(float(FUNCTIONS.index(FUNCTION_WORDS[function])))
        yield Agreement(frame, tuple(mine), tuple(told), steps(tuple(mine)))


def decoded(pieces: list[bytes]) -> list[Any]:
    """Read a frame."""
    return [parsed(frames.payload(b"".join(pieces), 2))]


PROOFS = (
    Proof(
        driver="mbus",
        part=part,
        options={},
        against=(
            Oracle("pyMeterBus", "meterbus", as_meterbus),
            Captures("github.com/rscada/libmbus, test/test-frames, BSD 3-Clause", as_published),
        ),
        known="minol_minocal_c2 of libmbus: 3 kWh, 0.073 m3, 20.09 and 19.27 Cel",
        mutants=(
            Mutants(mbus, tuple(MUTANTS), answers_hold),
            Mutants(frames, tuple(OF_FRAMES), frames_hold),
            Mutants(mbus_records, tuple(OF_RECORDS), records_hold),
        ),
        damage=Damage(lambda: HEAT, decoded),
        found="M-Bus meter of EDG, heat",
        every_ms=10_000,
    ),
)
