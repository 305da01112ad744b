"""Plantower PMS5003 (and PMS7003, PMSA003 of the same frame): particulate matter, by its stream.

Datasheet: Plantower PMS5003 series data manual V2.3 (2016): modes and intervals under "Output
result", frame in appendix I, commands in appendix II. Frame and checksum agree with Adafruit's
driver; the error byte and the commands with ESPHome's pmsx003.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from edgenode.bus import SerialPort
from edgenode.bus.frames import Frames, Shape
from edgenode.bus.newest import Newest, Talk
from edgenode.driver import Driver, Options, WireKind
from edgenode.errors import ImpossibleValue, WrongDevice
from edgenode.reading import Channel, Event, Quality, Sample, SerialLine

HEADER: Final = b"BM"
HEAD_BYTES: Final = 4  # header and length
LENGTH: Final = 28  # of what follows the length: 13 words, version and error among them, checksum
LENGTHS: Final = range(20, 37)  # PMS3003 to PMS5003ST; the answer to a command is shorter
ERROR_AT: Final = 29
WAKE: Final = bytes.fromhex("424de400010174")
STREAM: Final = bytes.fromhex("424de100010171")  # active mode, in which it talks by itself

PERIOD_MS: Final = 2_500  # 2.3 s in steady air ("stable mode"), and what a busy node may add
TALK: Final = Talk(
    "PMS5003",
    silent_ms=4 * PERIOD_MS,
    unheard_ms=2 * PERIOD_MS,  # a frame may be late
    gap_ms=150,  # a frame takes 33 ms at 9600 baud
    opening_s=3.0,  # one period, one frame, and some more
    if_silent="check its 5 V, that SET is not low, and that its TX is on our RX",
    if_noisy="check the baud rate (9600), the ground wire and what else is on this port",
    # Asleep, or told by another program to speak only when asked.
    wake=WAKE + STREAM,
)


def size(head: bytes) -> int:
    """Return the bytes of a frame with this head; 0 for a length that the family does not have."""
    length = int.from_bytes(head[2:4], "big")
    return HEAD_BYTES + length if length in LENGTHS else 0


def proved(frame: bytes) -> bool:
    """Whether the last word is the sum of all bytes before it."""
    return sum(frame[:-2]) == int.from_bytes(frame[-2:], "big")


SHAPE: Final = Shape(HEADER, HEAD_BYTES, size, proved)


def decode(frame: bytes) -> Sample:
    """Turn a proved frame of 32 bytes into µg/m³ and particles in 0.1 L.

    Raises ImpossibleValue where the sensor itself reports an error.
    """
    if frame[ERROR_AT]:
        raise ImpossibleValue(
            f"PMS5003: it reports error 0x{frame[ERROR_AT]:02x}; clean or replace it "
            "(a PMS5003S sends formaldehyde there: it is another part)"
        )
    pm25_cf1 = int.from_bytes(frame[6:8], "big")
    pm1, pm25, pm10, over_03um, _, _, over_25um = struct.unpack_from(">7H", frame, 10)
    return Sample((pm1, pm25, pm10, over_03um, over_25um, pm25_cf1))


class PMS5003Options(Options, frozen=True):
    """There is nothing to choose: it has its port to itself and but one way to be set."""


class PMS5003(Driver):
    """One sensor in the active mode it powers up in: it talks, and is only listened to.

    `read` gives the newest whole frame. A frame is about the moment in which it was taken in, so
    what queued up while nobody listened is thrown away, never taken for new.
    """

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "PMS5003"
    options: ClassVar[type[Options]] = PMS5003Options
    channels: ClassVar[tuple[Channel, ...]] = (
        # "Under atmospheric environment"; its resolution is 1 µg/m³, its range 1000 or more.
        Channel("pm1", "ug/m3", observed="AirQualityObserved/pm1", low=0, high=1000),
        Channel("pm25", "ug/m3", observed="AirQualityObserved/pm25", low=0, high=1000),
        Channel("pm10", "ug/m3", observed="AirQualityObserved/pm10", low=0, high=1000),
        # Above 0.3 µm is what the laser really counts; above 2.5 µm is what it knows of coarse
        # dust. The other four sizes and all masses are computed from the same light.
        Channel("particles_03um", "/dL", low=0, high=65_535),
        Channel("particles_25um", "/dL", low=0, high=65_535),
        # "CF=1", before the factory's curve for outdoor air: published corrections start here.
        Channel("pm25_cf1", "ug/m3", low=0, high=1000),
    )
    budget_s: ClassVar[float] = 0.1  # it never waits
    fastest_s: ClassVar[float] = 1.0  # it speaks every 0.2 to 0.8 s in air that changes, else 2.3
    settle_s: ClassVar[float] = 30.0  # the fan needs this long
    line: ClassVar[SerialLine | None] = SerialLine(9600)
    alone: ClassVar[bool] = True

    def __init__(
        self,
        wire: SerialPort,
        options: PMS5003Options,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        del options
        self._stream = Newest(wire, Frames(SHAPE), TALK, clock, _is_ours)

    def fileno(self) -> int:
        """Return the port's descriptor, readable when the sensor has spoken."""
        return self._stream.fileno()

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Take in what it said. Raises BusError when the port is gone, WrongDevice."""
        self._stream.feed(now_ms)
        return ()

    def read(self, now_ms: int) -> Sample:
        """Return the newest frame, as stale where it is older than one period.

        Raises BusError, WrongDevice, ImpossibleValue where the sensor reports an error, and after
        four periods without a frame BusTimeout, or BadFrame where there was only noise.
        """
        self._stream.feed(now_ms)
        age_ms = self._stream.age_ms(now_ms)
        sample = decode(self._stream.frame)
        if age_ms > PERIOD_MS:
            return Sample(sample.values, (Quality.STALE,) * len(sample.values))
        return sample

    def close(self) -> None:
        """Give the port back; the sensor goes on talking to nobody."""
        self._stream.close()


def _is_ours(frame: bytes) -> bool:
    """Whether this is a frame of this part. Raises WrongDevice where the length is another's."""
    length = len(frame) - HEAD_BYTES
    if length != LENGTH:
        raise WrongDevice(
            f"expected a PMS5003 (length {LENGTH}), found a frame of length {length}; "
            "it is another part of the family, which this driver does not read"
        )
    return True
