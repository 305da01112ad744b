"""An OPS243-A as lines on its serial port: what OmniPreSense's manual and AN-010 say it sends.

It reports each vehicle several times while it passes ("speed"), or once or twice as its own object
detection has it (ON, "detected"), or once when it is past, with its length (OC, "object"). It
answers queries in JSON, and obeys the commands that set units and JSON.
"""

from __future__ import annotations

import json
from heapq import heappop, heappush
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.playing import Playing
from edgenode.virtual.series import Play
from edgenode.virtual.traffic import Traffic, Vehicle, Way
from edgenode.virtual.truth import Truth

REPORTS: Final = 5  # of a vehicle that is not detected as an object
REPORT_NS: Final = 110_000_000  # 1024 samples at 10 kHz, and some more
SEED: Final = 243  # garbage is random but the same every time
PRODUCT: Final = "OPS243 Doppler"
HEARD_MOST: Final = 16
# The letter that sets it, what U? answers, what lines with a unit say, and km/h in one.
UNITS: Final = {
    "K": ("km-per-hr", "kmph", 1.0),
    "M": ("m-per-sec", "mps", 3.6),
    "S": ("mph", "mph", 1.609344),
}


class Ops243Spec(Table, frozen=True, tag_field="kind", tag="ops243"):
    """[[instrument]] kind = "ops243": vehicles both ways, one row of its series each `every_ms`."""

    sensor: str
    bus: str = "road"
    baud: Annotated[int, Meta(ge=9600, le=230_400)] = 19200
    every_ms: Period = 60_000
    reports: Literal["speed", "detected", "object"] = "speed"
    units: Literal["K", "M", "S"] = "M"
    in_json: bool = True
    named: bool = False  # lines name their unit
    toward: Play = Play("traffic_nab:occupancy_6005", offset=4)
    away: Play = Play("traffic_nab:occupancy_t4013", offset=4)
    speed_toward: Play = Play("traffic_nab:speed_6005", gain=0.6)
    speed_away: Play = Play("traffic_nab:speed_t4013", gain=0.8)


class VirtualOPS243(Playing):
    """One radar that reports what passes, heard or not; logs what passed, row by row."""

    quantities: ClassVar = ()

    def __init__(self, spec: Ops243Spec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.spec = spec
        ways = (
            Way("toward", spec.toward, spec.speed_toward),
            Way("away", spec.away, spec.speed_away),
        )
        self._traffic = Traffic(spec.sensor, ways, spec.every_ms * 1_000_000, truth, start_ns)
        self._queue: list[tuple[int, str, float, float]] = []  # ns, direction, km/h, m
        self._heard: str = ""
        self._units, self._in_json = spec.units, spec.in_json

    def next_ns(self) -> int:
        """Return when the next report is due, or the next row begins."""
        return min(self._traffic.next_ns, self._queue[0][0] if self._queue else 1 << 62)

    def speak(self, now_ns: int) -> bytes:
        """Return the reports that are due."""
        for row in self._traffic.rows(now_ns):
            for vehicle in row:
                self._plan(vehicle)
        said = b""
        while self._queue and self._queue[0][0] <= now_ns:
            _, direction, speed, length = heappop(self._queue)
            said += self._line(direction, speed, length)
        return self._as_fated(said)

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Obey commands of two letters; return what they are answered with."""
        del now_ns
        self._heard += data.decode("ascii", "replace")
        answer = ""
        while len(self._heard) >= 2:
            reply = self._obeyed(self._heard[:2])
            answer += f"{reply}\r\n" if reply else ""
            self._heard = self._heard[2 if reply else 1 :]
        self._heard = self._heard[-HEARD_MOST:]
        return self._as_fated(answer.encode())

    def _power_up(self, now_ns: int) -> None:
        del now_ns
        self._heard = ""
        self._units, self._in_json = self.spec.units, self.spec.in_json

    def _as_fated(self, said: bytes) -> bytes:
        fate = self._fate
        if fate == "ok" or not said:
            return said
        return self._random.randbytes(len(said)) if fate == "garbage" else b""

    def _obeyed(self, command: str) -> str:
        """Obey a command; return the answer, "" to what is none."""
        if command in {"OJ", "Oj"}:
            self._in_json = command == "OJ"
            return json.dumps({"OutputFeature": command[1]})
        if command == "?P":
            return json.dumps({"Product": PRODUCT})
        if command[0] == "U" and command[1] in {*UNITS, "?"}:
            self._units = self._units if command[1] == "?" else command[1]  # type: ignore[assignment]
            return json.dumps({"Units": UNITS[self._units][0]})
        return ""

    def _plan(self, vehicle: Vehicle) -> None:
        """Put what will be reported of a vehicle where it belongs; its last report is the peak."""
        many = {"speed": REPORTS, "detected": 2, "object": 1}[self.spec.reports]
        for n in range(many):
            at_ns = vehicle.at_ns + n * REPORT_NS
            speed = vehicle.speed * (1 - 0.02 * (many - 1 - n))
            heappush(self._queue, (at_ns, vehicle.direction, speed, vehicle.length))

    def _line(self, direction: str, speed: float, length: float) -> bytes:
        if self.spec.reports == "object":
            said = {
                "classifier": "object_inbound" if direction == "toward" else "object_outbound",
                "max_speed_mps": round(speed / 3.6, 2),
                "length_m": length,
            }
            return json.dumps(said).encode() + b"\r\n"
        _, unit, per = UNITS[self._units]
        signed = round((speed if direction == "toward" else -speed) / per, 2)
        if self._in_json:
            name = "DetectedObjectVelocity" if self.spec.reports == "detected" else "speed"
            fields = {**({"unit": unit} if self.spec.named else {}), name: signed}
            return json.dumps(fields).encode() + b"\r\n"
        named = f'"{unit}",' if self.spec.named else ""
        return f"{named}{signed:.2f}\r\n".encode()
