"""Nova Fitness SDS011 (and SDS018, SDS021 of the same frame): particulate matter, now and then.

Datasheet: Nova Fitness, SDS011 specification V1.3 (range, life, "data is stable after 30 seconds")
and "Laser Dust Sensor Control Protocol V1.3": frames, reporting mode 02, sleep and work 06,
firmware 07, working period 08 ("works 30 seconds and sleeps n*60-30", one report a period, kept
without power). Frames and commands agree with PyPMS and sds011lib; that one that sleeps heeds
nothing but being woken, with the findings of mkfrey/sds011-esp-raw.

Its laser lasts 8,000 hours, eleven months: so it is told to work half a minute of five.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.bus import SerialPort
from edgenode.bus.frames import Frames, Shape
from edgenode.bus.newest import Newest, Talk, lumps
from edgenode.driver import Driver, Found, Grade, Life, Options, WireKind
from edgenode.errors import BadFrame, BusError, BusTimeout
from edgenode.reading import Channel, Event, Kind, Quality, Sample, SerialLine

HEAD, TAIL = 0xAA, 0xAB
COMMAND: Final = 0xB4
MEASURED, ANSWERED = 0xC0, 0xC5
FRAME_BYTES: Final = 10
DATA_BYTES: Final = 13  # of a command
ANYBODY: Final = b"\xff\xff"  # whatever its id
REPORTING, WORK, FIRMWARE, PERIOD = 0x02, 0x06, 0x07, 0x08
ASK, SET = 0x00, 0x01
ACTIVE: Final = 0x00
ASLEEP, AWAKE = 0x00, 0x01
ANSWER_S: Final = 0.3  # a command and its answer take 30 ms at 9600 baud
TRIES: Final = 3  # the first may only have woken it

WORKING_MS: Final = 30_000  # of each period
EACH_MS: Final = 1_000  # it measures so often while it works all the time
LATE_MS: Final = 10_000  # of a period: its clock is a cheap one
COUNTER: Final = "operating_time"
IF_SILENT: Final = "check its 5 V, and that its TX is on our RX and its RX on our TX"
IF_NOISY: Final = "check the baud rate (9600), the ground wire and what else is on this port"


def size(head: bytes) -> int:
    """Return the bytes of a frame that begins so; 0 where none does."""
    return FRAME_BYTES if head[1] in {MEASURED, ANSWERED} else 0


def proved(frame: bytes) -> bool:
    """Whether the sum of the six bytes between stands before the tail."""
    return frame[-1] == TAIL and sum(frame[2:-2]) & 0xFF == frame[-2]


SHAPE: Final = Shape(bytes((HEAD,)), 2, size, proved)


def command(code: int, *values: int) -> bytes:
    """Return the frame that tells any part something."""
    data = bytes((code, *values)).ljust(DATA_BYTES, b"\0") + ANYBODY
    return bytes((HEAD, COMMAND)) + data + bytes((sum(data) & 0xFF, TAIL))


def decode(frame: bytes) -> tuple[float, float]:
    """Return PM2.5 and PM10 of a proved frame in µg/m³; 0 is a value like any other."""
    return int.from_bytes(frame[2:4], "little") / 10, int.from_bytes(frame[4:6], "little") / 10


def cycle_ms(minutes: int) -> int:
    """Return how long one report may be the newest."""
    return minutes * 60_000 + LATE_MS if minutes else 2 * EACH_MS + EACH_MS // 2


def talk(minutes: int) -> Talk:
    """Return how a part talks that works each so many minutes, or all the time (0)."""
    cycle = cycle_ms(minutes)
    silent_ms = 2 * cycle if minutes else 4 * cycle
    return Talk("SDS011", silent_ms, silent_ms, 100, 0.0, IF_SILENT, IF_NOISY)


class SDS011Options(Options, frozen=True):
    """How often it works."""

    period_min: Annotated[
        int,
        Meta(
            ge=0,
            le=30,
            title="it works half a minute in so many, and tells one value then; 0: all the time",
            description="minutes, 1 to 30, or 0",
        ),
    ] = 5


class Conversation:
    """Commands and their answers, among measurements that come as they like."""

    def __init__(self, port: SerialPort, clock: Callable[[], float]) -> None:
        self._port, self._clock = port, clock
        self._frames = Frames(SHAPE)
        self.bytes = self.frames = 0  # that came
        port.discard()

    def ask(self, code: int, *values: int) -> bytes | None:
        """Return the answer to a command; None where there was none in time."""
        self._port.write(command(code, *values))
        for data in lumps(self._port, self._clock, ANSWER_S):
            self.bytes += len(data)
            for frame in self._frames.cut(data):
                self.frames += 1
                if frame[1] == ANSWERED and frame[2] == code:
                    return frame
        return None

    def settle(self, code: int, value: int) -> None:
        """Set what is kept without power, unless it is so already: its memory wears."""
        told = self.ask(code, ASK)
        if told is None or told[4] != value:
            self.ask(code, SET, value)

    def silence(self) -> BusTimeout | BadFrame:
        """Return what to raise where no frame came."""
        if self.bytes:
            return BadFrame(f"SDS011: {self.bytes} bytes and no whole frame; {IF_NOISY}")
        return BusTimeout(f"SDS011: no answer; {IF_SILENT}")


class SDS011(Driver):
    """One sensor that works by its own clock and tells what it found; asleep while closed."""

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "SDS011"
    options: ClassVar[type[Options]] = SDS011Options
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("pm25", "ug/m3", -1, observed="AirQualityObserved/pm25", low=0, high=999.9),
        Channel("pm10", "ug/m3", -1, observed="AirQualityObserved/pm10", low=0, high=999.9),
        Channel(COUNTER, "s", kind=Kind.COUNTER),  # of fan and laser, while we listened
    )
    since_open: ClassVar[frozenset[str]] = frozenset({COUNTER})
    budget_s: ClassVar[float] = 0.1  # it never waits
    fastest_s: ClassVar[float] = 1.0
    settle_s: ClassVar[float] = WORKING_MS / 1000
    line: ClassVar[SerialLine | None] = SerialLine(9600)
    alone: ClassVar[bool] = True
    life: ClassVar[Life | None] = Life(8_000, "laser", COUNTER)
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self,
        wire: SerialPort,
        options: SDS011Options,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._port, self._cycle_ms = wire, cycle_ms(options.period_min)
        said = Conversation(wire, clock)
        for _ in range(TRIES):
            if said.ask(WORK, SET, AWAKE) or said.frames:
                break
        if not said.frames:
            raise said.silence()
        said.settle(REPORTING, ACTIVE)
        said.settle(PERIOD, options.period_min)
        self._stream = Newest(wire, Frames(SHAPE), talk(options.period_min), clock, _is_measured)
        self._worked_ms = 0
        self._clock, self._opened_s = clock, clock()
        self._told_ms: int | None = None  # when it was last known to work, or was woken

    @classmethod
    def recognise(cls, heard: bytes) -> Found | None:
        """Return the part where a measurement of its is among what was heard."""
        told = [frame for frame in Frames(SHAPE).cut(heard) if _is_measured(frame)]
        return Found(f"SDS011, id {told[-1][6:8].hex()}") if told else None

    @classmethod
    def identify(
        cls, wire: SerialPort, sleep: Callable[[float], None] = time.sleep
    ) -> Found | None:
        """Return the part by its firmware; one that sleeps says nothing."""
        del sleep
        wire.write(command(FIRMWARE))
        heard = wire.receive(2 * FRAME_BYTES, ANSWER_S)  # a measurement may come first
        told = [frame for frame in Frames(SHAPE).cut(heard) if frame[1:3] == VERSION]
        if not told:
            return None
        year, month, day = told[0][3:6]
        words = f"SDS011, id {told[0][6:8].hex()}, firmware 20{year:02}-{month:02}-{day:02}"
        return Found(words)

    def fileno(self) -> int:
        """Return the port's descriptor, readable when the sensor has spoken."""
        return self._stream.fileno()

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Take in what it said. Raises BusError when the port is gone."""
        frames = self._stream.feed(now_ms)
        if self._told_ms is None:
            self._told_ms = now_ms - int((self._clock() - self._opened_s) * 1000)
        if frames:  # it has worked since the last report, or for the half minute before this one
            self._worked_ms += min(now_ms - self._told_ms, WORKING_MS)
            self._told_ms = now_ms
        return ()

    def counts(self) -> Mapping[str, int]:
        """Return for how many seconds fan and laser worked since it was opened."""
        return {COUNTER: self._worked_ms // 1000}

    def resumed(self) -> Mapping[str, int]:
        """Return nothing: while nobody listened nobody counted."""
        return {}

    def keep(self, totals: Mapping[str, int]) -> None:
        """Hand nothing over."""

    def read(self, now_ms: int) -> Sample:
        """Return the newest report, as stale where the next is overdue; none yet is settling.

        Raises BusError, and once two periods are overdue BusTimeout, or BadFrame where there was
        only noise.
        """
        self.feed(now_ms)
        age_ms = self._stream.age_ms(now_ms)
        worked_s = self._worked_ms // 1000
        if not self._stream.frame:
            return Sample((None, None, worked_s), (*(Quality.SETTLING,) * 2, Quality.OK))
        values = (*decode(self._stream.frame), worked_s)
        if age_ms > self._cycle_ms:
            return Sample(values, (*(Quality.STALE,) * 2, Quality.OK))
        return Sample(values)

    def close(self) -> None:
        """Let fan and laser rest, and give the port back."""
        with suppress(BusError):
            self._port.write(command(WORK, SET, ASLEEP))
        self._port.close()


VERSION: Final = bytes((ANSWERED, FIRMWARE))


def _is_measured(frame: bytes) -> bool:
    return frame[1] == MEASURED
