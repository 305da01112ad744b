"""Plantower PMS5003, PMS7003, PMSA003, PMS3003 and PMS5003T: particulate matter, by their stream.

Datasheet: Plantower PMS5003 series data manual V2.3 (2016): modes, intervals and life under
"Output result" and "Technical index", frame in appendix I, commands in appendix II. Frame and
checksum agree with Adafruit's driver and with PyPMS; the error byte, the commands, and where a
PMS5003T has temperature and humidity, with ESPHome's pmsx003; the frame of a PMS3003, and that it
takes no commands, with PyPMS.
"""

from __future__ import annotations

import struct
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from edgenode.bus import SerialPort
from edgenode.bus.frames import Frames, Shape
from edgenode.bus.held import aged
from edgenode.bus.newest import Newest, Talk
from edgenode.driver import Driver, Found, Grade, Life, Options, WireKind
from edgenode.errors import ImpossibleValue, WrongDevice
from edgenode.reading import Channel, Event, Quality, Sample, SerialLine

HEADER: Final = b"BM"
HEAD_BYTES: Final = 4  # header and length
LENGTH: Final = 28  # of what follows the length: 13 words, version and error among them, checksum
SHORT: Final = 20  # of a PMS3003: six masses, three words that mean nothing, checksum
LENGTHS: Final = range(20, 37)  # PMS3003 to PMS5003ST; the answer to a command is shorter
VERSION_AT, ERROR_AT = 28, 29
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

MASSES: Final = (
    # "Under atmospheric environment"; its resolution is 1 µg/m³, its range 1000 or more.
    Channel("pm1", "ug/m3", observed="AirQualityObserved/pm1", low=0, high=1000),
    Channel("pm25", "ug/m3", observed="AirQualityObserved/pm25", low=0, high=1000),
    Channel("pm10", "ug/m3", observed="AirQualityObserved/pm10", low=0, high=1000),
)
COUNTS: Final = (
    # Above 0.3 µm is what the laser really counts; above 2.5 µm is what it knows of coarse dust.
    # The other four sizes and all masses are computed from the same light.
    Channel("particles_03um", "/dL", low=0, high=65_535),
    Channel("particles_25um", "/dL", low=0, high=65_535),
)
# "CF=1", before the factory's curve for outdoor air.
CF1: Final = Channel("pm25_cf1", "ug/m3", low=0, high=1000)
# Of a PMS5003T, within its housing, which it warms by some degrees.
CLIMATE: Final = (
    Channel("temperature", "Cel", -1, low=-20, high=99),
    Channel("humidity", "%RH", -1, low=0, high=99.9),
)


def size(head: bytes) -> int:
    """Return the bytes of a frame with this head; 0 for a length that the family does not have."""
    length = int.from_bytes(head[2:4], "big")
    return HEAD_BYTES + length if length in LENGTHS else 0


def proved(frame: bytes) -> bool:
    """Whether the last word is the sum of all bytes before it."""
    return sum(frame[:-2]) == int.from_bytes(frame[-2:], "big")


SHAPE: Final = Shape(HEADER, HEAD_BYTES, size, proved)


def masses(frame: bytes) -> tuple[float, ...]:
    """Return PM1, PM2.5, PM10 of a proved frame, in µg/m³."""
    return struct.unpack_from(">3H", frame, 10)


def counts(frame: bytes) -> tuple[float, ...]:
    """Return how many particles are larger than 0.3 and 2.5 µm in 0.1 L."""
    over_03um, _, _, over_25um = struct.unpack_from(">4H", frame, 16)
    return over_03um, over_25um


def cf1(frame: bytes) -> float:
    """Return PM2.5 before the curve for outdoor air, in µg/m³."""
    return int.from_bytes(frame[6:8], "big")


def climate(frame: bytes) -> tuple[float, ...]:
    """Return temperature in °C and relative humidity in % of a PMS5003T."""
    tenths_cel, tenths_rh = struct.unpack_from(">hH", frame, 24)
    return tenths_cel / 10, tenths_rh / 10


def has_climate(frame: bytes) -> bool:
    """Whether a frame of 32 bytes must be of a PMS5003T.

    A PMS5003 counts particles larger than 5 and 10 µm there, and never more than are larger than
    the size before.
    """
    over_25um, over_5um, over_10um = struct.unpack_from(">3H", frame, 22)
    return bool(over_5um > over_25um or over_10um > over_5um)


class PMS5003Options(Options, frozen=True):
    """There is nothing to choose: it has its port to itself and but one way to be set."""


class Plantower(Driver):
    """One sensor in the active mode it powers up in: it talks, and is only listened to.

    `read` gives the newest whole frame. A frame is about the moment in which it was taken in, so
    what queued up while nobody listened is thrown away, never taken for new.
    """

    wire: ClassVar[WireKind] = "serial"
    options: ClassVar[type[Options]] = PMS5003Options
    budget_s: ClassVar[float] = 0.1  # it never waits
    fastest_s: ClassVar[float] = 1.0  # it speaks every 0.2 to 0.8 s in air that changes, else 2.3
    settle_s: ClassVar[float] = 30.0  # the fan needs this long
    line: ClassVar[SerialLine | None] = SerialLine(9600)
    alone: ClassVar[bool] = True
    life: ClassVar[Life | None] = Life(3 * 365.25 * 24, "laser")  # "mean time to failure >= 3 year"
    grade: ClassVar[Grade] = "oracle"
    length: ClassVar[int] = LENGTH
    talk: ClassVar[Talk] = TALK

    def __init__(
        self,
        wire: SerialPort,
        options: PMS5003Options,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        del options
        talk = self.talk._replace(part=self.model)
        self._stream = Newest(wire, Frames(SHAPE), talk, clock, self._is_ours)

    @staticmethod
    @abstractmethod
    def decode(frame: bytes) -> Sample:
        """Turn a proved frame of the right length into a sample."""

    @classmethod
    def recognise(cls, heard: bytes) -> Found | None:
        """Return the part where what was heard holds a proved frame of its kind."""
        frames = [f for f in Frames(SHAPE).cut(heard) if len(f) == HEAD_BYTES + cls.length]
        return Found(cls.name(frames[-1])) if frames and cls.is_kind(frames) else None

    @classmethod
    def is_kind(cls, frames: Sequence[bytes]) -> bool:
        """Whether frames of the right length are of this very part."""
        del frames
        return True

    @classmethod
    def name(cls, frame: bytes) -> str:
        """Return how to call a part that says this."""
        return f"{cls.model}, version 0x{frame[VERSION_AT]:02x}"

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
        sample = self.decode(self._stream.frame)
        return aged(sample) if age_ms > PERIOD_MS else sample

    def close(self) -> None:
        """Give the port back; the sensor goes on talking to nobody."""
        self._stream.close()

    def _is_ours(self, frame: bytes) -> bool:
        """Whether this is a frame of this part. Raises WrongDevice where the length differs."""
        length = len(frame) - HEAD_BYTES
        if length != self.length:
            raise WrongDevice(
                f"expected a {self.model} (length {self.length}), found a frame of length {length}"
                f"; {OTHERS.get(length, 'another part of the family, which no driver reads')}"
            )
        return True


OTHERS: Final = {
    LENGTH: 'write driver = "pms5003", or "pms5003t" for a PMS5003T',
    SHORT: 'write driver = "pms3003"',
}


class PMS5003(Plantower):
    """PMS5003, and PMS7003 and PMSA003, which send the same frame."""

    model: ClassVar[str] = "PMS5003"
    channels: ClassVar[tuple[Channel, ...]] = (*MASSES, *COUNTS, CF1)

    @staticmethod
    def decode(frame: bytes) -> Sample:
        """Return µg/m³ and particles; raise ImpossibleValue where the sensor reports an error."""
        refuse_error(frame, "PMS5003", " (a PMS5003S sends formaldehyde there: another part)")
        return Sample((*masses(frame), *counts(frame), cf1(frame)))

    @classmethod
    def is_kind(cls, frames: Sequence[bytes]) -> bool:
        """Whether none of the frames must be of a PMS5003T."""
        return not any(map(has_climate, frames))

    @classmethod
    def name(cls, frame: bytes) -> str:
        """Return the names of all three, which cannot be told apart."""
        return f"PMS5003, PMS7003 or PMSA003, version 0x{frame[VERSION_AT]:02x}"


class PMS5003T(Plantower):
    """PMS5003T: with temperature and humidity in place of the two largest sizes."""

    model: ClassVar[str] = "PMS5003T"
    channels: ClassVar[tuple[Channel, ...]] = (*MASSES, *COUNTS, CF1, *CLIMATE)

    @staticmethod
    def decode(frame: bytes) -> Sample:
        """Return all; no climate, as a fault, where both of it are 0, which no air is.

        A PMS5003 says so in clean air. Raises ImpossibleValue where the sensor reports an error.
        """
        refuse_error(frame, "PMS5003T")
        dust = (*masses(frame), *counts(frame), cf1(frame))
        air = climate(frame)
        if any(air):
            return Sample((*dust, *air))
        quality = (Quality.OK,) * len(dust) + (Quality.FAULT,) * len(air)
        return Sample((*dust, *(None for _ in air)), quality)

    @classmethod
    def is_kind(cls, frames: Sequence[bytes]) -> bool:
        """Whether one of the frames cannot be of a PMS5003."""
        return any(map(has_climate, frames))


class PMS3003(Plantower):
    """PMS3003: masses only, without an error byte; it takes no commands."""

    model: ClassVar[str] = "PMS3003"
    channels: ClassVar[tuple[Channel, ...]] = (*MASSES, CF1)
    length: ClassVar[int] = SHORT
    talk: ClassVar[Talk] = TALK._replace(wake=b"")

    @staticmethod
    def decode(frame: bytes) -> Sample:
        """Return µg/m³."""
        return Sample((*masses(frame), cf1(frame)))

    @classmethod
    def name(cls, frame: bytes) -> str:
        """Return its name; it tells no version."""
        del frame
        return cls.model


def refuse_error(frame: bytes, model: str, remark: str = "") -> None:
    """Raise ImpossibleValue where the sensor itself reports an error."""
    if frame[ERROR_AT]:
        raise ImpossibleValue(
            f"{model}: it reports error 0x{frame[ERROR_AT]:02x}; clean or replace it{remark}"
        )
