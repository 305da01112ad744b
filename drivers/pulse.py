"""Contact or pulse input on a GPIO line: loop detector, reed, S0 meter, rain gauge, flow meter.

Datasheet: none, the wire is the part. Counting and debouncing are the kernel's: linux/gpio.h,
`struct gpio_v2_line_event.line_seqno` (since Linux 5.10), which counts every edge whether or not
anybody read it, while the queue of events keeps only the newest ones. What a pulse is worth:
drivers/pulse_weight.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from msgspec import Meta

from drivers.pulse_weight import PerPulse, PerUnit, StartsAt, Unit, total_of, weight
from edgenode.bus import Bias, Edge, EdgeCount, EdgeLine
from edgenode.driver import Debounce, Driver, Grade, Line, Observed, Options, WireKind
from edgenode.reading import Channel, Event, Kind, Sample, Weighed


class PulseOptions(Options, frozen=True):
    """What an installer may choose; `debounce_us` is done by the kernel, never by us."""

    line: Line
    edge: Edge = "rising"
    bias: Bias = "as-is"
    debounce_us: Debounce = 0
    observed: Annotated[
        Observed, Meta(description="an observed property such as ItemFlowObserved/intensity")
    ] = ""
    per_pulse: Annotated[
        PerPulse | None,
        Meta(title="what a pulse is worth, in unit: then the total of that travels too"),
    ] = None
    pulses_per_unit: Annotated[
        PerUnit | None, Meta(title="the same as labels say it: 1000 for 1000 imp/kWh")
    ] = None
    unit: Annotated[Unit, Meta(title="in what; m is of wind that has passed")] = ""
    quantity: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9_]{0,48}$",
            title="what it is called, if not energy, heat_energy, volume, precipitation, wind_run",
            description="a quantity such as gas_volume",
        ),
    ] = ""
    starts_at: Annotated[
        StartsAt, Meta(title="what the dial showed where count was 0, in unit")
    ] = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError for what does not go together."""
        self.weighed()

    def weighed(self) -> tuple[Weighed, ...]:
        """Return the channel of what the pulses are worth, if somebody says it."""
        worth = weight(self.per_pulse, self.pulses_per_unit)
        if worth is None:
            if self.unit or self.quantity or self.starts_at:
                words = "unit, quantity and starts_at go with per_pulse or pulses_per_unit"
                raise ValueError(f"{words}: what is a pulse worth?")
            return ()
        if not self.unit:
            raise ValueError("a pulse is worth so much of what? write a unit")
        if self.edge == "both":
            raise ValueError('with edge = "both" a pulse counts twice: choose one of its edges')
        return (total_of(worth, self.unit, self.quantity, self.starts_at),)


class Pulse(Driver):
    """One line, counted by the kernel from the moment it is opened.

    `count` is exact however long nobody reads. `unread` says how many of the edges since the
    last sample fell out of the kernel's queue before they were read: they are in `count`, only
    their times are not known. What a count is worth follows from it, and is never counted itself.
    """

    wire: ClassVar[WireKind] = "gpio"
    model: ClassVar[str] = "pulse"
    options: ClassVar[type[Options]] = PulseOptions
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("count", "count", kind=Kind.COUNTER),
        Channel("unread", "count"),
    )
    varies: ClassVar[bool] = True
    grade: ClassVar[Grade] = "oracle"
    since_open: ClassVar[frozenset[str]] = frozenset({"count"})
    budget_s: ClassVar[float] = 0.25  # it never waits; a full queue is 0.1 s of a slow processor
    fastest_s: ClassVar[float] = 0.05

    def __init__(self, wire: EdgeLine, options: PulseOptions) -> None:
        self._worth = options.weighed()  # all else is about the line, which is open
        self._line, self._edges = wire, EdgeCount(wire)
        self._missed_before = 0

    @classmethod
    def declare(cls, options: PulseOptions) -> tuple[Channel, ...]:
        """Return count and unread, and what the pulses are worth where that is said."""
        return (*cls.channels, *options.weighed())

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels of this line."""
        return (*self.channels, *self._worth)

    def fileno(self) -> int:
        """Return the line's descriptor, readable with the next edge."""
        return self._line.fileno()

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Take in the queued edges. Raises BusError when the line is gone."""
        del now_ms  # the kernel counts; when it is asked changes nothing
        self._edges.take()
        return ()

    def counts(self) -> Mapping[str, int]:
        """Return the edges since the line was opened, as last fed."""
        return {"count": self._edges.count}

    def resumed(self) -> Mapping[str, int]:
        """Return the total with which the line began, where it outlived its process."""
        began = self._edges.resumed()
        return {} if began is None else {"count": began}

    def keep(self, totals: Mapping[str, int]) -> None:
        """Let the line outlive this process."""
        self._edges.keep(totals["count"])

    def read(self, now_ms: int) -> Sample:
        """Return the edges since opening, how many since the last sample were not read, and worth.

        What they are worth is that of the edges since opening too.
        """
        self.feed(now_ms)
        before, self._missed_before = self._missed_before, self._edges.missed
        count = self._edges.count
        worth = (total.worth(count) for total in self._worth)
        return Sample((count, self._edges.missed - before, *worth))

    def close(self) -> None:
        """Give the line back; the kernel stops counting, unless it was handed over."""
        self._line.close()
