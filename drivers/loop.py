"""Inductive loop or presence detector on a GPIO line: vehicles, occupancy and headway.

Datasheet: none, the contact of the detector is the part. It is closed as long as a vehicle stands
over it (presence mode, as in NEMA TS 2 and TLS). Both edges are counted by the kernel
(linux/gpio.h, `struct gpio_v2_line_event.line_seqno`), and edges of a contact alternate: after n
edges it has become active (n + 1) / 2 times where the newest one was an activation, else n / 2.
So the count is exact also where edges fell out of the kernel's queue or nobody ran.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Final, NamedTuple

from msgspec import Meta

from edgenode.bus import ActiveTime, Bias, CountedEdge, Edge, EdgeCount, EdgeLine
from edgenode.driver import Debounce, Driver, Grade, Line, Observed, Options, WireKind
from edgenode.reading import Channel, Event, Kind, Quality, Sample
from edgenode.traffic import Mean, SuppressBelow, lane_channels, withheld

NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
EDGES_PER_VEHICLE: Final = 2


class LoopOptions(Options, frozen=True):
    """What an installer may choose; `debounce_us` is done by the kernel, never by us."""

    edge: ClassVar[Edge] = "both"  # occupancy needs both ends of a vehicle

    line: Line
    bias: Bias = "as-is"
    active_low: Annotated[
        bool, Meta(description="a vehicle pulls the line low, as with a contact to ground")
    ] = False
    debounce_us: Debounce = 0
    stuck_on_s: Annotated[
        int,
        Meta(
            ge=0,
            le=86_400,
            title="occupied for longer is a detector that hangs",
            description="whole seconds, 0 to 86400; 0 is never",
        ),
    ] = 1800
    traffic: Annotated[
        bool, Meta(description="tell vehicles, gap and on_time of each interval too")
    ] = False
    suppress_below: SuppressBelow = 0
    observed: Annotated[
        Observed, Meta(description="an observed property such as TrafficFlowObserved/intensity")
    ] = ""


class Arrival(NamedTuple):
    """A vehicle came."""

    number: int  # vehicles since the line was opened, this one included
    stamp_ns: int


class Loop(Driver):
    """One contact that is active as long as a vehicle is there.

    `count` is exact however long nobody reads. `occupancy` is the share of the time since the last
    sample in which the contact was active, `headway` the mean time between arrivals in it, `gap`
    that from a departure to the next arrival, `on_time` how long vehicles were there. With
    `suppress_below` all of it, `count` too, stands still until so many vehicles have come.
    """

    wire: ClassVar[WireKind] = "gpio"
    model: ClassVar[str] = "loop"
    options: ClassVar[type[Options]] = LoopOptions
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("count", "count", kind=Kind.COUNTER),
        Channel("occupancy", "%", -1, observed="TrafficFlowObserved/occupancy", low=0, high=100),
        Channel("headway", "s", -1, observed="TrafficFlowObserved/averageHeadwayTime"),
        Channel("unread", "count"),
    )
    varies: ClassVar[bool] = True
    grade: ClassVar[Grade] = "oracle"
    since_open: ClassVar[frozenset[str]] = frozenset({"count"})
    budget_s: ClassVar[float] = 0.25  # it never waits; a full queue is 0.1 s of a slow processor
    fastest_s: ClassVar[float] = 1.0

    def __init__(self, wire: EdgeLine, options: LoopOptions) -> None:
        self._line, self._edges = wire, EdgeCount(wire, EDGES_PER_VEHICLE)
        self._options = options
        self._active_high = not options.active_low
        self._stuck_on_ns = options.stuck_on_s * NS_PER_S
        self._time = ActiveTime(active=wire.level() == self._active_high)
        self._missed_before = 0
        self._anchor: Arrival | None = None  # the last one of the interval before
        self._newest: Arrival | None = None
        self._gaps, self._stays = Mean(), Mean()
        # The vehicles that were told. Of a line that was handed over, those before its first edge.
        self._told: int | None = None if wire.inherited is not None else 0
        self._watched = False

    @classmethod
    def declare(cls, options: LoopOptions) -> tuple[Channel, ...]:
        """Return the four channels, and those of `traffic` where they are asked for."""
        if not options.traffic:
            return cls.channels
        passed, _, _, gap = lane_channels()
        return (*cls.channels, passed, gap, Channel("on_time", "s", -2))

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels of this detector."""
        return self.declare(self._options)

    def fileno(self) -> int:
        """Return the line's descriptor, readable with the next edge."""
        return self._line.fileno()

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Take in the queued edges. Raises BusError when the line is gone."""
        del now_ms  # each edge has a stamp of its own
        for edge in self._edges.take():
            self._take(edge)
        return ()

    def counts(self) -> Mapping[str, int]:
        """Return the vehicles since the line was opened, as last fed; held back, as last told."""
        held_back = self._options.suppress_below > 0
        return {"count": self._told or 0 if held_back else self._count()}

    def resumed(self) -> Mapping[str, int]:
        """Return the total with which the line began, where it outlived its process."""
        began = self._edges.resumed()
        return {} if began is None else {"count": began}

    def keep(self, totals: Mapping[str, int]) -> None:
        """Let the line outlive this process."""
        self._edges.keep(totals["count"])

    def read(self, now_ms: int) -> Sample:
        """Return vehicles since opening, % and s since the last sample, and edges not read.

        With `traffic` also vehicles, and the mean of gaps and stays in s, since the last sample.
        """
        self.feed(now_ms)
        now_ns = now_ms * NS_PER_MS
        fine = Quality.STUCK if self._stuck(now_ns) else Quality.OK
        before, self._missed_before = self._missed_before, self._edges.missed
        unread = self._edges.missed - before
        passed = 0 if self._told is None else self._count() - self._told
        if self._watched and withheld(passed, self._options.suppress_below):
            return self._hidden(unread, fine)
        share, exact = self._time.share(now_ns)
        shared = fine if exact or fine is Quality.STUCK else Quality.ESTIMATED
        values: tuple[float | None, ...] = (
            self._count(),
            None if share is None else 100 * share,
            self._headway_s(),
            unread,
        )
        given: tuple[Quality, ...] = (fine, shared, fine, Quality.OK)
        if self._options.traffic:
            since = None if share is None else passed
            values = (*values, since, self._gaps.value, self._stays.value)
            given = (*given, fine, shared, shared)
        self._begin_anew()
        return Sample(values, tuple(map(_unless_none, values, given)))

    def close(self) -> None:
        """Give the line back; the kernel stops counting, unless it was handed over."""
        self._line.close()

    def _take(self, edge: CountedEdge) -> None:
        active = edge.high == self._active_high
        if self._told is None:
            self._told = vehicles(edge.number - 1, active=not active)
        lasted_ns = self._time.change(edge.stamp_ns, active=active, missed=edge.missed)
        if lasted_ns >= 0:
            (self._gaps if active else self._stays).add(lasted_ns / NS_PER_S)
        if active:
            self._newest = Arrival(vehicles(edge.number, active=True), edge.stamp_ns)
            self._anchor = self._anchor or self._newest

    def _count(self) -> int:
        return vehicles(self._edges.count, active=self._time.active)

    def _hidden(self, unread: int, fine: Quality) -> Sample:
        """Return a sample that holds back how few have come."""
        others = len(self.measures()) - 4
        values = (self._told, None, None, unread, *(None,) * others)
        hidden = Quality.SUPPRESSED_PRIVACY
        return Sample(values, (fine, hidden, hidden, Quality.OK, *(hidden,) * others))

    def _begin_anew(self) -> None:
        """Begin a new interval."""
        self._told = None if self._told is None else self._count()
        self._gaps, self._stays = Mean(), Mean()
        self._watched = True

    def _headway_s(self) -> float | None:
        """Return the mean gap between arrivals, the first one counted from the interval before.

        Exact also where edges were not kept: only the ends and the number between them matter.
        """
        anchor, newest = self._anchor, self._newest
        if anchor is None or newest is None or newest.number <= anchor.number:
            return None
        self._anchor = newest
        return (newest.stamp_ns - anchor.stamp_ns) / NS_PER_S / (newest.number - anchor.number)

    def _stuck(self, now_ns: int) -> bool:
        return 0 < self._stuck_on_ns < self._time.active_for(now_ns)


def vehicles(edges: int, *, active: bool) -> int:
    """Return how often a contact became active in so many edges that left it `active`."""
    return (edges + active) // EDGES_PER_VEHICLE


def _unless_none(value: float | None, quality: Quality) -> Quality:
    return Quality.MISSING if value is None else quality
