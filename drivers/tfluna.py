"""Benewake TF-Luna and TFmini(-S): a lidar that looks across a lane, or down on it.

Datasheet: Benewake SJ-PM-TF-Luna A05, "Basic data output" (frame, temperature, strength below 100
or 65535 as unreliable, above 32768 as ambient light), SJ-PM-TFmini-S A02 (distance 65535, 65534
and 65532 for a weak signal, saturation and ambient light). The frame agrees with Adafruit's
tfmini, the marks of what is unreliable with budryerson's TFMini-Plus.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar, Final, Literal, NamedTuple

from msgspec import Meta

from edgenode.bus import ActiveTime, SerialPort
from edgenode.bus.frames import Frames, Shape
from edgenode.bus.newest import Newest, Talk
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import BadFrame, ImpossibleValue
from edgenode.reading import Channel, Event, Quality, Sample, SerialLine
from edgenode.traffic import Flow, Mean, SuppressBelow, lane_channels, told, withheld

HEADER: Final = b"\x59\x59"
FRAME_BYTES: Final = 9
FRAME_MS: Final = 10  # 100 Hz, as they are delivered
WEAK_BELOW: Final = 100
SATURATED: Final = 0xFFFF  # as a strength
GLARE: Final = 32_769  # as a strength of a TF-Luna, and all above it: ambient light
ERRORS_FROM: Final = 65_532  # as a distance, and all above it
SATURATED_AT: Final = 65_534
DARK_CM: Final = 65_532  # ambient light
BLIND_SHARE: Final = 0.1  # of the frames, from which on what they sum up is an estimate

Echo = Literal["seen", "none", "blinded"]


class Frame(NamedTuple):
    """One measurement."""

    echo: Echo
    distance: int  # cm, where there was an echo
    strength: int
    temperature: float  # °C of the chip; the TFmini of old has its mode there


def decode(frame: bytes, glare: int = SATURATED) -> Frame:
    """Turn a proved frame of 9 bytes into a measurement; a strength from `glare` on is none."""
    distance = frame[2] | frame[3] << 8
    strength = frame[4] | frame[5] << 8
    temperature = (frame[6] | frame[7] << 8) / 8 - 256
    if strength >= glare or distance in {SATURATED_AT, DARK_CM}:
        return Frame("blinded", distance, strength, temperature)
    if strength < WEAK_BELOW or distance == 0 or distance >= ERRORS_FROM:
        return Frame("none", distance, strength, temperature)
    return Frame("seen", distance, strength, temperature)


def proved(frame: bytes) -> bool:
    """Whether the last byte is the low one of the sum of all before it."""
    return sum(frame[:-1]) & 0xFF == frame[-1]


SHAPE: Final = Shape(HEADER, len(HEADER), lambda _: FRAME_BYTES, proved)


def _range(low: int, high: int, unit: str, title: str) -> Meta:
    return Meta(ge=low, le=high, title=title, description=f"{unit}, {low} to {high}")


class LidarOptions(Options, frozen=True):
    """What an installer measures and chooses; the lidar itself is left as it is set."""

    nearer_cm: Annotated[
        int, _range(20, 1200, "cm", "a vehicle is there where something is nearer")
    ]
    hysteresis_cm: Annotated[
        int, _range(0, 200, "cm", "it is gone where nothing is nearer by so much more")
    ] = 20
    shortest_ms: Annotated[int, _range(0, 1000, "ms", "what is there for less is no vehicle")] = 30
    merge_ms: Annotated[
        int, _range(0, 2000, "ms", "a gap that is shorter is within one vehicle")
    ] = 200
    no_echo: Annotated[
        Literal["unknown", "clear"],
        Meta(description="what it means that nothing comes back; clear where nothing stands there"),
    ] = "unknown"
    mount_cm: Annotated[
        int, _range(0, 1200, "cm", "height above the road, if it looks down; then heights are told")
    ] = 0
    suppress_below: SuppressBelow = 3


class Change(NamedTuple):
    """Something came or went."""

    at_ms: float
    present: bool


class Presence:
    """Whether a vehicle is there, of one measurement after another.

    A change counts once it has lasted: coming for `shortest_ms`, going for `merge_ms`; then it is
    of the moment at which it began. A measurement that says nothing (None) changes nothing.
    """

    def __init__(self, options: LidarOptions) -> None:
        self._enter_cm = options.nearer_cm
        self._leave_cm = options.nearer_cm + options.hysteresis_cm
        self._lasts_ms = {True: options.shortest_ms, False: options.merge_ms}
        self.lag_ms = max(self._lasts_ms.values())  # after which a moment is decided
        self.present = False
        self._since_ms: float | None = None  # of a change that has yet to last

    def seen(self, distance: float | None, at_ms: float) -> Change | None:
        """Take in a distance in cm, infinite where nothing is there; return a change."""
        if distance is None:
            return None
        near = distance < (self._leave_cm if self.present else self._enter_cm)
        if near == self.present:
            self._since_ms = None
            return None
        self._since_ms = at_ms if self._since_ms is None else self._since_ms
        if at_ms - self._since_ms < self._lasts_ms[near]:
            return None
        change, self._since_ms, self.present = Change(self._since_ms, near), None, near
        return change


class TFLuna(Driver):
    """One lidar that measures 100 times a second and is only listened to."""

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "TF-Luna"
    options: ClassVar[type[Options]] = LidarOptions
    channels: ClassVar[tuple[Channel, ...]] = (
        *lane_channels(),
        Channel("temperature", "Cel", -1, low=-40, high=125),
    )
    budget_s: ClassVar[float] = 0.1  # it never waits
    fastest_s: ClassVar[float] = 10.0  # more often, it would be single vehicles
    line: ClassVar[SerialLine | None] = SerialLine(115_200)
    alone: ClassVar[bool] = True
    pace_s: ClassVar[float] = 0.25  # 225 bytes; to wake up for each frame would cost far more
    varies: ClassVar[bool] = True
    grade: ClassVar[Grade] = "oracle"
    warm: ClassVar[bool] = True  # it tells its temperature
    glare: ClassVar[int] = GLARE

    def __init__(
        self,
        wire: SerialPort,
        options: LidarOptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        talk = Talk(
            self.model,
            silent_ms=1000,
            unheard_ms=1000,
            gap_ms=1000,  # it has none
            opening_s=1.0,
            if_silent="check its 5 V, that its TX is on our RX, and that it is not set to I2C",
            if_noisy="check the baud rate (115200), the ground wire and what else is on this port",
        )
        self._stream = Newest(wire, Frames(SHAPE), talk, clock)
        self._presence, self._time = Presence(options), ActiveTime(active=False)
        self._flow, self._gaps, self._heights = Flow(), Mean(), Mean()
        self._nearest: float | None = None  # of the vehicle that is there
        self._frames = self._blind = 0  # since the last sample; and in those that were held back
        self._fed_ms: int | None = None
        self._watched = False

    @classmethod
    def declare(cls, options: LidarOptions) -> tuple[Channel, ...]:
        """Return the channels: with a height where it looks down, and of a TF-Luna its warmth."""
        if not options.mount_cm:
            return cls.channels
        lane = len(lane_channels())
        height = Channel("height", "m", -1, low=0, high=12)
        return (*cls.channels[:lane], height, *cls.channels[lane:])

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels of this lidar."""
        return self.declare(self._options)

    @classmethod
    def recognise(cls, heard: bytes) -> Found | None:
        """Return it if most of what is heard are its frames; a TFmini's look the same."""
        frames = Frames(SHAPE).cut(heard)
        if 2 * FRAME_BYTES * len(frames) < max(len(heard), 10 * FRAME_BYTES):
            return None
        # A guess for the installer to correct: nearer than three quarters of the way to what is
        # farthest, which is the road or what stands behind it.
        far = max((f.distance for f in map(decode, frames) if f.echo == "seen"), default=400)
        words = "TF-Luna or TFmini lidar; nearer_cm is a guess: three quarters of its view"
        return Found(words, {"nearer_cm": min(1200, max(20, far * 3 // 4))})

    def fileno(self) -> int:
        """Return no descriptor: it always has something to say, and is fed each `pace_s`."""
        return -1

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Take in what it measured. Raises BusError when the port is gone."""
        frames = self._stream.feed(now_ms)
        before = now_ms - FRAME_MS * len(frames)
        if self._fed_ms is not None and now_ms - self._fed_ms < 2 * FRAME_MS * len(frames):
            before = self._fed_ms  # evenly between the two feedings, whatever its rate is
        for n, frame in enumerate(frames, 1):
            self._take(decode(frame, self.glare), before + (now_ms - before) * n / len(frames))
        self._fed_ms = now_ms
        return ()

    def read(self, now_ms: int) -> Sample:
        """Return what passed since the last sample.

        Raises BusError, BusTimeout after a second without a frame, BadFrame where there was noise
        instead or no frame at all, ImpossibleValue where none of them had an echo.
        """
        self.feed(now_ms)
        self._stream.age_ms(now_ms)
        first, self._watched = not self._watched, True
        if not first and not self._frames:
            raise BadFrame(f"{self.model}: no frame since the last sample; check the cable")
        if self._frames and self._blind == self._frames:
            raise ImpossibleValue(
                f"{self.model}: nothing comes back, or light blinds it; clean it and check its "
                'aim, or set no_echo = "clear" where nothing stands behind the lane'
            )
        decided_ms = now_ms - self._presence.lag_ms
        hidden = not first and withheld(self._flow.vehicles, self._options.suppress_below)
        share = None if hidden else self._time.share(decided_ms)[0]
        sample = told(self._values(share, first=first), hidden=hidden)
        if not hidden:
            sample = self._judged(sample)
            self._flow.renew()
            self._gaps, self._heights = Mean(), Mean()
        return self._with_temperature(sample)

    def close(self) -> None:
        """Give the port back; the lidar goes on measuring."""
        self._stream.close()

    def _take(self, frame: Frame, at_ms: float) -> None:
        self._frames += 1
        distance: float | None = frame.distance
        if frame.echo != "seen":
            clear = frame.echo == "none" and self._options.no_echo == "clear"
            distance = float("inf") if clear else None
            self._blind += not clear
        change = self._presence.seen(distance, at_ms)
        if change:
            self._change(change)
        if self._presence.present and distance is not None:
            self._nearest = min(distance, self._nearest or distance)

    def _change(self, change: Change) -> None:
        at_ms = round(change.at_ms)
        lasted_ms = self._time.change(at_ms, active=change.present)
        if change.present:
            self._flow.passed(at_ms)
            if lasted_ms >= 0:
                self._gaps.add(lasted_ms / 1000)
        elif self._nearest is not None and self._options.mount_cm:
            self._heights.add((self._options.mount_cm - self._nearest) / 100)
        self._nearest = None

    def _values(self, share: float | None, *, first: bool) -> tuple[float | None, ...]:
        height = (self._heights.value,) if self._options.mount_cm else ()
        if first:
            return (None,) * len((*lane_channels(), *height))
        occupancy = None if share is None else 100 * share
        return (self._flow.vehicles, occupancy, self._flow.headway, self._gaps.value, *height)

    def _judged(self, sample: Sample) -> Sample:
        """Mark what too many measurements without a result may have falsified."""
        blind, self._blind = self._blind, 0
        frames, self._frames = self._frames, 0
        if blind <= BLIND_SHARE * frames:
            return sample
        estimated = {Quality.OK: Quality.ESTIMATED}
        return Sample(sample.values, tuple(estimated.get(q, q) for q in sample.quality))

    def _with_temperature(self, sample: Sample) -> Sample:
        if not self.warm:
            return sample
        temperature = decode(self._stream.frame).temperature
        return Sample((*sample.values, temperature), (*sample.quality, Quality.OK))


class TFmini(TFLuna):
    """A TFmini or TFmini-S: the same frame, with a reach of 12 m and no temperature to rely on."""

    model: ClassVar[str] = "TFmini-S"
    channels: ClassVar[tuple[Channel, ...]] = lane_channels()
    warm: ClassVar[bool] = False
    glare: ClassVar[int] = SATURATED
