"""Digital state input on a GPIO line: a phase of a signal head, a door contact, a motion sensor.

Datasheet: none, the wire is the part. Changes are stamped and debounced by the kernel
(linux/gpio.h, GPIO v2, since Linux 5.10); polarity and pull are the wiring's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.bus import ActiveTime, Bias, StateChange, StateLine
from edgenode.driver import Debounce, Driver, Grade, Line, Observed, Options, WireKind
from edgenode.reading import Channel, Event, EventCode, Kind, Quality, Sample

TOLD_MOST: Final = 32  # changes told as events between two samples; the rest is only counted
CONTACT_ACTIVE: Final = 1  # docs/wire-format.md, "Values of tamper"
STATE: Final = 0  # the index of its channel


class StateOptions(Options, frozen=True):
    """What an installer may choose; `debounce_us` is done by the kernel, never by us."""

    line: Line
    bias: Bias = "as-is"
    active_low: Annotated[bool, Meta(description="a low line is the active one")] = False
    debounce_us: Debounce = 0
    role: Annotated[
        Literal["state", "tamper"],
        Meta(description='"tamper": becoming active is an alarm'),
    ] = "state"
    observed: Annotated[
        Observed, Meta(description="an observed property such as Device/deviceState")
    ] = ""


class State(Driver):
    """One line that is active or not.

    Every change is the event state-changed, `[new state, ms that the one before lasted]`, with the
    kernel's stamp; -1 ms where that is not known. `changes` counts them all, told or not.
    """

    wire: ClassVar[WireKind] = "gpio"
    watch: ClassVar[Literal["edges", "state"]] = "state"
    model: ClassVar[str] = "state"
    options: ClassVar[type[Options]] = StateOptions
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("state", "/", kind=Kind.STATE, low=0, high=1),
        Channel("changes", "count", kind=Kind.COUNTER),
        Channel("active", "%", -1, low=0, high=100),
    )
    since_open: ClassVar[frozenset[str]] = frozenset({"changes"})
    budget_s: ClassVar[float] = 0.05  # it never waits
    fastest_s: ClassVar[float] = 0.1
    grade: ClassVar[Grade] = "oracle"

    def __init__(self, wire: StateLine, options: StateOptions) -> None:
        self._line = wire
        self._tamper = options.role == "tamper"
        self._time = ActiveTime(active=wire.active)
        self._changes = 0
        self._told = 0  # since the last sample
        self._found: list[Event] = self._alarm(None) if wire.active else []

    def fileno(self) -> int:
        """Return the line's descriptor, readable with the next change."""
        return self._line.fileno()

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Take in the queued changes and tell them. Raises BusError when the line is gone."""
        del now_ms  # each change has a stamp of its own
        changes, missed = self._line.changes()
        self._changes += len(changes) + missed
        if missed and not changes:
            self._time.forget()
        events: list[Event] = []
        for change in changes:
            events += self._change(change, missed)
            missed = 0  # they were before the first one
        return events

    def counts(self) -> Mapping[str, int]:
        """Return the changes since opening, as last fed."""
        return {"changes": self._changes}

    def resumed(self) -> Mapping[str, int]:
        """Nothing: a state is looked at anew after a restart, its changes are not handed over."""
        return {}

    def keep(self, totals: Mapping[str, int]) -> None:
        """Nothing to hand over."""

    def read(self, now_ms: int) -> Sample:
        """Return the state, the changes since opening, and % active since the last sample."""
        events = [*self._found, *self.feed(now_ms)]
        self._found, self._told = [], 0
        share, exact = self._time.share(now_ms)
        active = None if share is None else 100 * share
        shared = Quality.OK if exact else Quality.ESTIMATED
        quality = (Quality.OK, Quality.OK, Quality.MISSING if active is None else shared)
        values = (int(self._time.active), self._changes, active)
        return Sample(values, quality, tuple(events))

    def close(self) -> None:
        """Give the line back."""
        self._line.close()

    def _change(self, change: StateChange, missed: int) -> list[Event]:
        lasted_ms = self._time.change(change.t_ms, active=change.active, missed=missed)
        self._told += 1
        if self._told > TOLD_MOST:
            return []
        value = (int(change.active), lasted_ms)
        told = [Event(EventCode.STATE_CHANGED, STATE, value, t_ms=change.t_ms)]
        return told + (self._alarm(change.t_ms) if change.active else [])

    def _alarm(self, t_ms: int | None) -> list[Event]:
        """Return the alarm of a tamper contact that is active; also one that is found so."""
        if not self._tamper:
            return []
        return [Event(EventCode.TAMPER, STATE, CONTACT_ACTIVE, t_ms=t_ms)]
