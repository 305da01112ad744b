"""Known answers of the generic Modbus driver, and changes that must not give them.

01 04 04 43 66 33 33 5A FA is 230.2 V (pymodbus, minimalmodbus); a PZEM has 1.000 A as 03E8 0000.
"""

from __future__ import annotations

import struct
from types import ModuleType
from typing import Any

import msgspec

from edgenode.errors import EdgenodeError
from edgenode.reading import Kind, Quality
from tests.support.fake_cable import FakeCable
from tests.support.peer_modbus import PymodbusSlave

ROWS: tuple[dict[str, Any], ...] = (
    {"name": "voltage", "register": 0, "unit": "V", "type": "f32", "decimals": 1, "low": 0,
     "high": 300},
    {"name": "current", "register": 2, "unit": "A", "type": "u32", "low_word_first": True,
     "factor": 0.001, "decimals": 3},
    {"name": "temperature", "register": 4, "unit": "Cel", "type": "s16", "factor": 0.1,
     "offset": -40, "decimals": 1, "invalid": 0x8000},
    {"name": "volume", "register": 5, "unit": "m3", "type": "u64", "total": True},
    {"name": "level", "register": 9, "unit": "m", "type": "s32", "table": "holding"},
    {"name": "wind", "register": 11, "unit": "m/s", "type": "f64"},
)  # fmt: skip
REGISTERS = (0x4366, 0x3333, 0x03E8, 0x0001, 0xFFFE, 0, 0, 1, 2, 0xFFFF, 0xFFFE)
WIND = struct.unpack(">4H", struct.pack(">d", 3.25))

MUTANTS = (
    ('"f32": ">f"', '"f32": "<f"'),
    ('"s16": ">h"', '"s16": ">H"'),
    ('"s32": ">i"', '"s32": ">I"'),
    ('"u64": ">Q"', '"u64": "<Q"'),
    ('"f64": ">d"', '"f64": "<d"'),
    ("if self.low_word_first:", "if not self.low_word_first:"),
    ("raw * self.factor + self.offset", "(raw + self.offset) * self.factor"),
    ("raw * self.factor + self.offset", "raw * self.factor - self.offset"),
    ("== self.invalid:", "!= self.invalid:"),
    ("return None, Quality.FAULT", "return None, Quality.MISSING"),
    ("if math.isfinite(value)", "if True"),
    ("            -self.decimals,", "            self.decimals,"),
    ("if self.total", "if not self.total"),
    ("row.end - last.first <= most", "row.end - last.first <= most + 1"),
    ("row.end - last.first <= most", "row.end - last.first < most"),
    ("last.table == row.table and", "last.table != row.table and"),
    ('if table == "holding":', 'if table != "holding":'),
    ("at = 2 * (row.register - span.first)", "at = row.register - span.first"),
    ("if held != wanted.value:", "if held == wanted.value:"),
    ("REQUESTS_MOST: Final = 4", "REQUESTS_MOST: Final = 9"),
    ('one_name_each([row.name for row in self.registers], "registers")', "pass"),
)


def options_of(module: ModuleType, *rows: dict[str, Any], **others: Any) -> Any:
    """Return options as a file would give them."""
    return msgspec.convert({"registers": list(rows), **others}, module.ModbusOptions)


def read(module: ModuleType, registers: tuple[int, ...], options: Any) -> Any:
    """Return names with values and qualities, and the requests that were made."""
    slave = Asked(registers)
    sensor = module.Modbus(FakeCable(slave), options)
    slave.asked.clear()
    sample = sensor.read(0)
    quality = sample.quality or (Quality.OK,) * len(sample.values)
    rows = zip(sensor.measures(), sample.values, quality, strict=True)
    told = {c.name: (value, int(how), c.scale, int(c.kind)) for c, value, how in rows}
    return told, slave.asked


class Asked(PymodbusSlave):
    """Remembers function, first register and count of each request."""

    def __init__(self, registers: tuple[int, ...]) -> None:
        super().__init__(registers)
        self.asked: list[tuple[int, int, int]] = []

    def __call__(self, frame: bytes) -> bytes:
        self.asked.append(struct.unpack(">xBHH", frame[:6]))
        return super().__call__(frame)


KNOWN = {
    "voltage": (230.1999969482422, 0, -1, int(Kind.GAUGE)),
    "current": (66.536, 0, -3, int(Kind.GAUGE)),
    "temperature": (-40.2, 0, -1, int(Kind.GAUGE)),
    "volume": (65538.0, 0, 0, int(Kind.COUNTER)),
    "level": (-2.0, 0, 0, int(Kind.GAUGE)),
    "wind": (3.25, 0, 0, int(Kind.GAUGE)),
}
REQUESTS = {
    8: [(3, 9, 2), (4, 0, 5), (4, 5, 4), (4, 11, 4)],
    9: [(3, 9, 2), (4, 0, 9), (4, 11, 4)],
}


def holds(module: ModuleType) -> bool:
    """Whether every type is read in few requests, and what is invalid is no number."""
    try:
        for most, requests in REQUESTS.items():
            told, asked = read(module, (*REGISTERS, *WIND), options_of(module, *ROWS, most=most))
            if told != KNOWN or asked != requests:
                return False
        invalid = (0x7FC0, 0, 0, 0, 0x8000, *REGISTERS[5:], *WIND)
        told, _ = read(module, invalid, options_of(module, *ROWS))
        fault = (None, int(Quality.FAULT))
        if told["voltage"][:2] != fault or told["temperature"][:2] != fault:
            return False
    except (EdgenodeError, ValueError):
        return False
    return proves(module) and refuses(module)


def proves(module: ModuleType) -> bool:
    """Whether the right part is taken, and another is not."""
    taken = []
    for value in (0x3333, 0x3334):
        identity = {"register": 1, "value": value}
        try:
            read(module, REGISTERS, options_of(module, ROWS[0], identity=identity))
        except EdgenodeError:
            continue
        taken.append(value)
    return taken == [0x3333]


def refuses(module: ModuleType) -> bool:
    """Whether names that repeat and registers far apart are mistakes of the file."""
    far = [{**ROWS[0], "name": f"v{n}", "register": 1000 * n} for n in range(5)]
    for rows in ((ROWS[0], ROWS[0]), far):
        try:
            options_of(module, *rows)
        except ValueError:
            continue
        return False
    return True
