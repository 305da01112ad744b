"""A 1-Wire master on an I2C bus, and thermometers on its wire: what ds2482 and w1_therm speak to.

Maxim DS2482-100 (19-4930): commands, status and read pointer. Maxim DS18B20 (19-7487): ROM and
function commands, scratchpad, table 1. The CRC is that of both, x^8 + x^5 + x^4 + 1.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from edgenode.virtual.conduct import Refused
from edgenode.virtual.kinds import READ, Action, Message

RESET, SET_POINTER, CONFIGURE = 0xF0, 0xE1, 0xD2
WIRE_RESET, BIT, WRITE, READ_BYTE, TRIPLET = 0xB4, 0x87, 0xA5, 0x96, 0x78
AT_STATUS, AT_DATA, AT_CONFIG = 0xF0, 0xE1, 0xC3  # of the read pointer
PRESENCE, LINE_HIGH, WAS_RESET, SINGLE_BIT, COMPLEMENT, DIRECTION = (
    0x02,
    0x08,
    0x10,
    0x20,
    0x40,
    0x80,
)

SKIP_ROM = 0xCC  # the others name a part, or search one by one
CONVERT, READ_SCRATCHPAD = 0x44, 0xBE
NINE_BITS: Final = 0x1F  # of the configuration: a conversion takes 94 ms
AT_POWER_ON: Final = bytes.fromhex("50 05 4b 46 1f ff 0c 10")  # 85 °C
ROM_BITS: Final = 64


def crc8(data: bytes) -> int:
    """Return the Dallas CRC, least significant bit first."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc


@dataclass
class Thermometer:
    """One DS18B20 with nine bits. It forgets what it converts where its supply is `weak`."""

    number: int  # 48 bits
    celsius: float = 0.0
    weak: bool = False
    there: bool = True
    _held: bytes = AT_POWER_ON

    @property
    def name(self) -> str:
        """As the kernel names it."""
        return f"28-{self.number:012x}"

    @property
    def rom(self) -> int:
        """Its 64 bits, the first to be sent lowest."""
        data = b"\x28" + self.number.to_bytes(6, "little")
        return int.from_bytes(data + bytes((crc8(data),)), "little")

    def convert(self) -> None:
        raw = round(self.celsius * 16) & 0xFFF8
        low = raw & 0x0F
        body = raw.to_bytes(2, "little") + bytes((0x4B, 0x46, NINE_BITS, 0xFF, 0x10 - low, 0x10))
        self._held = AT_POWER_ON if self.weak else body

    def scratchpad(self) -> bytes:
        return self._held + bytes((crc8(self._held),))


class WireBridge:
    """A DS2482-100: an I2CInstrument with a 1-Wire behind it."""

    def __init__(self, *parts: Thermometer) -> None:
        self.parts = parts
        self._status = LINE_HIGH | WAS_RESET
        self._registers = {AT_DATA: 0xFF, AT_CONFIG: 0}
        self._pointer = AT_STATUS
        self._heard: Callable[[int], None] = self._rom_command
        self._chosen: list[Thermometer] = []
        self._answer: list[int] = []
        self._at = 0

    def act(self, action: Action, now_ns: int) -> None:
        """It always behaves."""

    def transact(self, messages: list[Message], now_ns: int) -> bytes:
        """Take a command, or answer with what the read pointer points to; raises Refused."""
        answer = b""
        for message in messages:
            if message.flags & READ:
                register = self._registers.get(self._pointer, self._status)
                answer += bytes((register,)) * message.length
            else:
                self._commanded(*message.data)
        return answer

    def _commanded(self, command: int, argument: int = 0) -> None:
        self._pointer = AT_STATUS
        if command == RESET:
            self._status = LINE_HIGH | WAS_RESET
        elif command == SET_POINTER:
            self._pointer = argument
        elif command == CONFIGURE:
            self._status &= ~WAS_RESET
            self._registers[AT_CONFIG], self._pointer = argument & 0x0F, AT_CONFIG
        elif command == WIRE_RESET:
            self._chosen = [part for part in self.parts if part.there]
            self._status = LINE_HIGH | (PRESENCE if self._chosen else 0)
            self._heard, self._answer = self._rom_command, []
        elif command == WRITE:
            self._heard(argument)
        elif command == READ_BYTE:
            self._registers[AT_DATA] = self._answer.pop(0) if self._answer else 0xFF
        elif command == BIT:
            self._status |= SINGLE_BIT  # an external supply: nobody pulls the wire down
        elif command == TRIPLET:
            self._triplet(bool(argument & 0x80))
        else:
            raise Refused(errno.ENXIO)

    def _triplet(self, asked: bool) -> None:  # noqa: FBT001 - the bit of the direction
        """Read a bit and its complement of all that take part, and go on with those of one kind."""
        bits = {part.number: bool(part.rom >> self._at & 1) for part in self._chosen}
        first, complement = all(bits.values()), not any(bits.values())
        taken = asked if first == complement else first
        self._chosen = [part for part in self._chosen if bits[part.number] == taken]
        self._at += 1
        self._status = LINE_HIGH | (SINGLE_BIT if first else 0) | (COMPLEMENT if complement else 0)
        self._status |= DIRECTION if taken else 0

    def _rom_command(self, command: int) -> None:
        self._at = 0
        self._heard = self._function if command == SKIP_ROM else self._match

    def _match(self, byte: int) -> None:
        """Take the next byte of the number that is meant."""
        self._chosen = [p for p in self._chosen if p.rom >> self._at & 0xFF == byte]
        self._at += 8
        if self._at == ROM_BITS:
            self._heard = self._function

    def _function(self, command: int) -> None:
        if command == CONVERT:
            for part in self._chosen:
                part.convert()
        elif command == READ_SCRATCHPAD and len(self._chosen) == 1:
            self._answer = [*self._chosen[0].scratchpad()]
