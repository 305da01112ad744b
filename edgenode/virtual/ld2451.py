"""An HLK-LD2451 as bytes on its serial port: what Hi-Link's protocol V1.03 says it sends.

A report each 100 ms with every vehicle in view, an empty one where there is none; some radars say
nothing then (`quiet`). While it is being configured it says nothing either.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.playing import Playing
from edgenode.virtual.series import Play
from edgenode.virtual.traffic import Traffic, Vehicle, Way
from edgenode.virtual.truth import Truth

EACH_NS: Final = 100_000_000
FRAMES_MOST: Final = 128  # in one go, when nobody asked for long: what a tty holds
TARGETS_MOST: Final = 3
NEAREST_M: Final = 3.0
ASIDE_DEGREES: Final = {"toward": -4, "away": 5}
COMMAND_MOST: Final = 64  # bytes that may be the beginning of a command
SEED: Final = 2451  # garbage is random but the same every time


class Ld2451Spec(Table, frozen=True, tag_field="kind", tag="ld2451"):
    """[[instrument]] kind = "ld2451": vehicles both ways, one row of its series each `every_ms`."""

    sensor: str
    bus: str = "road"
    baud: Annotated[int, Meta(ge=9600, le=460_800)] = 115_200
    every_ms: Period = 60_000
    reach_m: Annotated[float, Meta(ge=10, le=200)] = 80.0
    quiet: bool = False
    toward: Play = Play("traffic_nab:occupancy_6005", offset=4)
    away: Play = Play("traffic_nab:occupancy_t4013", offset=4)
    speed_toward: Play = Play("traffic_nab:speed_6005", gain=0.6)
    speed_away: Play = Play("traffic_nab:speed_t4013", gain=0.8)


class VirtualLD2451(Playing):
    """One radar that reports what moves, heard or not; logs what passed, row by row.

    A vehicle that comes nearer is seen from `reach_m` on until it passes at its moment; one that
    goes away from its moment on.
    """

    quantities: ClassVar = ()

    def __init__(self, spec: Ld2451Spec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.spec = spec
        ways = (
            Way("toward", spec.toward, spec.speed_toward),
            Way("away", spec.away, spec.speed_away),
        )
        # Who passes early in a row is in view before it begins, so rows are known one ahead.
        self._ahead_ns = spec.every_ms * 1_000_000
        self._traffic = Traffic(spec.sensor, ways, self._ahead_ns, truth, start_ns)
        self._near: deque[Vehicle] = deque()
        self._due_ns = start_ns + EACH_NS
        self._heard, self._configured = b"", False

    def next_ns(self) -> int | None:
        """Return when the next report is due; None while it is configured."""
        return None if self._configured else self._due_ns

    def speak(self, now_ns: int) -> bytes:
        """Return the reports that are due, the newest FRAMES_MOST of them."""
        said: deque[bytes] = deque(maxlen=FRAMES_MOST)
        while self._due_ns <= now_ns:
            said.append(b"" if self._configured else self._report(self._due_ns))
            self._due_ns += EACH_NS
        return self._as_fated(b"".join(said))

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Begin and end to be configured; return the answers."""
        self._heard = (self._heard + data)[-COMMAND_MOST:]
        answer = b""
        while (at := self._heard.find(bytes.fromhex("fdfcfbfa"))) >= 0:
            end = self._heard.find(bytes.fromhex("04030201"), at)
            if end < 0:
                break
            answer += self._obeyed(self._heard[at + 6 : end], now_ns)
            self._heard = self._heard[end + 4 :]
        return self._as_fated(answer)

    def _power_up(self, now_ns: int) -> None:
        self._heard, self._configured = b"", False
        self._due_ns = max(self._due_ns, now_ns + EACH_NS)

    def _obeyed(self, command: bytes, now_ns: int) -> bytes:
        if command[:1] == b"\xff":
            self._configured = True
            return _answer(b"\xff\x01\x00\x00\x01\x00\x40\x00")
        if command[:1] == b"\xfe" and self._configured:
            self._configured, self._due_ns = False, now_ns + EACH_NS
            return _answer(b"\xfe\x01\x00\x00")
        return b""

    def _as_fated(self, said: bytes) -> bytes:
        fate = self._fate
        if fate == "ok" or not said:
            return said
        return self._random.randbytes(len(said)) if fate == "garbage" else b""

    def _report(self, at_ns: int) -> bytes:
        for row in self._traffic.rows(at_ns + self._ahead_ns):
            self._near.extend(row)
        seen = [target for vehicle in self._near if (target := self._target(vehicle, at_ns))]
        while self._near and self._gone(self._near[0], at_ns):
            self._near.popleft()
        if not seen:
            return b"" if self.spec.quiet else _framed(b"")
        seen = sorted(seen, key=lambda target: target[1])[:TARGETS_MOST]
        comes = any(target[2] for target in seen)
        return _framed(bytes((len(seen), comes)) + b"".join(seen))

    def _target(self, vehicle: Vehicle, at_ns: int) -> bytes:
        """Return what is told of a vehicle; nothing where it is out of sight."""
        behind_s = (at_ns - vehicle.at_ns) / 1e9
        comes = vehicle.direction == "toward"
        distance = NEAREST_M + vehicle.speed / 3.6 * (-behind_s if comes else behind_s)
        if not NEAREST_M <= distance <= self.spec.reach_m:
            return b""
        angle = 0x80 + ASIDE_DEGREES[vehicle.direction]
        return bytes((angle, round(distance), comes, min(255, round(vehicle.speed)), 20))

    def _gone(self, vehicle: Vehicle, at_ns: int) -> bool:
        """Whether nothing of it will be seen any more, however slow it is."""
        return at_ns - vehicle.at_ns > 3.6e9 * self.spec.reach_m / vehicle.speed


def _framed(body: bytes) -> bytes:
    head = struct.pack("<4sH", bytes.fromhex("f4f3f2f1"), len(body))
    return head + body + bytes.fromhex("f8f7f6f5")


def _answer(body: bytes) -> bytes:
    head = struct.pack("<4sH", bytes.fromhex("fdfcfbfa"), len(body))
    return head + body + bytes.fromhex("04030201")
