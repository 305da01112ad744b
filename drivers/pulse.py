"""Contact or pulse input on a GPIO line: loop detector, reed, S0 meter, rain gauge, flow meter.

Datasheet: none, the wire is the part. Counting and debouncing are the kernel's: linux/gpio.h,
`struct gpio_v2_line_event.line_seqno` (since Linux 5.10), which counts every edge whether or not
anybody read it, while the queue of events keeps only the newest ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from msgspec import Meta

from edgenode.bus import Bias, Edge, EdgeCount, EdgeLine
from edgenode.driver import Debounce, Driver, Grade, Line, Observed, Options, WireKind
from edgenode.reading import Channel, Event, Kind, Sample


class PulseOptions(Options, frozen=True):
    """What an installer may choose; `debounce_us` is done by the kernel, never by us."""

    line: Line
    edge: Edge = "rising"
    bias: Bias = "as-is"
    debounce_us: Debounce = 0
    observed: Annotated[
        Observed, Meta(description="an observed property such as ItemFlowObserved/intensity")
    ] = ""


class Pulse(Driver):
    """One line, counted by the kernel from the moment it is opened.

    `count` is exact however long nobody reads. `unread` says how many of the edges since the
    last sample fell out of the kernel's queue before they were read: they are in `count`, only
    their times are not known.
    """

    wire: ClassVar[WireKind] = "gpio"
    model: ClassVar[str] = "pulse"
    options: ClassVar[type[Options]] = PulseOptions
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("count", "count", kind=Kind.COUNTER),
        Channel("unread", "count"),
    )
    grade: ClassVar[Grade] = "oracle"
    since_open: ClassVar[frozenset[str]] = frozenset({"count"})
    budget_s: ClassVar[float] = 0.25  # it never waits; a full queue is 0.1 s of a slow processor
    fastest_s: ClassVar[float] = 0.05

    def __init__(self, wire: EdgeLine, options: PulseOptions) -> None:
        del options  # they are all about the line, which is open
        self._line, self._edges = wire, EdgeCount(wire)
        self._missed_before = 0

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
        """Return the edges since opening, and how many since the last sample were not read."""
        self.feed(now_ms)
        before, self._missed_before = self._missed_before, self._edges.missed
        return Sample((self._edges.count, self._edges.missed - before))

    def close(self) -> None:
        """Give the line back; the kernel stops counting, unless it was handed over."""
        self._line.close()
