"""Hi-Link HLK-LD2451: a 24 GHz radar that tells each moving target ten times a second.

Datasheet: Hi-Link "HLK-LD2451 serial communication protocol" V1.03. Frames, the offset of the
angle, and the command that is asked here agree with ArduPilot's AP_Proximity_HLK_LD2451; that some
radars say nothing where others send empty frames is known from a component for ESPHome.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import radians, sin
from typing import Annotated, ClassVar, Final, NamedTuple

from msgspec import Meta

from edgenode.bus import SerialPort
from edgenode.bus.asked import Asked, Question
from edgenode.bus.frames import Frames, Shape
from edgenode.driver import Driver, Found, Options, WireKind
from edgenode.reading import Channel, Event, Sample, SerialLine
from edgenode.traffic import BeamAngle, Direction, Road, Slowest, SuppressBelow, road_channels

HEADER: Final = bytes.fromhex("f4f3f2f1")
TAIL: Final = bytes.fromhex("f8f7f6f5")
HEAD_BYTES: Final = 6  # header and length
TARGET_BYTES: Final = 5
TARGETS_MOST: Final = 20
LENGTHS: Final = (0, *range(2, 2 + TARGET_BYTES * (TARGETS_MOST + 1), TARGET_BYTES))
ANGLE_OFFSET: Final = 0x80
WAYS: Final[tuple[Direction, Direction]] = ("away", "toward")

# "Enable configuration" stops the stream for a moment, and ends with "end configuration".
COMMAND: Final = bytes.fromhex("fdfcfbfa")
COMMAND_TAIL: Final = bytes.fromhex("04030201")
ENABLE: Final = COMMAND + bytes.fromhex("0400 ff00 0100") + COMMAND_TAIL
END: Final = COMMAND + bytes.fromhex("0200 fe00") + COMMAND_TAIL
ACKNOWLEDGED: Final = range(4, 33)  # bytes of an answer, without its head and tail

QUESTION: Final = Question(
    "LD2451",
    ENABLE,
    bool,  # whatever frame it says, it lives
    0.5,  # five frames, or an answer
    if_silent="check its 5 V, and both TX and RX: on an empty road some only answer when asked",
    if_noisy="check the baud rate (115200), the ground wire and what else is on this port",
)


class Target(NamedTuple):
    """One thing that moves."""

    distance: int  # m
    angle: int  # degrees from the axis, to the right
    direction: Direction
    speed: int  # km/h


def size(head: bytes) -> int:
    """Return the bytes of a report with this head; 0 for a length that none has."""
    length = int.from_bytes(head[4:6], "little")
    return HEAD_BYTES + length + len(TAIL) if length in LENGTHS else 0


def proved(frame: bytes) -> bool:
    """Whether it ends as a report does, and holds as many targets as it says, each of them sane.

    There is no checksum.
    """
    body = frame[HEAD_BYTES : -len(TAIL)]
    if not frame.endswith(TAIL) or (body and body[0] != (len(body) - 2) // TARGET_BYTES):
        return False
    return all(way < len(WAYS) for way in body[2 + 2 :: TARGET_BYTES])


def answer_size(head: bytes) -> int:
    """Return the bytes of an answer to a command; 0 for a length that none has."""
    length = int.from_bytes(head[4:6], "little")
    return HEAD_BYTES + length + len(COMMAND_TAIL) if length in ACKNOWLEDGED else 0


def answered(frame: bytes) -> bool:
    """Whether it ends as an answer does, and is one: 01 stands behind the command."""
    return frame.endswith(COMMAND_TAIL) and frame[HEAD_BYTES + 1] == 1


SHAPE: Final = Shape(HEADER, HEAD_BYTES, size, proved)
ANSWER: Final = Shape(COMMAND, HEAD_BYTES, answer_size, answered)


class Both:
    """Cuts a stream into reports and answers."""

    def __init__(self) -> None:
        self._cutters = (Frames(ANSWER), Frames(SHAPE))

    def cut(self, data: bytes) -> list[bytes]:
        """Take in bytes; return the frames that are whole now, answers first."""
        return [frame for cutter in self._cutters for frame in cutter.cut(data)]

    def clear(self) -> None:
        """Forget the beginnings of frames."""
        for cutter in self._cutters:
            cutter.clear()


def targets(frame: bytes) -> list[Target]:
    """Return what a report holds; nothing of an answer."""
    if not frame.startswith(HEADER):
        return []
    body = frame[HEAD_BYTES + 2 : -len(TAIL)]
    return [
        Target(body[at + 1], body[at] - ANGLE_OFFSET, WAYS[body[at + 2]], body[at + 3])
        for at in range(0, len(body), TARGET_BYTES)
    ]


@dataclass(slots=True)
class Track:
    """One vehicle as it is followed from report to report."""

    direction: Direction
    distance: float  # m
    aside: float  # m from the axis
    speed: float  # km/h
    at_ms: int
    reports: int = 0
    speeds: float = 0.0
    crossed_ms: int | None = None
    counted: bool = False

    def ahead(self, at_ms: int) -> float:
        """Return the distance that it should have by now."""
        run = self.speed / 3.6 * (at_ms - self.at_ms) / 1000
        return self.distance + (run if self.direction == "away" else -run)


class Tracker:
    """Follows vehicles and tells a Road of each once: when it crosses a line across the road.

    A target belongs to the nearest track of its direction, no further than GATE_M from where that
    should be by now; else it begins one. A track that nothing was added to for LOST_MS ends. A
    vehicle has crossed when two reports of one track lie on both sides of the line, and counts
    with its third report. So a track that breaks up elsewhere costs nothing and counts nothing.
    """

    GATE_M: ClassVar[float] = 6.0  # rounding of distance and speed, a lane's width, braking
    LOST_MS: ClassVar[int] = 700
    REPORTS_LEAST: ClassVar[int] = 3
    TRACKS_MOST: ClassVar[int] = 2 * TARGETS_MOST

    def __init__(self, road: Road, line_m: float) -> None:
        self._road, self._line_m = road, line_m
        self._tracks: list[Track] = []

    def take(self, seen: Iterable[Target], at_ms: int) -> None:
        """Take in one report."""
        self._tracks = [t for t in self._tracks if at_ms - t.at_ms <= self.LOST_MS]
        free = list(self._tracks)
        for target in seen:
            track = self._nearest(free, target, at_ms)
            if track:
                free.remove(track)
            else:
                track = Track(target.direction, target.distance, _aside(target), 0.0, at_ms)
                self._tracks = [*self._tracks, track][-self.TRACKS_MOST :]
            self._add(track, target, at_ms)

    def _nearest(self, free: list[Track], target: Target, at_ms: int) -> Track | None:
        def away_m(track: Track) -> float:
            off_m = abs(track.ahead(at_ms) - target.distance)
            return off_m + abs(track.aside - _aside(target))

        same = [track for track in free if track.direction == target.direction]
        nearest = min(same, key=away_m, default=None)
        return nearest if nearest and away_m(nearest) <= self.GATE_M else None

    def _add(self, track: Track, target: Target, at_ms: int) -> None:
        was_beyond, is_beyond = track.distance > self._line_m, target.distance > self._line_m
        if was_beyond != is_beyond and is_beyond == (track.direction == "away"):
            track.crossed_ms = at_ms
        track.distance, track.aside = target.distance, _aside(target)
        track.speed, track.at_ms = target.speed, at_ms
        track.reports += 1
        track.speeds += target.speed
        if track.crossed_ms is None or track.counted or track.reports < self.REPORTS_LEAST:
            return
        track.counted = True
        self._road.passed(track.direction, track.crossed_ms, track.speeds / track.reports)


def _aside(target: Target) -> float:
    return target.distance * sin(radians(target.angle))


class LD2451Options(Options, frozen=True):
    """What an installer may choose; the radar itself is left as it is set."""

    suppress_below: SuppressBelow = 3
    slowest_kmh: Slowest = 5
    angle_deg: BeamAngle = 0
    line_m: Annotated[
        int,
        Meta(
            ge=3,
            le=150,
            title="how far from the radar vehicles count",
            description="metres, 3 to 150",
        ),
    ] = 20


class LD2451(Driver):
    """One radar, listened to; asked only where it has said nothing since the last sample."""

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "HLK-LD2451"
    options: ClassVar[type[Options]] = LD2451Options
    channels: ClassVar[tuple[Channel, ...]] = road_channels()
    budget_s: ClassVar[float] = 1.0
    fastest_s: ClassVar[float] = 10.0  # more often, it would be single vehicles
    line: ClassVar[SerialLine | None] = SerialLine(115_200)
    alone: ClassVar[bool] = True

    def __init__(
        self,
        wire: SerialPort,
        options: LD2451Options,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._port = Asked(wire, Both(), QUESTION, clock)
        self._road = Road(options.suppress_below, options.slowest_kmh, options.angle_deg)
        self._tracker = Tracker(self._road, options.line_m)
        self._heard = bool(self._ask())  # since the last sample

    @classmethod
    def recognise(cls, heard: bytes) -> Found | None:
        """Return it if it reports, be it nothing."""
        return Found("HLK-LD2451 radar") if Frames(SHAPE).cut(heard) else None

    def fileno(self) -> int:
        """Return the port's descriptor, readable when the radar has spoken."""
        return self._port.fileno()

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Take in what it reported. Raises BusError when the port is gone."""
        self._take(self._port.heard(), now_ms)
        return ()

    def read(self, now_ms: int) -> Sample:
        """Return what passed since the last sample, each direction by itself.

        Raises BusError, and where it has said nothing and does not answer either BusTimeout, or
        BadFrame if others do.
        """
        self.feed(now_ms)
        if not self._heard:
            self._take(self._ask(), now_ms)
        self._heard = False
        return self._road.sample()

    def close(self) -> None:
        """Give the port back; the radar goes on talking to nobody."""
        self._port.close()

    def _ask(self) -> list[bytes]:
        frames = self._port.ask()
        self._port.say(END)
        return frames

    def _take(self, frames: Sequence[bytes], now_ms: int) -> None:
        self._heard = self._heard or bool(frames)
        for frame in frames:
            self._tracker.take(targets(frame), now_ms)
