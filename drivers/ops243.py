"""OmniPreSense OPS243-A: a Doppler radar beside the road; speeds both ways as lines of text.

Datasheet: OmniPreSense UM-003 (OPS243-A user manual) and AN-010 (API): units by `U?`, UK, UM and
US ("API Commands"), JSON by OJ, the order "time, magnitude, speed" of plain lines ("Data Output"),
objects that end after four reports are missing ("Simple Counter"). That a positive speed comes
nearer, and the lines of ON and OC, agree with glossyio/traffic-monitor and
banshee-data/velocity.report, whose tests hold a line of OC recorded from a radar.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from edgenode.bus import SerialPort
from edgenode.bus.asked import Asked, Question
from edgenode.bus.lines import Lines
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.reading import Channel, Event, Sample, SerialLine
from edgenode.traffic import BeamAngle, Direction, Road, Slowest, SuppressBelow, road_channels

ASK_UNITS: Final = b"U?"
ASK_PRODUCT: Final = b"?P"
ANSWER_S: Final = 0.5  # two lines at 19200 baud take 30 ms
LINE_MOST: Final = 512  # bytes; a line of OC has 300
# Reports of one vehicle: the radar's own counter lets four be missing, at some eight a second.
GAP_MS: Final = 600
REPORTS_LEAST: Final = 2  # of one vehicle, for it to be one; the radar's counter asks for as many

# km/h in each unit, by its names in lines (OU) and in the answer to U?.
UNITS: Final = {
    **dict.fromkeys(("m-per-sec", "mps", "m/s"), 3.6),
    **dict.fromkeys(("km-per-hr", "kmph", "kmh", "km/h"), 1.0),
    **dict.fromkeys(("mph",), 1.609344),
    **dict.fromkeys(("ft-per-sec", "fps", "ft/s"), 1.09728),
    **dict.fromkeys(("cm-per-sec", "cmps", "cm/s"), 0.036),
}
WAYS: Final[dict[str, Direction]] = {
    **dict.fromkeys(("inbound", "object_inbound", "+"), "toward"),
    **dict.fromkeys(("outbound", "object_outbound", "-"), "away"),
}
# A speed has decimals (the radar's default is one): a lone digit in noise is no vehicle.
PLAIN: Final = re.compile(
    rb'(?:"([a-z/-]{1,10})",)?(?:\d{1,10}(?:\.\d{1,6})?,){0,2}([+-]?\d{1,3}\.\d{1,5})'
)


class Report(NamedTuple):
    """What a line says of a vehicle."""

    kind: Literal["speed", "detected", "object"]
    direction: Direction
    speed: float  # km/h, never negative
    length: float | None = None  # m


def units(line: bytes) -> float | None:
    """Return how many km/h make one of the unit that an answer to U? names."""
    name = _object(line).get("Units")
    return UNITS.get(name) if isinstance(name, str) else None


def report(line: bytes, per: float) -> Report | None:
    """Return what a line reports; None of any other line.

    `per` km/h make one of the unit that the radar is set to; a line that names its own is taken
    at its word, and refused where nobody knows the unit.
    """
    if line.startswith(b"{"):
        return _of_json(_object(line), per)
    found = PLAIN.fullmatch(line)
    if not found:
        return None
    unit = found[1]
    known = UNITS.get(unit.decode()) if unit else per
    return _signed("speed", float(found[2]), known) if known else None


def _of_json(said: dict[str, Any], per: float) -> Report | None:
    if "max_speed_mps" in said:  # OC: a whole vehicle
        return _of_object(said)
    known = UNITS.get(str(said["unit"])) if "unit" in said else per
    kind: Literal["speed", "detected"]
    kind = "detected" if "DetectedObjectVelocity" in said else "speed"
    speed = _number(said.get("DetectedObjectVelocity", said.get("speed")))
    if known is None or speed is None:
        return None
    way = said.get("direction")
    if isinstance(way, str) and way in WAYS:
        return Report(kind, WAYS[way], abs(speed) * known)
    return _signed(kind, speed, known) if way is None else None


def _of_object(said: dict[str, Any]) -> Report | None:
    speed, length = _number(said["max_speed_mps"]), _number(said.get("length_m"))
    way = said.get("classifier")
    if speed is None or not isinstance(way, str) or way not in WAYS:
        return None
    return Report("object", WAYS[way], abs(speed) * UNITS["mps"], length)


def _signed(kind: Literal["speed", "detected"], speed: float, per: float) -> Report:
    return Report(kind, "away" if speed < 0 else "toward", abs(speed) * per)


def _object(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line; an empty one where it is none."""
    try:
        said = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _number(value: Any) -> float | None:
    """Return a finite number, also one in quotes; of several (O2 to O9) the strongest, the first.

    None of anything else.
    """
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


@dataclass(slots=True)
class Burst:
    """The reports of one vehicle that is still passing."""

    first_ms: int
    last_ms: int
    peak: float = 0.0
    reports: int = 0  # one that the radar has detected by itself counts for as many as are needed


class Vehicles:
    """Makes one vehicle of all that is reported of it, and tells a Road of it.

    Reports in one direction, none later than GAP_MS after the one before, are one vehicle, and
    the fastest of them is its speed. A radar that tells whole objects (OC) is taken at its word,
    and what else it says of them is not counted again.
    """

    def __init__(self, road: Road) -> None:
        self._road = road
        self._bursts: dict[Direction, Burst] = {}
        self._whole = False

    def take(self, said: Report, at_ms: int) -> None:
        """Take in a report."""
        if said.kind == "object":
            self._whole = True
            self._bursts.clear()
            self._road.passed(said.direction, at_ms, said.speed, said.length)
        elif not self._whole and said.speed > 0:
            self.settle(at_ms)
            burst = self._bursts.setdefault(said.direction, Burst(at_ms, at_ms))
            burst.last_ms = at_ms
            burst.peak = max(burst.peak, said.speed)
            burst.reports += REPORTS_LEAST if said.kind == "detected" else 1

    def settle(self, now_ms: int) -> None:
        """Tell of the vehicles that are past."""
        for direction, burst in list(self._bursts.items()):
            if now_ms - burst.last_ms > GAP_MS:
                del self._bursts[direction]
                if burst.reports >= REPORTS_LEAST:
                    self._road.passed(direction, burst.first_ms, burst.peak)


class OPS243Options(Options, frozen=True):
    """What an installer may choose; the radar itself is left as it is set."""

    suppress_below: SuppressBelow = 3
    slowest_kmh: Slowest = 5
    angle_deg: BeamAngle = 0
    lengths: Annotated[
        bool, Meta(description="tell lengths too; the radar must be set to OC, in m/s")
    ] = False


class OPS243(Driver):
    """One radar, asked for its unit at each read and left as it is otherwise.

    So the answer also shows that it lives: on an empty road it has nothing to say.
    """

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "OPS243-A"
    options: ClassVar[type[Options]] = OPS243Options
    channels: ClassVar[tuple[Channel, ...]] = road_channels()
    budget_s: ClassVar[float] = 1.0
    fastest_s: ClassVar[float] = 10.0  # more often, it would be single vehicles
    line: ClassVar[SerialLine | None] = SerialLine(19200)
    alone: ClassVar[bool] = True
    varies: ClassVar[bool] = True
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self,
        wire: SerialPort,
        options: OPS243Options,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        question = Question(
            "OPS243",
            ASK_UNITS,
            lambda line: units(line) is not None,
            ANSWER_S,
            if_silent="check its supply, that our TX is on its RX, and the port",
            if_noisy="check the baud rate (19200 unless it was changed) and what else is here",
        )
        self._port = Asked(wire, Lines(LINE_MOST), question, clock)
        self._per = UNITS["mps"]  # the radar's default, until it has answered
        self._road = Road(
            options.suppress_below, options.slowest_kmh, options.angle_deg, lengths=options.lengths
        )
        self._vehicles = Vehicles(self._road)
        self._port.say(ASK_UNITS)  # its answer may be lost as the rest of a line
        self._set(self._port.ask())

    @classmethod
    def declare(cls, options: OPS243Options) -> tuple[Channel, ...]:
        """Return four channels for each direction, and those of lengths where they are asked."""
        return road_channels(lengths=options.lengths)

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels of this radar."""
        return self.declare(self._options)

    @classmethod
    def identify(cls, wire: Any, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Ask for the product; two letters harm nobody. Raises BusError."""
        wire.write(ASK_PRODUCT)
        sleep(ANSWER_S)
        return cls.recognise(b"\n" + wire.arrived())

    @classmethod
    def recognise(cls, heard: bytes) -> Found | None:
        """Return it if it says its name, or speeds in JSON."""
        for line in Lines(LINE_MOST).cut(heard):
            said = _object(line)
            if str(said.get("Product", "")).startswith("OPS243"):
                return Found(f"{said['Product']} radar")
            if said and _of_json(said, 1.0):
                return Found("OPS243 radar, by the speeds that it reports")
        return None

    def fileno(self) -> int:
        """Return the port's descriptor, readable when the radar has spoken."""
        return self._port.fileno()

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Take in what it reported. Raises BusError when the port is gone."""
        self._take(self._port.heard(), now_ms)
        return ()

    def read(self, now_ms: int) -> Sample:
        """Return what passed since the last sample, each direction by itself.

        Raises BusError, BusTimeout where the radar does not answer, BadFrame where others do.
        """
        lines = self._port.ask()
        self._set(lines)
        self._take(lines, now_ms)
        return self._road.sample()

    def close(self) -> None:
        """Give the port back."""
        self._port.close()

    def _set(self, lines: Iterable[bytes]) -> None:
        """Take the newest answer for the unit of what comes without one."""
        for line in lines:
            self._per = units(line) or self._per

    def _take(self, lines: Iterable[bytes], now_ms: int) -> None:
        for line in lines:
            said = report(line, self._per)
            if said:
                self._vehicles.take(said, now_ms)
        self._vehicles.settle(now_ms)
