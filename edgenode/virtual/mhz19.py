"""An MH-Z19 as bytes on its serial port: what Winsen's manual of the MH-Z19B (V1.6) says."""

from __future__ import annotations

from typing import ClassVar, Final

from edgenode.virtual.answering import Answering
from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

FRAME_BYTES: Final = 9
INSIDE_CELSIUS: Final = 26
SEED: Final = 19  # garbage is random but the same every time


class MhZ19Spec(Table, frozen=True, tag_field="kind", tag="mhz19"):
    """[[instrument]] kind = "mhz19": ppm, one row of its series each `every_ms`.

    No recorded series holds CO2: carbon monoxide of the road, scaled, stands in for it.
    """

    sensor: str
    bus: str = "gas"
    every_ms: Period = 10_000
    range_ppm: int = 5000
    co2: Play = Play("air_uci:CO_GT", gain=60, offset=420, decimals=0)


class VirtualMHZ19(Answering):
    """One sensor that logs each answer.

    `calibrates` is its ABC setting, which outlives its power.
    """

    quantities: ClassVar = ("co2",)

    def __init__(self, spec: MhZ19Spec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.calibrates = True

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Take in bytes; return what the requests that end in them are answered with."""
        self._heard += data
        said = b""
        while (at := self._heard.find(b"\xff\x01")) >= 0 and len(self._heard) >= at + FRAME_BYTES:
            frame = self._heard[at : at + FRAME_BYTES]
            whole = _summed(frame[:-1]) == frame
            said += self._answered(frame, now_ns) if whole else b""
            self._heard = self._heard[at + (FRAME_BYTES if whole else 1) :]
        self._heard = self._heard[-FRAME_BYTES:]
        return said

    def _answered(self, frame: bytes, now_ns: int) -> bytes:
        fate = self._fate
        if frame[2] == 0x79:
            self.calibrates = frame[3] == 0xA0 if fate == "ok" else self.calibrates
        if frame[2] != 0x86:
            return b""
        ppm = min(max(round(self.spec.co2.value(self._row(now_ns))), 0), self.spec.range_ppm)
        self._log((ppm,), now_ns, fate)
        if fate == "garbage":
            return self._random.randbytes(FRAME_BYTES)
        answer = bytes((0xFF, 0x86, *divmod(ppm, 256), INSIDE_CELSIUS + 40, 0, 0, 0))
        return _summed(answer) if fate == "ok" else b""


def _summed(frame: bytes) -> bytes:
    """Put the checksum behind eight bytes: all but the first added, inverted, and one more."""
    total = 0
    for byte in frame[1:]:
        total = (total + byte) % 256
    return frame + bytes(((255 - total + 1) % 256,))
