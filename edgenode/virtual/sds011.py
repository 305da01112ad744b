"""An SDS011 as bytes on its serial port: what Nova Fitness' control protocol V1.3 says.

It works all the time and reports each second, or works half a minute of its period and reports
once then; asleep it heeds nothing but being woken, and does not answer that. Reporting mode and
period outlive its power.
"""

from __future__ import annotations

import struct
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Action, Period, Table
from edgenode.virtual.playing import Playing
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

SECOND_NS: Final = 1_000_000_000
WORKING_NS: Final = 30 * SECOND_NS
COMMAND_BYTES: Final = 19
FRAMES_MOST: Final = 400  # in one go, when nobody asked for long: what a tty holds
FIRMWARE: Final = (18, 11, 16)
SEED: Final = 11  # garbage is random but the same every time


class Sds011Spec(Table, frozen=True, tag_field="kind", tag="sds011"):
    """[[instrument]] kind = "sds011": µg/m³, one row of its series each `every_ms`.

    No recorded series holds particles: carbon monoxide of the road, scaled, stands in for them.
    """

    sensor: str
    bus: str = "air"
    every_ms: Period = 10_000
    minutes: Annotated[int, Meta(ge=0, le=30)] = 0  # its period as it leaves the factory
    id: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0x58D9
    pm25: Play = Play("air_uci:CO_GT", gain=10, decimals=1)
    pm10: Play = Play("air_uci:CO_GT", gain=14, decimals=1)


class VirtualSDS011(Playing):
    """One sensor that plays dust; logs every report, heard or not."""

    quantities: ClassVar = ("pm25", "pm10")

    def __init__(self, spec: Sds011Spec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.spec = spec
        self.minutes, self.active = spec.minutes, True
        self._heard = b""
        self._power_up(start_ns)

    def act(self, action: Action, now_ns: int) -> None:
        """Begin to misbehave, or return."""
        super().act(action, now_ns)
        self._heard = b""

    def next_ns(self) -> int | None:
        """Return when the next report is due; None while it sleeps or waits to be asked."""
        return self._due_ns if self.active and self.awake else None

    def speak(self, now_ns: int) -> bytes:
        """Return the reports that are due, the newest FRAMES_MOST of them."""
        said = []
        while (due_ns := self.next_ns()) is not None and due_ns <= now_ns:
            said.append(self._report(due_ns))
            self._due_ns = due_ns + (self.minutes * 60 * SECOND_NS or SECOND_NS)
        return b"".join(said[-FRAMES_MOST:])

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Obey commands; return what they are answered with."""
        self._heard += data
        answer = b""
        while (at := self._heard.find(b"\xaa\xb4")) >= 0:
            if len(self._heard) - at < COMMAND_BYTES:
                break
            frame = self._heard[at : at + COMMAND_BYTES]
            whole = frame[-1] == 0xAB and sum(frame[2:17]) % 256 == frame[17]
            if whole and frame[15:17] in {b"\xff\xff", self.spec.id.to_bytes(2, "big")}:
                answer += self._obeyed(frame[2], frame[3], frame[4], now_ns)
            self._heard = self._heard[at + (COMMAND_BYTES if whole else 1) :]
        self._heard = self._heard[-COMMAND_BYTES:]
        return answer if self._fate == "ok" else b""

    def resting(self, now_ns: int) -> bool:
        """Return whether fan and laser stand still."""
        return not self.awake or (self.minutes > 0 and now_ns < self._due_ns - WORKING_NS)

    def _power_up(self, now_ns: int) -> None:
        self.awake = True
        self._begin(now_ns)

    def _begin(self, now_ns: int) -> None:
        self._due_ns = now_ns + (WORKING_NS if self.minutes else SECOND_NS)

    def _obeyed(self, code: int, change: int, value: int, now_ns: int) -> bytes:
        if self.resting(now_ns):
            if (code, change, value) == (0x06, 1, 1):
                self._power_up(now_ns)
            return b""
        if code == 0x04:
            return self._report(now_ns)
        if code == 0x07:
            return self._framed(0xC5, bytes((0x07, *FIRMWARE)))
        told = {0x02: int(not self.active), 0x06: 1, 0x08: self.minutes}
        if code not in told:
            return b""
        if change:
            self._change(code, value, now_ns)
        return self._framed(0xC5, bytes((code, change, value if change else told[code], 0)))

    def _change(self, code: int, value: int, now_ns: int) -> None:
        if code == 0x02:
            self.active = not value
        elif code == 0x06:
            self.awake = bool(value)
        elif 0 <= value <= 30:
            self.minutes = value
            self._begin(now_ns)

    def _report(self, at_ns: int) -> bytes:
        """Return one report, or what has become of it."""
        row, fate = self._row(at_ns), self._fate
        tenths = [
            min(max(round(10 * play.value(row)), 0), 9999)
            for play in (self.spec.pm25, self.spec.pm10)
        ]
        self._log(tuple(value / 10 for value in tenths), at_ns, fate)
        if fate == "garbage":
            return self._random.randbytes(10)
        return self._framed(0xC0, struct.pack("<2H", *tenths)) if fate == "ok" else b""

    def _framed(self, kind: int, data: bytes) -> bytes:
        body = data + self.spec.id.to_bytes(2, "big")
        return bytes((0xAA, kind)) + body + bytes((sum(body) % 256, 0xAB))
