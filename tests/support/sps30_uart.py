"""An SPS30 on a FakeCable that answers commands with what a test gives it."""

from __future__ import annotations

import struct
from typing import Final

from drivers.sps30_uart import SPS30UART, SPS30UARTOptions
from edgenode.reading import SerialLine
from tests.support.fake_cable import FakeCable

STUFFED: Final = {0x7E: b"\x7d\x5e", 0x7D: b"\x7d\x5d", 0x11: b"\x7d\x31", 0x13: b"\x7d\x33"}
# A measurement that was recorded with PyPMS: 5.2, 9.5, 12.6, 13.3 µg/m³; the rest is made.
MASSES: Final = bytes.fromhex("40a78320411777bb414a5f8341548ddd")
DUST: Final = MASSES + struct.pack(">6f", 35.25, 41.5, 42.0, 42.25, 42.5, 0.5)


def framed(command: int, data: bytes = b"", state: int = 0) -> bytes:
    """Return an answer as §5.2 of the datasheet has it."""
    body = bytes((0, command, state, len(data))) + data
    body += bytes((0xFF - sum(body) % 256,))
    return b"\x7e" + b"".join(STUFFED.get(byte, bytes((byte,))) for byte in body) + b"\x7e"


class FakeSPS30:
    """Answers by the command alone; what has no answer here is met with silence."""

    def __init__(self) -> None:
        self.answers = {
            0x00: framed(0x00),
            0x01: framed(0x01, state=0x43),
            0x03: framed(0x03, DUST),
            0xD0: framed(0xD0, b"00080000\0"),
            0xD1: framed(0xD1, bytes((2, 3, 0, 7, 0, 2, 0))),
            0xD2: framed(0xD2, bytes(5)),
        }
        self.asked: list[str] = []

    def __call__(self, request: bytes) -> bytes:
        self.asked.append(request.hex())
        return self.answers.get(request[2], b"") if len(request) > 2 else b""


def opened() -> tuple[SPS30UART, FakeSPS30, FakeCable]:
    """Return a driver that has just been opened."""
    part = FakeSPS30()
    cable = FakeCable(part, line=SerialLine(115_200))
    return SPS30UART(cable, SPS30UARTOptions(), sleep=lambda _: None), part, cable
