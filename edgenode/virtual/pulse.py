"""A line on which pulses come: a meter's contact, or a loop that vehicles pass over."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from edgenode.virtual.kinds import Offset, Period, Table
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth
from edgenode.virtual.watching import Contact

ROW_MOST: Final = 100_000  # pulses in one row
APART: Final = 0.95  # the most of the time from one pulse to the next that a pulse can take


class PulseSpec(Table, frozen=True, tag_field="kind", tag="pulse"):
    """[[instrument]] kind = "pulse": so many pulses, evenly spaced, in each `every_ms`.

    Each is `width_us` long or, where `occupancy` plays a share of the row in %, as long as that
    takes. Pulses never touch.
    """

    sensor: str
    bus: str = "gpio"
    line: Offset = 0
    every_ms: Period = 60_000
    width_us: Annotated[int, Meta(ge=1, le=60_000_000)] = 30_000  # S0: at least 30 ms
    pulses: Play = Play("utility_power:E_counter", cumulative=True, decimals=0)
    occupancy: Play | None = None


class VirtualPulse(Contact):
    """One contact that plays pulses whether or not anybody watches."""

    def __init__(self, spec: PulseSpec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec.line)
        self.spec = spec
        self.total = 0  # pulses so far: the truth
        self._truth, self._row_ns, self._row = truth, start_ns, 0
        self._edges: list[tuple[int, bool]] = []  # what is left of the row, newest first
        self._width_ns = self._gap_ns = 0
        self._begin_row()

    def next_ns(self) -> int:
        """Return the boot-time ns of the next edge, or of the next row where there is none."""
        return self._edges[-1][0] if self._edges else self._row_end_ns()

    def advance(self, now_ns: int) -> None:
        """Play everything up to `now_ns`."""
        while self.next_ns() <= now_ns:
            if self._edges:
                self._edge(*self._edges.pop())
            else:
                self._row_ns, self._row = self._row_end_ns(), self._row + 1
                self._begin_row()

    def _row_end_ns(self) -> int:
        return self._row_ns + self.spec.every_ms * 1_000_000

    def _begin_row(self) -> None:
        wanted = max(0, min(ROW_MOST, round(self.spec.pulses.value(self._row))))
        every = self.spec.every_ms * 1_000_000
        self._gap_ns = every // wanted if wanted else every
        self._width_ns = min(self._wanted_ns(wanted), int(self._gap_ns * APART))
        rises = [
            self._row_ns + every * (2 * n + 1) // (2 * wanted) - self._width_ns // 2
            for n in range(wanted)
        ]
        edges = [edge for at in rises for edge in ((at, True), (at + self._width_ns, False))]
        self._edges = edges[::-1]
        if self.spec.occupancy:
            percent = round(100 * wanted * self._width_ns / every, 3)
            at_ms = self._row_ns // 1_000_000
            self._truth.note(f"{self.spec.sensor}/occupancy", percent, at_ms, "ok")

    def _wanted_ns(self, pulses: int) -> int:
        """How long each pulse of the row shall be."""
        if not self.spec.occupancy:
            return self.spec.width_us * 1000
        percent = max(0.0, min(100.0, self.spec.occupancy.value(self._row)))
        return max(1, int(self.spec.every_ms * 10_000 * percent) // max(1, pulses))

    def _edge(self, at_ns: int, high: bool) -> None:  # noqa: FBT001 - a pair of the row
        # Debouncing that lets a rise pass lets its fall pass: a line ends where it began.
        lasts_ns = self._width_ns if high else max(self._width_ns, self._gap_ns - self._width_ns)
        fate = self.switch(high=high, at_ns=at_ns, lasts_ns=lasts_ns)
        if high:
            self.total += 1
            self._truth.note(f"{self.spec.sensor}/count", self.total, at_ns // 1_000_000, fate)
