"""Frames of a PMS5003, recorded and made, and a driver that has just been opened."""

from __future__ import annotations

import struct

from drivers.pms5003 import PMS5003, PMS5003Options
from tests.support import hexdump
from tests.support.fake_serial import FakeSerial

# What the capture says by hand: pm1, pm25, pm10, > 0.3 µm, > 2.5 µm, PM2.5 of CF=1.
RECORDED = [
    (0, 8, 8, 210, 30, 8),
    (0, 7, 7, 210, 30, 7),
    (0, 7, 7, 189, 27, 7),
    (0, 7, 7, 180, 24, 7),
    (0, 7, 7, 180, 24, 7),
    (0, 6, 6, 180, 21, 6),
    (0, 6, 6, 180, 21, 6),
    (0, 6, 6, 159, 18, 6),
]


def recorded() -> list[bytes]:
    return hexdump.recorded("pmsx003.hexdump")


def frame(*words: int, length: int = 28, version: int = 0x97, error: int = 0) -> bytes:
    """Build a frame of twelve words, of which those not given are 0, as appendix I says."""
    body = struct.pack(">12H", *words, *[0] * (12 - len(words))) + bytes((version, error))
    head = b"BM" + struct.pack(">H", length) + body.ljust(length - 2, b"\0")[: length - 2]
    return head + struct.pack(">H", sum(head))


def air(pm25: int) -> bytes:
    """Build a frame that is told apart by its PM2.5."""
    return frame(1, 2, 3, 4, pm25, 6, 7)


def opened(port: FakeSerial | None = None) -> tuple[PMS5003, FakeSerial]:
    """Return a driver that has just been opened at 0 ms, with PM2.5 at 5."""
    port = port or FakeSerial(air(5))
    sensor = PMS5003(port, PMS5003Options(), clock=port.clock)
    sensor.feed(0)
    return sensor, port


def pm25(sensor: PMS5003, now_ms: int) -> float | None:
    return sensor.read(now_ms).values[1]
