"""A Senseair S8 as a Modbus slave: what "Modbus on Senseair S8" (TDE2067) says it answers.

It heeds 0xFE and its own address, gives up to eight input registers from IR1 and from IR26, and
answers what it does not have with an exception. What is damaged or meant for others is met with
silence.
"""

from __future__ import annotations

import struct
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Action, Period, Table
from edgenode.virtual.playing import Playing
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

ANYBODY: Final = 0xFE
OWN: Final = 0x68  # as it leaves the factory
REQUEST_BYTES: Final = 8
ASKED_MOST: Final = 8
SILENCE_NS: Final = 50_000_000  # the frame before is over; generous, since a host is not a UART
SEED: Final = 8  # garbage is random but the same every time


class S8Spec(Table, frozen=True, tag_field="kind", tag="s8"):
    """[[instrument]] kind = "s8": ppm, one row of its series each `every_ms`.

    No recorded series holds CO2: carbon monoxide of the road, scaled, stands in for it.
    """

    sensor: str
    bus: str = "gas"
    every_ms: Period = 10_000
    status: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0
    serial: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)] = 0x0672AB01
    co2: Play = Play("air_uci:CO_GT", gain=60, offset=420, decimals=0)


class VirtualS8(Playing):
    """One sensor that answers requests, and logs each answer that holds CO2."""

    quantities: ClassVar = ("co2",)

    def __init__(self, spec: S8Spec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.spec, self.status = spec, spec.status
        self._heard, self._heard_ns = b"", start_ns

    def act(self, action: Action, now_ns: int) -> None:
        """Begin to misbehave, or return."""
        super().act(action, now_ns)
        self._heard = b""

    def next_ns(self) -> int | None:
        """Return None: a slave speaks only when spoken to."""
        return None

    def speak(self, now_ns: int) -> bytes:
        """Return nothing."""
        del now_ns
        return b""

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Return the answer where `data` ends a request for it."""
        if now_ns - self._heard_ns > SILENCE_NS:
            self._heard = b""
        self._heard_ns = now_ns
        self._heard += data
        if len(self._heard) < REQUEST_BYTES:
            return b""
        frame, self._heard = self._heard, b""
        return self._answered(frame, now_ns)

    def _answered(self, frame: bytes, now_ns: int) -> bytes:
        if len(frame) != REQUEST_BYTES or _checked(frame[:-2]) != frame:
            return b""
        address, function, first, count = struct.unpack(">BBHH", frame[:-2])
        if address not in {ANYBODY, OWN}:
            return b""
        told = self._told(first, count, now_ns)
        if function != 4:
            answer = bytes((address, function | 0x80, 1))
        elif told is None:
            answer = bytes((address, function | 0x80, 2))
        else:
            answer = bytes((address, function, len(told))) + told
        if self._fate == "garbage":
            return self._random.randbytes(len(answer) + 2)
        return _checked(answer) if self._fate == "ok" else b""

    def _told(self, first: int, count: int, now_ns: int) -> bytes | None:
        """Return input registers; None for those that it does not have."""
        if not 0 < count <= ASKED_MOST:
            return None
        if first + count <= 4:
            ppm = min(max(round(self.spec.co2.value(self._row(now_ns))), 0), 0x7FFF)
            if first + count == 4:
                self._log((ppm,), now_ns, self._fate)
            return struct.pack(">4H", self.status, 0, 0, ppm)[2 * first :][: 2 * count]
        if first >= 0x19 and first + count <= 0x1F:
            identity = struct.pack(">IHBBI", 0x0E0104, 0x0047, 1, 8, self.spec.serial)
            return identity[2 * (first - 0x19) :][: 2 * count]
        return None


def _checked(frame: bytes) -> bytes:
    """Put the checksum behind a frame, as MODBUS over Serial Line V1.02 §6.2.2 has it."""
    register = 0xFFFF
    for byte in frame:
        register ^= byte
        for _ in range(8):
            carry = register & 1
            register >>= 1
            if carry:
                register ^= 0xA001
    return frame + bytes((register & 0xFF, register >> 8))
