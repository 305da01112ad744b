"""Signal head on GPIO lines: red, amber and green of one traffic light, watched as one thing.

Datasheet: none, the wire is the part. Changes are stamped and debounced by the kernel
(linux/gpio.h, GPIO v2, since Linux 5.10); so how long lamps were on together is told by stamps,
whenever we look. Lamps are followed through opto-couplers, beside the head and never in series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from drivers.signal_head import OK, STUCK, Head
from edgenode.bus import Bias, NamedChange, StateLines
from edgenode.driver import Debounce, Driver, Grade, Line, Options, WireKind
from edgenode.reading import Channel, Event, EventCode, Kind, Quality, Sample

LATE_MS: Final = 20  # a change of one lamp may be read before an earlier one of another
TOLD_MOST: Final = 16  # conditions told between two samples; the rest is in the values only
PHASE, CONDITION = 0, 1  # indexes of these channels
COUNTERS: Final = ("cycles", "changes", "conflicts")


class SignalOptions(Options, frozen=True):
    """What an installer may choose; polarity, pull and debouncing are those of all its lines."""

    red: Annotated[Line, Meta(title="the GPIO line of its red lamp")]
    green: Annotated[Line, Meta(title="the GPIO line of its green lamp")]
    amber: Annotated[
        Line | None, Meta(title="the GPIO line of its amber lamp, if there is one")
    ] = None
    bias: Bias = "as-is"
    active_low: Annotated[bool, Meta(description="a low line is a lamp that is on")] = False
    debounce_us: Debounce = 0
    dark_s: Annotated[
        int,
        Meta(
            ge=1,
            le=3600,
            title="without any lamp for so long it is dark",
            description="s, up to an hour",
        ),
    ] = 10
    stuck_s: Annotated[
        int,
        Meta(
            ge=0,
            le=86_400,
            title="without a change for so long it is stuck",
            description="s, up to a day; 0: never",
        ),
    ] = 900


class Signal(Driver):
    """One head. What is wrong with it is told at once, phases are told as shares of time."""

    wire: ClassVar[WireKind] = "gpio"
    watch: ClassVar[Literal["edges", "state", "states"]] = "states"
    lines: ClassVar[tuple[str, ...]] = ("red", "amber", "green")
    model: ClassVar[str] = "signal head"
    options: ClassVar[type[Options]] = SignalOptions
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("phase", "/", kind=Kind.STATE, low=0, high=7),
        Channel("condition", "/", kind=Kind.STATE, low=OK, high=STUCK),
        Channel("red", "%", -1, low=0, high=100),
        Channel("amber", "%", -1, low=0, high=100),
        Channel("green", "%", -1, low=0, high=100),
        Channel("cycle_length", "s", -1, low=0, high=3600),
        *(Channel(name, "count", kind=Kind.COUNTER) for name in COUNTERS),
    )
    since_open: ClassVar[frozenset[str]] = frozenset(COUNTERS)
    budget_s: ClassVar[float] = 0.05  # it never waits
    fastest_s: ClassVar[float] = 1.0
    pace_s: ClassVar[float] = 0.5  # a conflict that stays brings no edge that would wake us
    varies: ClassVar[bool] = True
    grade: ClassVar[Grade] = "oracle"

    def __init__(self, wire: StateLines, options: SignalOptions) -> None:
        self._wire, self._options = wire, options
        self._head: Head | None = None
        self._waiting: list[NamedChange] = []
        self._missed: dict[str, int] = {}  # before the next change of a lamp
        self._told = 0  # since the last sample
        self._condition, self._condition_ms = OK, 0

    @classmethod
    def declare(cls, options: SignalOptions) -> tuple[Channel, ...]:
        """Return the channels of a head, which may be without amber."""
        without = {"amber"} if options.amber is None else set()
        return tuple(channel for channel in cls.channels if channel.name not in without)

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels of this head."""
        return self.declare(self._options)

    def fileno(self) -> int:
        """Return that there is nothing to wait on: it is fed at its pace."""
        return -1

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Take in the queued changes; tell what is wrong, and when it is over. Raises BusError."""
        known_ms = now_ms - LATE_MS
        head = self._head or self._begun(known_ms)
        self._take(head)
        events: list[Event] = []
        while self._waiting and self._waiting[0].t_ms <= known_ms:
            one = self._waiting.pop(0)
            missed = self._missed.pop(one.line, 0)
            began_ms = head.change(one.t_ms, one.line, on=one.active, missed=missed)
            events += _alarm(began_ms)
        events += _alarm(head.moved_on(known_ms))
        return events + self._changed(head, known_ms)

    def counts(self) -> Mapping[str, int]:
        """Return the counters since opening, as last fed."""
        head = self._head
        return {name: getattr(head, name) if head else 0 for name in COUNTERS}

    def resumed(self) -> Mapping[str, int]:
        """Nothing: lamps are looked at anew after a restart."""
        return {}

    def keep(self, totals: Mapping[str, int]) -> None:
        """Nothing to hand over."""

    def read(self, now_ms: int) -> Sample:
        """Return phase and condition, % of the time per lamp since the last sample, and counters.

        All of it is about LATE_MS before now.
        """
        events = tuple(self.feed(now_ms))
        head = self._head or self._begun(now_ms)
        self._told = 0
        contradicted = head.contradicted()
        shares = [
            self._share(head, lamp, now_ms - LATE_MS, contradicted=contradicted)
            for lamp in head.times
        ]
        lengths = head.lengths()
        length = sum(lengths) / len(lengths) / 1000 if lengths else None
        cells = [
            (head.phase, self._of_the_phase(head)),
            (head.condition, Quality.OK),
            *shares,
            (length, Quality.MISSING if length is None else Quality.OK),
            *((count, Quality.OK) for count in self.counts().values()),
        ]
        return Sample(tuple(v for v, _ in cells), tuple(q for _, q in cells), events)

    def close(self) -> None:
        """Give the lines back."""
        self._wire.close()

    def _begun(self, now_ms: int) -> Head:
        dark_ms, stuck_ms = self._options.dark_s * 1000, self._options.stuck_s * 1000
        head = Head(self._wire.states(), dark_ms, stuck_ms, now_ms)
        self._head, self._condition_ms = head, now_ms
        return head

    def _take(self, head: Head) -> None:
        """Take in what is queued. What was missed stands before the next change of its lamp."""
        changes, missed = self._wire.changes()
        self._waiting = sorted([*self._waiting, *changes], key=lambda change: change.t_ms)
        for lamp, count in missed.items():
            if any(one.line == lamp for one in self._waiting):
                self._missed[lamp] = self._missed.get(lamp, 0) + count
            else:
                head.lost(lamp, count)

    def _changed(self, head: Head, now_ms: int) -> list[Event]:
        """Tell a condition that is another one than before."""
        condition = head.condition
        if condition == self._condition or self._told >= TOLD_MOST:
            return []
        self._told += 1
        lasted_ms, self._condition_ms = now_ms - self._condition_ms, now_ms
        self._condition = condition
        return [Event(EventCode.STATE_CHANGED, CONDITION, (condition, lasted_ms))]

    @staticmethod
    def _of_the_phase(head: Head) -> Quality:
        if head.in_conflict:
            return Quality.OUT_OF_RANGE
        return Quality.STUCK if head.condition == STUCK else Quality.OK

    @staticmethod
    def _share(
        head: Head, lamp: str, now_ms: int, *, contradicted: bool
    ) -> tuple[float | None, Quality]:
        share, exact = head.times[lamp].share(now_ms)
        if share is None:
            return None, Quality.MISSING
        if contradicted and lamp != "amber":
            return 100 * share, Quality.OUT_OF_RANGE
        return 100 * share, Quality.OK if exact else Quality.ESTIMATED


def _alarm(began_ms: int | None) -> list[Event]:
    """Return the alarm of a conflict that began then."""
    return [] if began_ms is None else [Event(EventCode.SIGNAL_CONFLICT, PHASE, t_ms=began_ms)]
