"""NMEA 0183 satellite receivers (GPS, Galileo, GLONASS, BeiDou): position, and UTC for the clock.

Datasheet: none of one part; NMEA 0183 as edgenode.bus.nmea has it. Older receivers are delivered
with 9600 baud, newer ones with 38400. Quality indicators and modes are those of gpsd's "NMEA
Revealed", which has Quectel's U (unsafe) too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from drivers.gnss_clock import Witness, plausible
from drivers.gnss_home import Home
from drivers.gnss_sky import HDOP_MOST, Sky
from edgenode.bus import SerialPort
from edgenode.bus.newest import Newest, Talk
from edgenode.bus.nmea import Gga, Place, Rmc, Said, Sentences, Zda, parsed
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import WrongDevice
from edgenode.reading import (
    Anchor,
    Channel,
    Event,
    EventCode,
    Kind,
    Privacy,
    Quality,
    Sample,
    SerialLine,
)

PERIOD_MS: Final = 2_500  # receivers speak each second
COLD_MS: Final = 300_000  # a cold start under a poor sky; without a fix by then, something is wrong
TALK: Final = Talk(
    "GNSS",
    silent_ms=10_000,
    unheard_ms=2 * PERIOD_MS,
    gap_ms=10_000,  # never: a line ends by itself, and the rest of one harms no sentence
    opening_s=3.0,
    if_silent="check its supply, and that its TX is on our RX",
    if_noisy="check the baud rate (9600, else write 38400 into [[bus]]) and that it talks NMEA",
)
# As receivers come: u-blox 10, those of drones, and what keeps to NMEA 0183 itself.
OTHERS: Final = (SerialLine(38_400), SerialLine(115_200), SerialLine(4800))
DEGREES: Final = "degrees, north and east positive"
HDOP_GOOD: Final = 5.0  # with more, a position is too vague to say that a node has moved
MOVED: Final = 2  # docs/wire-format.md, "Values of tamper"
NO_TIME, WRONG_DATE, UNSETTLED, VOUCHES = 0, 1, 2, 3  # of the channel "clock"


class GNSSOptions(Options, frozen=True):
    """What an installer may choose; the receiver itself is left as it is set."""

    moved_m: Annotated[
        int,
        Meta(
            ge=0,
            le=100_000,
            title="so far from home it is an alarm",
            description="m; 0: never, for what moves",
        ),
    ] = 100
    latitude: Annotated[
        Annotated[float, Meta(ge=-90, le=90)] | None,
        Meta(title="of its home; without one, where it is found first", description=DEGREES),
    ] = None
    longitude: Annotated[
        Annotated[float, Meta(ge=-180, le=180)] | None,
        Meta(title="of its home", description=DEGREES),
    ] = None
    latency_ms: Annotated[
        int,
        Meta(
            ge=100,
            le=2000,
            title="its first sentence of a moment comes so late at most",
            description="ms, 100 to 2000",
        ),
    ] = 1000
    almanac_s: Annotated[
        int,
        Meta(
            ge=0,
            le=3600,
            title="after a fix of so long it knows the leap seconds",
            description="s, up to an hour",
        ),
    ] = 750

    def __post_init__(self) -> None:
        """Raise ValueError for half a home."""
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude of its home go together: write both or none")

    @property
    def home(self) -> Place | None:
        """Where it shall stand."""
        if self.latitude is None or self.longitude is None:
            return None
        return Place(self.latitude, self.longitude)


class GNSS(Driver):
    """One receiver that talks and is only listened to.

    A position is told as long as all sentences say that there is one. The time of a fix goes to
    the clock of the node, unless its date cannot be.
    """

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "NMEA GNSS"
    options: ClassVar[type[Options]] = GNSSOptions
    channels: ClassVar[tuple[Channel, ...]] = (
        # 1.1 m; uncorrected, a receiver is right within some metres. For the operator only: where
        # a node is carried to is where somebody goes.
        Channel("latitude", "lat", -5, low=-90, high=90, privacy=Privacy.INTERNAL),
        Channel("longitude", "lon", -5, low=-180, high=180, privacy=Privacy.INTERNAL),
        Channel("altitude", "m", low=-500, high=9000, privacy=Privacy.INTERNAL),
        Channel("satellites", "count", low=0, high=99),
        Channel("hdop", "1", -1, low=0, high=HDOP_MOST),
        Channel("fix", "/", kind=Kind.STATE, low=0, high=8),
        Channel("mode", "/", kind=Kind.STATE, low=1, high=3),
        Channel("clock", "/", kind=Kind.STATE, low=NO_TIME, high=VOUCHES),
    )
    budget_s: ClassVar[float] = 0.1  # it never waits
    fastest_s: ClassVar[float] = 1.0
    line: ClassVar[SerialLine | None] = SerialLine(9600)
    also: ClassVar[tuple[SerialLine, ...]] = OTHERS
    alone: ClassVar[bool] = True
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self,
        wire: SerialPort,
        options: GNSSOptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = Newest(wire, Sentences(), TALK, clock)
        self._sky = Sky()
        self._witness = Witness(options.latency_ms, options.almanac_s * 1000)
        self._home = Home(options.moved_m, options.home)
        self._began_ms: int | None = None
        self._had_fix = False
        self._clock = NO_TIME
        self._instant: Anchor | None = None

    @classmethod
    def recognise(cls, heard: bytes) -> Found | None:
        """Return it if it tells, in a sentence that is proved, where it is or that it knows not."""
        for body in Sentences().cut(heard):
            if isinstance(parsed(body), Rmc | Gga):
                return Found(f"NMEA GNSS receiver, talker {body[:2].decode('ascii')}")
        return None

    def fileno(self) -> int:
        """Return the port's descriptor, readable when the receiver has spoken."""
        return self._stream.fileno()

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Take in what it said; tell that the node has moved. Raises BusError."""
        if self._began_ms is None:
            self._began_ms = now_ms
        return self._taken(self._stream.feed(now_ms), now_ms)

    def instant(self) -> Anchor | None:
        """Return what it knows of UTC since the last call."""
        instant, self._instant = self._instant, None
        return instant

    def read(self, now_ms: int) -> Sample:
        """Return where it is and how well that is known.

        Raises BusError, and after ten seconds without a sentence BusTimeout, or BadFrame where
        there was only noise; WrongDevice where it sends neither RMC nor GGA.
        """
        events = tuple(self.feed(now_ms))
        self._stream.age_ms(now_ms)
        if not self._sky.heard(now_ms):
            return self._unheard(now_ms, events)
        sky, how = self._sky, self._how(now_ms)
        place = sky.place(now_ms)
        where = (*place, sky.altitude(now_ms)) if place else (None, None, None)
        values = (
            *where,
            sky.satellites(now_ms),
            sky.hdop(now_ms) if place else None,
            sky.fix(now_ms),
            sky.mode(now_ms),
            self._clock,
        )
        ok = Quality.OK
        told = (how, how, how, ok, how, ok, ok, ok)
        marks = [
            Quality.MISSING if value is None and mark in {ok, Quality.STALE} else mark
            for value, mark in zip(values, told, strict=True)
        ]
        return Sample(values, tuple(marks), events)

    def close(self) -> None:
        """Give the port back; the receiver goes on talking to nobody."""
        self._stream.close()

    def _how(self, now_ms: int) -> Quality:
        """Return how good the position is, or why there is none."""
        if not self._sky.place(now_ms):
            return Quality.SETTLING if self._cold(now_ms) else Quality.MISSING
        if self._sky.age_ms(now_ms) > PERIOD_MS:
            return Quality.STALE
        return Quality.ESTIMATED if self._sky.guessed(now_ms) else Quality.OK

    def _cold(self, now_ms: int) -> bool:
        """Whether it may still be looking for its first fix."""
        return not self._had_fix and now_ms - (self._began_ms or 0) < COLD_MS

    def _unheard(self, now_ms: int, events: tuple[Event, ...]) -> Sample:
        if now_ms - (self._began_ms or 0) > TALK.silent_ms:
            raise WrongDevice(
                "GNSS: it talks NMEA, but for ten seconds neither RMC nor GGA; set it to send them"
            )
        width = len(self.channels)
        return Sample((None,) * width, (Quality.SETTLING,) * width, events)

    def _taken(self, bodies: Iterable[bytes], now_ms: int) -> list[Event]:
        events: list[Event] = []
        for said in map(parsed, bodies):
            if said is None:
                continue
            self._sky.take(said, now_ms)
            self._time(said, now_ms)
            if self._left(said, now_ms):
                events.append(Event(EventCode.TAMPER, value=MOVED))
        return events

    def _time(self, said: Said, now_ms: int) -> None:
        """Let the witness take a moment that is told while there is a fix."""
        if not self._sky.fixed(now_ms) or self._sky.guessed(now_ms):
            self._witness.lost()
            self._clock = NO_TIME
            return
        if not isinstance(said, Rmc | Zda) or said.ms is None or said.day is None:
            return
        if isinstance(said, Zda) and self._sky.latest(Rmc, now_ms):
            return  # the same moment again
        if not plausible(said.day):
            self._witness.lost()
            self._clock = WRONG_DATE
            return
        self._instant = self._witness.heard(said.day, said.ms, now_ms)
        unsettled = UNSETTLED if self._witness.steady else NO_TIME
        self._clock = VOUCHES if self._instant else unsettled

    def _left(self, said: Said, now_ms: int) -> bool:
        """Whether the position of this sentence is the one by which the node has left home."""
        if not isinstance(said, Gga if self._sky.latest(Gga, now_ms) else Rmc):
            return False
        place = self._sky.place(now_ms)
        if place is None:
            return False
        self._had_fix = True
        vague = (self._sky.hdop(now_ms) or 0) > HDOP_GOOD or self._sky.guessed(now_ms)
        return not vague and self._home.left(place)
