"""What proves the IEC 62056-21 driver."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from operator import xor
from typing import Any

from drivers import iec62056
from drivers.iec62056 import IEC62056, IEC62056Options, Register, decode
from edgenode.bus import iec62056 as reading
from edgenode.bus.iec62056 import Blocks
from edgenode.bus.parity import with_parity
from edgenode.virtual.iec62056 import Iec62056Spec, VirtualIEC62056
from tests.drivers.known_iec62056 import (
    BLOCKS,
    MUTANTS,
    OF_READING,
    answers_hold,
    reading_holds,
)
from tests.support.beds import Bed, Cable, Wire
from tests.support.proofs import Agreement, Damage, Mutants, Oracle, Proof

COUNT = 220
UNPRINTED = frozenset(b"\r\n")  # checks that the grammar of theirs does not take for one
# By the code as it is printed: the name that theirs gives, digits before and behind the point.
ELECTRICITY = {
    "1-0:1.8.1": ("electricity_used_tariff_1", "kWh", 6, 3),
    "1-0:1.8.2": ("electricity_used_tariff_2", "kWh", 6, 3),
    "1-0:2.8.1": ("electricity_delivered_tariff_1", "kWh", 6, 3),
    "1-0:2.8.2": ("electricity_delivered_tariff_2", "kWh", 6, 3),
    "1-0:1.7.0": ("current_electricity_usage", "kW", 2, 3),
    "1-0:2.7.0": ("current_electricity_delivery", "kW", 2, 3),
    "1-0:32.7.0": ("instantaneous_voltage_l1", "V", 4, 1),
    "1-0:52.7.0": ("instantaneous_voltage_l2", "V", 4, 1),
    "1-0:31.7.0": ("instantaneous_current_l1", "A", 3, 2),
}
HEAT = {"6.8": ("energy_consumed", "MWh", 4, 3), "6.26": ("volume_consumed", "m3", 5, 2)}
FACTORS = {"kWh": 1.0, "kW": 1000.0, "V": 1.0, "A": 1.0, "MWh": 1000.0, "m3": 1.0}


def part(bed: Bed) -> Wire:
    """Play a load."""
    assert IEC62056.line
    spec = Iec62056Spec("s")
    return Cable(bed, VirtualIEC62056(spec, bed.truth, bed.now_ns), IEC62056.line)


def block(codes: dict[str, tuple[str, str, int, int]], draw: random.Random) -> bytes:
    """Return a data block with a value of any size for each code, and its check."""
    lines = []
    for code, (_, unit, before, behind) in codes.items():
        digits = 10 ** (before + behind)
        number = draw.choice([0, digits - 1, draw.randrange(digits), draw.randrange(digits)])
        text = f"{number:0{before + behind}d}"
        lines.append(f"{code}({text[:before]}.{text[before:]}*{unit})")
    draw.shuffle(lines)
    body = ("\r\n".join(lines) + "\r\n!\r\n\x03").encode("ascii")
    return b"\x02" + body + bytes((reduce(xor, body),))


def as_iec62056() -> Iterator[Agreement]:
    """Give both the same readouts, of electricity and of heat meters."""
    parser = import_module("iec62056.parser").Parser()
    draw = random.Random(62056)
    for n in range(COUNT):
        codes = HEAT if n % 4 == 3 else dict(draw.sample(sorted(ELECTRICITY.items()), 2))
        sent = block(codes, draw)
        while sent[-1] in UNPRINTED:
            sent = block(codes, draw)
        options = IEC62056Options(tuple(Register(code.rpartition(":")[2]) for code in codes))
        (text,) = Blocks().cut(with_parity(sent))
        mine = decode(text, options).values
        told = parser.parse("/EDG5MT-" + str(n) + "\r\n" + sent.decode("ascii"))
        theirs = tuple(float(told[name]) * FACTORS[unit] for name, unit, *_ in codes.values())
        yield Agreement(sent, mine, theirs, tuple(1e-9 * (value or 0) for value in mine))


def decoded(pieces: list[bytes]) -> list[Any]:
    """Let the pieces arrive one after another."""
    cutter = Blocks()
    return [text for piece in pieces for text in cutter.cut(piece)]


PROOFS = (
    Proof(
        driver="iec62056",
        part=part,
        options={},
        against=(Oracle("iec62056", "iec62056", as_iec62056),),
        known="the blocks and checks in the tests of pwitab/iec62056-21, such as 3:171.0(0) 03 12",
        mutants=(
            Mutants(iec62056, tuple(MUTANTS), answers_hold),
            Mutants(reading, tuple(OF_READING), reading_holds),
        ),
        damage=Damage(lambda: with_parity(BLOCKS[0][0]), decoded, pieces=True),
        found="IEC 62056-21 meter of EDG",
        every_ms=60_000,
    ),
)
