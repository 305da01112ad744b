"""A TF-Luna or TFmini-S as bytes on its serial port: what Benewake's manuals say it sends.

100 measurements a second of a lane that it looks down on: the road, or the roof of what passes.
They arrive some at a time, as an adapter hands them over.
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

EACH_NS: Final = 10_000_000
FRAMES_MOST: Final = 400  # in one go, when nobody asked for long: what a tty holds
ROOF_CM: Final = 150  # of what is shorter than LORRY_M
LORRY_CM: Final = 350
LORRY_M: Final = 6.0
SEED: Final = 59  # garbage is random but the same every time


class TfLunaSpec(Table, frozen=True, tag_field="kind", tag="tfluna"):
    """[[instrument]] kind = "tfluna": one lane from above, one row of its series each `every_ms`.

    A strength below 100 or of 65535 is no result. What a TFmini-S sends is the same.
    """

    sensor: str
    bus: str = "lane"
    baud: Annotated[int, Meta(ge=9600, le=921_600)] = 115_200
    every_ms: Period = 60_000
    mount_cm: Annotated[int, Meta(ge=100, le=1200)] = 600
    burst: Annotated[int, Meta(ge=1, le=100)] = 2  # measurements handed over at once
    vehicles: Play = Play("traffic_nab:occupancy_6005", offset=5)
    speed: Play = Play("traffic_nab:speed_6005", gain=0.5)
    strength: Play = Play(offset=1000)
    temperature: Play = Play("air_uci:T", decimals=2)


class VirtualTFLuna(Playing):
    """One lidar that measures, heard or not; logs what passed, row by row."""

    quantities: ClassVar = ()

    def __init__(self, spec: TfLunaSpec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.spec = spec
        ways = (Way("", spec.vehicles, spec.speed),)
        self._traffic = Traffic(spec.sensor, ways, spec.every_ms * 1_000_000, truth, start_ns)
        self._coming: deque[Vehicle] = deque()
        self._measured_ns = start_ns  # the newest measurement
        self._light: tuple[int, bytes] = (-1, b"")  # the row, and what frames of it end with

    def next_ns(self) -> int:
        """Return when measurements are handed over next."""
        return self._measured_ns + self.spec.burst * EACH_NS

    def speak(self, now_ns: int) -> bytes:
        """Return the measurements that are due, the newest FRAMES_MOST of them."""
        said: deque[bytes] = deque(maxlen=FRAMES_MOST)
        while self.next_ns() <= now_ns:
            for _ in range(self.spec.burst):
                self._measured_ns += EACH_NS
                said.append(self._frame(self._measured_ns))
        fate, data = self._fate, b"".join(said)
        if fate == "garbage":
            return self._random.randbytes(len(data))
        return data if fate == "ok" else b""

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Take no command: it is only listened to."""
        del data, now_ns
        return b""

    def _frame(self, at_ns: int) -> bytes:
        for row in self._traffic.rows(at_ns):
            self._coming.extend(row)
        while self._coming and at_ns >= _until_ns(self._coming[0]):
            self._coming.popleft()
        distance = self.spec.mount_cm
        if self._coming and at_ns >= self._coming[0].at_ns:
            distance -= ROOF_CM if self._coming[0].length < LORRY_M else LORRY_CM
        head = struct.pack("<2sH", b"\x59\x59", distance) + self._lit(at_ns)
        return head + bytes((sum(head) & 0xFF,))

    def _lit(self, at_ns: int) -> bytes:
        """Return strength and temperature, which stay the same for a row."""
        row = self._row(at_ns)
        if self._light[0] != row:
            strength = max(0, min(0xFFFF, round(self.spec.strength.value(row))))
            raw = max(0, min(0xFFFF, round((self.spec.temperature.value(row) + 256) * 8)))
            self._light = row, struct.pack("<2H", strength, raw)
        return self._light[1]


def _until_ns(vehicle: Vehicle) -> int:
    """Return when its rear has passed."""
    return vehicle.at_ns + int(vehicle.length * 3.6e9 / vehicle.speed)
