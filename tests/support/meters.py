"""SDM meters as register images: what the documents of Eastron say stands where."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from edgenode.bus.modbus import crc16
from tests.support.fake_cable import FakeCable

# Protocol of the SDM120 V2.4 and SDM230 V1.4, "Input registers"; L2 and L3 read 0.
SINGLE: Final = {
    0x00: 230.2,
    0x06: 4.25,
    0x0C: -951.5,
    0x12: 978.4,
    0x18: 226.7,
    0x1E: -0.973,
    0x46: 49.98,
    0x48: 1551.37,
    0x4A: 1335.69,
}
# Protocol of the SDM630 V1.8, "Input registers": three of a kind, then the totals.
THREE: Final = {
    **dict(zip((0x00, 0x02, 0x04), (230.2, 231.3, 229.1), strict=True)),
    **dict(zip((0x06, 0x08, 0x0A), (1.25, 2.5, 3.75), strict=True)),
    **dict(zip((0x0C, 0x0E, 0x10), (281.0, -562.0, 843.0), strict=True)),
    **dict(zip((0x12, 0x14, 0x16), (287.7, 578.2, 859.1), strict=True)),
    **dict(zip((0x18, 0x1A, 0x1C), (61.8, 136.0, 165.5), strict=True)),
    **dict(zip((0x1E, 0x20, 0x22), (0.977, -0.972, 0.981), strict=True)),
    0x34: 562.0,
    0x38: 1725.0,
    0x3C: 363.3,
    0x3E: 0.326,
    0x46: 50.02,
    0x48: 87_654.32,
    0x4A: 12.34,
}


def image(values: Mapping[int, float]) -> bytes:
    """Return registers 0x00..0x4F with these floats in them."""
    memory = bytearray(2 * 0x50)
    for register, value in values.items():
        struct.pack_into(">f", memory, 2 * register, value)
    return bytes(memory)


class FakeMeter:
    """A part on a FakeCable; `image` is what it measures now, `code` an exception to answer."""

    def __init__(self, values: Mapping[int, float], address: int = 1) -> None:
        self.image = image(values)
        self.address = address
        self.code = 0
        self.asked: list[tuple[int, int, int]] = []

    def holds(self, values: Mapping[int, float]) -> None:
        """Measure something else from now on."""
        self.image = image(values)

    def __call__(self, frame: bytes) -> bytes:
        address, function, first, count = struct.unpack(">BBHH", frame[:6])
        if address != self.address or crc16(frame[:6]) != frame[6:]:
            return b""
        self.asked.append((function, first, count))
        body = bytes((address, function, 2 * count)) + self.image[2 * first : 2 * (first + count)]
        if self.code:
            body = bytes((address, function | 0x80, self.code))
        return body + crc16(body)


def metered(values: Mapping[int, float], address: int = 1) -> tuple[FakeCable, FakeMeter]:
    """Return a cable with one meter on it, and the meter."""
    meter = FakeMeter(values, address)
    return FakeCable(meter), meter
