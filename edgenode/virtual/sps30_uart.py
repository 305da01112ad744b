"""An SPS30 as bytes on its UART: what Sensirion's SPS30 datasheet (version 2.0, §4, §5) says.

It answers whole frames for address 0 only, does not answer what is damaged or while it sleeps,
and gives each measurement once.
"""

from __future__ import annotations

import struct
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.answering import Answering
from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.series import Play
from edgenode.virtual.sps30 import QUANTITIES, measured
from edgenode.virtual.truth import Truth

MEASURING_NS: Final = 1_000_000_000
AWAKE_NS: Final = 100_000_000  # so long the interface stays on after a pulse on RX (§5.3.5)
HEARD_MOST: Final = 600
OK, BAD_LENGTH, UNKNOWN, BAD_VALUE, NOT_NOW = 0x00, 0x01, 0x02, 0x04, 0x43
ERRORS: Final = 0x30  # of the status register: fan and laser
FLAG: Final = 0x80
CLEANING_S: Final = 604_800
STUFFED: Final = (  # §5.2, the escape itself first
    (b"\x7d", b"\x7d\x5d"),
    (b"\x7e", b"\x7d\x5e"),
    (b"\x11", b"\x7d\x31"),
    (b"\x13", b"\x7d\x33"),
)
SEED: Final = 31  # garbage is random but the same every time


class Sps30UartSpec(Table, frozen=True, tag_field="kind", tag="sps30_uart"):
    """[[instrument]] kind = "sps30_uart": µg/m³, one row of its series each `every_ms`.

    No recorded series holds particles: carbon monoxide of the road, scaled, stands in for them.
    """

    sensor: str
    bus: str = "fine"
    baud: int = 115_200
    every_ms: Period = 10_000
    pm1: Play = Play("air_uci:CO_GT", gain=7, decimals=1)
    pm25: Play = Play("air_uci:CO_GT", gain=10, decimals=1)
    pm4: Play = Play("air_uci:CO_GT", gain=12, decimals=1)
    pm10: Play = Play("air_uci:CO_GT", gain=14, decimals=1)
    serial: str = "0123456789ABCDEF"
    firmware: Annotated[tuple[int, int], Meta(description="major, minor")] = (2, 3)
    status: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)] = 0


class VirtualSPS30UART(Answering):
    """One sensor that plays dust once a second while it measures."""

    quantities: ClassVar = QUANTITIES

    def __init__(self, spec: Sps30UartSpec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.status = spec.status
        self._pulse_ns = start_ns
        self._power_up(start_ns)

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Take in bytes; return what the frames that end in them are answered with."""
        if self._asleep and now_ns - self._pulse_ns > AWAKE_NS:
            self._pulse_ns = now_ns  # whatever it is, it switches the interface on
            return b""
        self._heard = (self._heard + data)[-HEARD_MOST:]
        *frames, self._heard = self._heard.split(b"\x7e")
        answer = b"".join(self._answered(frame, now_ns) for frame in frames if frame)
        if self._fate == "garbage":
            return self._random.randbytes(len(answer))
        return answer if self._fate == "ok" else b""

    def _power_up(self, now_ns: int) -> None:
        self._heard = b""
        self._asleep = False
        self._pulse_ns = now_ns - AWAKE_NS - 1
        self._begun_ns: int | None = None  # when it began to measure
        self._taken = 0  # measurements that were read or are past

    def _answered(self, frame: bytes, now_ns: int) -> bytes:
        content = _plain(frame)
        if len(content) < 4 or 0xFF - sum(content[:-1]) % 256 != content[-1]:
            return b""
        address, command, length, data = content[0], content[1], content[2], content[3:-1]
        if address != 0 or length != len(data):
            return b""
        state, said = self._obeyed(command, data, now_ns)
        state |= FLAG if self.status & ERRORS else 0
        body = bytes((0, command, state, len(said))) + said
        return b"\x7e" + _escaped(body + bytes((0xFF - sum(body) % 256,))) + b"\x7e"

    def _obeyed(self, command: int, data: bytes, now_ns: int) -> tuple[int, bytes]:
        if self._asleep and command != 0x11:
            return NOT_NOW, b""
        if command == 0x03:
            return (NOT_NOW, b"") if self._begun_ns is None else (OK, self._measured(now_ns))
        if command == 0x00:
            return self._start(data, now_ns), b""
        if command in {0x01, 0x10, 0x11}:
            return self._changed(command), b""
        return self._told(command, data)

    def _start(self, data: bytes, now_ns: int) -> int:
        if self._begun_ns is not None:
            return NOT_NOW
        if data != b"\x01\x03":
            return BAD_VALUE
        self._begun_ns, self._taken = now_ns, 0
        return OK

    def _changed(self, command: int) -> int:
        """Stop measuring, fall asleep or wake up, each only from the state before it."""
        measuring = self._begun_ns is not None
        if not {0x01: measuring, 0x10: not measuring, 0x11: self._asleep}[command]:
            return NOT_NOW
        self._begun_ns, self._asleep = None, command == 0x10
        return OK

    def _told(self, command: int, data: bytes) -> tuple[int, bytes]:
        """Answer what it tells of itself."""
        major, minor = self.spec.firmware
        if command == 0x80 and data == b"\x00":
            return OK, struct.pack(">I", CLEANING_S)
        if command == 0xD0:
            texts = {b"\x00": "00080000", b"\x03": self.spec.serial}
            said = texts.get(data)
            return (BAD_VALUE, b"") if said is None else (OK, said.encode() + b"\0")
        if command == 0xD1:
            return OK, bytes((major, minor, 0, 7, 0, 2, 0))
        if command == 0xD2 and (major, minor) >= (2, 2):
            return self._told_status(data)
        return UNKNOWN, b""

    def _told_status(self, clear: bytes) -> tuple[int, bytes]:
        status = struct.pack(">IB", self.status, 0)
        if clear == b"\x01":
            self.status = self.spec.status
        return (OK, status) if len(clear) == 1 else (BAD_LENGTH, b"")

    def _measured(self, now_ns: int) -> bytes:
        """Return the newest measurement, logging it; nothing where it was read before."""
        count = (now_ns - (self._begun_ns or 0)) // MEASURING_NS
        if count <= self._taken:
            return b""
        self._taken = count
        said = struct.pack(">10f", *measured(self.spec, self._row(now_ns)))
        self._log(struct.unpack(">10f", said), now_ns, self._fate)
        return said


def _plain(frame: bytes) -> bytes:
    for byte, pair in reversed(STUFFED):
        frame = frame.replace(pair, byte)
    return frame


def _escaped(content: bytes) -> bytes:
    for byte, pair in STUFFED:
        content = content.replace(byte, pair)
    return content
