"""Known answers of the Senseair S8, and the changes to it that must not give them."""

from __future__ import annotations

import struct
from types import ModuleType
from typing import Any

from edgenode.bus.modbus import crc16
from edgenode.errors import EdgenodeError, ImpossibleValue
from edgenode.reading import Quality, Sample
from tests.support.fake_cable import FakeCable

MUTANTS = (
    ("FIRST: Final = 0", "FIRST: Final = 1"),
    ("REGISTERS: Final = 4", "REGISTERS: Final = 3"),
    ("IDENTITY: Final = 0x19", "IDENTITY: Final = 0x1A"),
    ("IDENTITY_REGISTERS: Final = 6", "IDENTITY_REGISTERS: Final = 5"),
    ("    0: ", "    7: "),
    ("    1: ", "    8: "),
    ("    2: ", "    3: "),
    ("    4: ", "    9: "),
    ("    6: ", "    10: "),
    ("1 << 5", "1 << 4"),
    ('">4H"', '"<4H"'),
    ("status, _, _, ppm", "_, status, _, ppm"),
    ("status, _, _, ppm", "status, _, ppm, _"),
    ("if ppm == 0:", "if False:"),
    ("Quality.OUT_OF_RANGE", "Quality.OK"),
    ("Slave(wire, ANY_ADDRESS)\n        self", "Slave(wire, 1)\n        self"),
    ('">IHBBI"', '">IHBBi"'),
    ('">IHBBI"', '"<IHBBI"'),
    ("kind >> 24", "kind >> 16"),
)
# Both examples of "Modbus on Senseair S8": 400 ppm, and everything well.
REQUEST = "fe0400000004e5c6"
ANSWER = bytes.fromhex("fe0408000000000000019016e6")
IDENTIFY = "fe0400190006b5c0"
IDENTITY = struct.pack(">IHBBI", 0x0E0104, 0x47, 1, 8, 0xF672AB01)


def answered(registers: bytes) -> bytes:
    """Return the frame that answers with these registers."""
    body = bytes((0xFE, 0x04, len(registers))) + registers
    return body + crc16(body)


def opened(module: ModuleType, said: bytes = ANSWER) -> tuple[Any, FakeCable]:
    cable = FakeCable(lambda _: said)
    return module.S8(cable, module.S8Options()), cable


def read(module: ModuleType, *words: int) -> Sample | type[Exception]:
    """Return what a driver that was opened makes of four registers, or what it raises."""
    sensor, cable = opened(module)
    cable.parts[:] = [lambda _: answered(struct.pack(">4H", *words))]
    try:
        found: Sample = sensor.read(0)
    except EdgenodeError as exc:
        return type(exc)
    return found


def identified(module: ModuleType, registers: bytes) -> tuple[Any, str]:
    cable = FakeCable(lambda _: answered(registers))
    return module.S8.identify(cable), cable.sent[0].hex()


def known_answers_hold(module: ModuleType) -> bool:
    try:
        sensor, cable = opened(module)
        found, asked = identified(module, IDENTITY)
        return bool(
            sensor.read(0) == Sample((400,))
            and [one.hex() for one in cable.sent] == [REQUEST, REQUEST]
            and read(module, 0, 0, 0, 0) == Sample((None,), (Quality.MISSING,))
            and read(module, 0x20, 0, 0, 9999) == Sample((9999,), (Quality.OUT_OF_RANGE,))
            and read(module, 0xFF88, 0xFFFF, 0xFFFF, 700) == Sample((700,))  # reserved; outputs
            and all(read(module, 1 << n, 0, 0, 400) is ImpossibleValue for n in (0, 1, 2, 4, 6))
            and asked == IDENTIFY
            and found
            and found.words == "Senseair S8, type 0xe0104, firmware 1.8, serial 4134710017"
            and not identified(module, b"\x01" + IDENTITY[1:])[0]
            and not identified(module, bytes(12))[0]
        )
    except EdgenodeError:
        return False
