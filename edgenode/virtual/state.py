"""A line that is switched: a phase of a signal head, a door."""

from __future__ import annotations

from itertools import cycle
from typing import Annotated

from msgspec import Meta

from edgenode.virtual.kinds import Offset, Period, Table
from edgenode.virtual.truth import Truth
from edgenode.virtual.watching import Contact

Pattern = Annotated[tuple[Period, ...], Meta(min_length=1, max_length=1000)]


class StateSpec(Table, frozen=True, tag_field="kind", tag="state"):
    """[[instrument]] kind = "state": it is inactive, active, inactive … for so many ms each.

    The pattern begins with `first` and is repeated for ever; the last state of an odd one is
    followed by its opposite. So several lines can play together, such as the phases of a signal
    head, each is `begun_ms` into its own when it starts.
    """

    sensor: str
    bus: str = "gpio"
    line: Offset = 0
    pattern_ms: Pattern = (27_000, 30_000, 3_000)  # a signal head: as red lasts, as green, …
    first: bool = False
    active_low: bool = False
    begun_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 0


class VirtualState(Contact):
    """One contact that plays its pattern whether or not anybody watches; each change is truth."""

    def __init__(self, spec: StateSpec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec.line, high=spec.first != spec.active_low)
        self.spec = spec
        self.changes = 0
        self._truth = truth
        self._lengths = cycle(length * 1_000_000 for length in spec.pattern_ms)
        self._active = spec.first
        self._until_ns = start_ns - spec.begun_ms * 1_000_000 + next(self._lengths)
        while self._until_ns <= start_ns:
            self._active, self._until_ns = not self._active, self._until_ns + next(self._lengths)
        self._high = self._active != spec.active_low

    def next_ns(self) -> int:
        """Return the boot-time ns of the next change."""
        return self._until_ns

    def advance(self, now_ns: int) -> None:
        """Play everything up to `now_ns`."""
        while self._until_ns <= now_ns:
            self._change(self._until_ns)

    def _change(self, at_ns: int) -> None:
        lasts_ns = next(self._lengths)
        self._active, self._until_ns = not self._active, at_ns + lasts_ns
        self.changes += 1
        high = self._active != self.spec.active_low
        fate = self.switch(high=high, at_ns=at_ns, lasts_ns=lasts_ns)
        at_ms = at_ns // 1_000_000
        self._truth.note(f"{self.spec.sensor}/state", int(self._active), at_ms, fate)
