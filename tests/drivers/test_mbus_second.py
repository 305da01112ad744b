"""Records of M-Bus meters beside a second decoder, which also has the rows of large meters.

pyMeterBus has no unit for GJ, t and GJ/h; this one, m-bus-parser, is written in Rust.
"""

from __future__ import annotations

import random
from importlib import import_module
from typing import Any

import pytest

from edgenode.bus.mbus_records import FUNCTIONS, parsed
from tests.drivers.known_mbus import framed, telegram
from tests.drivers.proofs.mbus import CODES, record

COUNT = 500
LARGE = [(0xFB, code) for code in (0x08, 0x09, 0x18, 0x19, 0x30, 0x31)]
UNITS = {
    "W.h": 1e-3, "J": 1 / 3.6e6, "J.h-1": 1 / 3600, "W": 1.0, "m3": 1.0, "m3.h-1": 1.0,
    "m3.min-1": 60.0, "m3.s-1": 3600.0, "kg": 1.0, "t": 1000.0, "kg.h-1": 1.0, "Cel": 1.0,
    "K": 1.0, "bar": 100.0, "V": 1.0, "A": 1.0, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0,
    None: 1.0,
}  # fmt: skip
WORDS = ("Instantaneous value", "Maximum value", "Minimum value", "Value during error state")


@pytest.mark.parametrize(("codes", "count"), [(CODES, COUNT), (LARGE, COUNT // 5)])
def test_a_second_decoder_reads_every_record_alike(
    codes: list[tuple[int, ...]], count: int
) -> None:
    library: Any = import_module("pymbusparser")
    draw = random.Random(2)
    for _ in range(count):
        payload = telegram(record(draw, codes).hex())
        (ours,) = parsed(payload).records
        (theirs,) = library.parse(framed(payload))["records"]
        if theirs["value"]["kind"] != "float":  # it leaves those as they are; libmbus scales them
            value = float(theirs["value"]["value"]) * UNITS[theirs.get("unit")]
            assert ours.value == pytest.approx(value, rel=1e-9), theirs
        places = (theirs["storage_number"], theirs["tariff"], theirs["subunit"])
        assert (ours.storage, ours.tariff, ours.subunit) == places
        assert WORDS[FUNCTIONS.index(ours.function)] == theirs["function"]
