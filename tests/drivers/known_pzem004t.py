"""Known answers of the PZEM-004T driver, and changes that must not give them.

The manual's example (§2.3), as others print it: 220.0 V, 1.000 A, 220.0 W, 0 Wh, 50.0 Hz, 1.00.
"""

from __future__ import annotations

import struct
from types import ModuleType

from edgenode.errors import EdgenodeError
from tests.support.fake_cable import FakeCable
from tests.support.peer_modbus import PymodbusSlave

MANUAL = bytes.fromhex("01 04 14 08 98 03 E8 00 00 08 98 00 00 00 00 00 00 01 F4 00 64 00 00 63 CE")
# 231.7 V, 70,000 mA, 16,219.0 W, 1,234,567 Wh, 49.9 Hz, 0.97, power above the threshold.
LARGE = (2317, 70_000 & 0xFFFF, 1, 162_190 & 0xFFFF, 2, 1_234_567 & 0xFFFF, 18, 499, 97, 0xFFFF)

MUTANTS = (
    ("REGISTERS: Final = 10", "REGISTERS: Final = 9"),
    ('">H2H2H2HHHH"', '"<H2H2H2HHHH"'),
    ("volts / 10", "volts / 100"),
    ("ma_high << 16 | ma_low", "ma_low << 16 | ma_high"),
    ("(ma_high << 16 | ma_low) / 1000", "(ma_high << 16 | ma_low) / 100"),
    ("w_high << 16 | w_low", "w_high << 8 | w_low"),
    ("(w_high << 16 | w_low) / 10,", "(w_high << 16 | w_low) / 100,"),
    ("wh_high << 16 | wh_low", "wh_low"),
    ("(wh_high << 16 | wh_low) / 1000", "(wh_high << 16 | wh_low) / 1"),
    ("hertz / 10", "hertz / 100"),
    ("factor / 100", "factor / 10"),
    ("0x0000, 0xFFFF", "0x0000, 0x0001"),
    ("VOLTS_TENTH: Final = range(500, 3001)", "VOLTS_TENTH: Final = range(0, 65536)"),
    ("HERTZ_TENTH: Final = range(400, 701)", "HERTZ_TENTH: Final = range(0, 65536)"),
    ("FACTOR_MOST: Final = 100", "FACTOR_MOST: Final = 10000"),
    ("read_input_registers(0,", "read_holding_registers(0,"),
)


def taken(module: ModuleType, *registers: int) -> tuple[float | None, ...] | str:
    """Return what is read of a part with these registers, "refused" for an error."""
    try:
        slave = InputOnly(registers)
        sensor = module.PZEM004T(FakeCable(slave), module.PZEM004TOptions())
        values: tuple[float | None, ...] = sensor.read(0).values
    except (EdgenodeError, struct.error):
        return "refused"
    return tuple(None if value is None else round(value, 6) for value in values)


class InputOnly(PymodbusSlave):
    """The part knows function 04 alone."""

    def __call__(self, frame: bytes) -> bytes:
        return super().__call__(frame) if frame[1] == 4 else b""


def holds(module: ModuleType) -> bool:
    """Whether the manual's example and large values are read, and other parts are refused."""
    example = struct.unpack(">10H", MANUAL[3:-2])
    told = [
        taken(module, *example),
        taken(module, *LARGE),
        taken(module, 17254, *example[1:]),  # where a SDM has a float
        taken(module, *example[:7], 5000, *example[8:]),
        taken(module, *example[:8], 101, 0),
        taken(module, *example[:9], 2),
    ]
    known = [
        (220.0, 1.0, 220.0, 0.0, 50.0, 1.0),
        (231.7, 70.0, 16_219.0, 1_234.567, 49.9, 0.97),
        *["refused"] * 4,
    ]
    return told == known
