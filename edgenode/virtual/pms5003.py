"""A PMS5003, PMS5003T or PMS3003 as bytes on its serial port: what Plantower's manuals say.

Active mode: a frame each 2.3 s in steady air, each 0.8 s in air that changes. It understands the
three commands of appendix II: sleep and wake, active and passive, "read" in passive mode; a PMS3003
understands none. A PMS5003T has temperature and humidity where the others count coarse dust.
"""

from __future__ import annotations

import struct
from typing import Final, Literal

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.playing import Playing
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

STEADY_NS: Final = 2_300_000_000
CHANGING_NS: Final = 800_000_000
FRAMES_MOST: Final = 128  # in one go, when nobody asked for long: what a tty holds
COMMAND_BYTES: Final = 7
MODE, READ_ONCE, SLEEP = 0xE1, 0xE2, 0xE4
VERSION: Final = 0x97  # as on the parts whose frames were recorded
CURVE_FROM: Final = 30  # µg/m³ up to which CF=1 and "atmospheric" are the same
SEED: Final = 5003  # garbage is random but the same every time


class Pms5003Spec(Table, frozen=True, tag_field="kind", tag="pms5003"):
    """[[instrument]] kind = "pms5003": µg/m³, one row of its series each `every_ms`.

    No recorded series holds particles: carbon monoxide of the road, scaled, stands in for them.
    """

    sensor: str
    bus: str = "air"
    model: Literal["pms5003", "pms5003t", "pms3003"] = "pms5003"
    every_ms: Period = 10_000
    pm1: Play = Play("air_uci:CO_GT", gain=7, decimals=0)
    pm25: Play = Play("air_uci:CO_GT", gain=10, decimals=0)
    pm10: Play = Play("air_uci:CO_GT", gain=14, decimals=0)
    temperature: Play = Play("air_uci:T", decimals=1)  # of a PMS5003T
    humidity: Play = Play("air_uci:RH", decimals=1)


class VirtualPMS5003(Playing):
    """One sensor that plays air and says so by itself; logs every frame, heard or not."""

    def __init__(self, spec: Pms5003Spec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.spec = spec
        self._heard = b""
        self._power_up(start_ns)

    def next_ns(self) -> int | None:
        """Return when the next frame is due; None while asleep or spoken to only."""
        return self._due_ns if self._streaming and self._awake else None

    def speak(self, now_ns: int) -> bytes:
        """Return the frames that are due, the newest FRAMES_MOST of them."""
        said = []
        while (due_ns := self.next_ns()) is not None and due_ns <= now_ns:
            said.append(self._said(due_ns))
        return b"".join(said[-FRAMES_MOST:])

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Obey commands; return what they are answered with."""
        if self.spec.model == "pms3003":
            return b""
        self._heard += data
        answer = b""
        while (at := self._heard.find(b"BM")) >= 0 and len(self._heard) - at >= COMMAND_BYTES:
            command = self._heard[at : at + COMMAND_BYTES]
            self._heard = self._heard[at + COMMAND_BYTES :]
            if sum(command[:5]) == int.from_bytes(command[5:], "big"):
                answer += self._obeyed(command[2], command[4], now_ns)
        self._heard = self._heard[-COMMAND_BYTES:]
        return answer if self._fate == "ok" else b""

    def _power_up(self, now_ns: int) -> None:
        self._awake = self._streaming = True
        self._heard = b""
        self._before: tuple[int, ...] = ()  # the concentrations of the frame before
        self._due_ns = now_ns + CHANGING_NS

    def _obeyed(self, command: int, value: int, now_ns: int) -> bytes:
        if command == SLEEP and value and not self._awake:
            self._awake, self._due_ns = True, now_ns + STEADY_NS
            return b""
        if command == READ_ONCE and self._awake and not self._streaming:
            return self._said(now_ns)
        if command == MODE:
            if value and not self._streaming:
                self._due_ns = now_ns + STEADY_NS
            self._streaming = bool(value)
        elif command == SLEEP:
            self._awake = bool(value)
        else:
            return b""
        return _summed(struct.pack(">2sHBB", b"BM", 4, command, value))

    def _said(self, at_ns: int) -> bytes:
        """Return one frame, or what has become of it, and set when the next is due."""
        masses = self._masses(at_ns)
        self._due_ns = at_ns + (STEADY_NS if masses == self._before else CHANGING_NS)
        self._before = masses
        pm1, pm25, pm10 = masses
        cf1 = [pm if pm <= CURVE_FROM else min(0xFFFF, pm * 3 // 2) for pm in masses]
        counts = [min(0xFFFF, pm25 * share) for share in (150, 45, 8)]
        coarse = [min(0xFFFF, max(0, pm10 - pm25) * share) for share in (4, 2, 1)]
        counts += [min(c, counts[-1]) for c in coarse]  # "beyond" a size: never more than before
        fate = self._fate
        said = {"pm1": pm1, "pm25": pm25, "pm10": pm10}
        if self.spec.model == "pms3003":
            frame = struct.pack(">2sH9H", b"BM", 20, *cf1, *masses, 0, 0, 0)
        else:
            said |= {"particles_03um": counts[0], "particles_25um": counts[3]}
            counts[4:] = self._climate(at_ns) or counts[4:]
            frame = struct.pack(">2sH12HBB", b"BM", 28, *cf1, *masses, *counts, VERSION, 0)
        for quantity, value in (said | {"pm25_cf1": cf1[1]}).items():
            self._note(quantity, value, at_ns, fate)
        if fate in {"nack", "hang"}:
            return b""
        return self._random.randbytes(len(frame) + 2) if fate == "garbage" else _summed(frame)

    def _climate(self, at_ns: int) -> list[int]:
        """Return the words for temperature and humidity of a PMS5003T, in tenths; else none."""
        if self.spec.model != "pms5003t":
            return []
        row = self._row(at_ns)
        tenths = [
            round(10 * play.value(row)) for play in (self.spec.temperature, self.spec.humidity)
        ]
        for quantity, value in zip(("temperature", "humidity"), tenths, strict=True):
            self._note(quantity, value / 10, at_ns, self._fate)
        return [value & 0xFFFF for value in tenths]

    def _masses(self, at_ns: int) -> tuple[int, ...]:
        row = self._row(at_ns)
        plays = (self.spec.pm1, self.spec.pm25, self.spec.pm10)
        return tuple(min(max(round(play.value(row)), 0), 0xFFFF) for play in plays)


def _summed(frame: bytes) -> bytes:
    """Put the sum of all bytes behind them (appendix I)."""
    total = 0
    for byte in frame:
        total = (total + byte) % 0x10000
    return frame + struct.pack(">H", total)
