"""What the account is made of: what the instruments said, and what the receiver holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

OK = "ok"  # the fate of a reading that an instrument gave in good order


class Said(NamedTuple):
    """One line of the log of truth; `t_ms` is boot-time."""

    channel: str
    n: int
    value: float
    t_ms: int
    fate: str


class Row(NamedTuple):
    """One reading as the receiver holds it; `value` is None where there is no honest number."""

    spool: bytes
    stream: int
    seq: int
    ordinal: int
    channel: str
    mono: int
    value: float | None
    quality: int = 0


class Happened(NamedTuple):
    """One event as the receiver holds it; `value` is what its code makes of it."""

    channel: str
    code: int
    mono: int
    value: Any


class Formula(NamedTuple):
    """How a channel follows from others of the same moment, reckoned here for the second time."""

    sources: tuple[str, ...]
    of: Callable[..., float]
    tolerance: float


class Numbered(NamedTuple):
    """The place of a reading or event in its spool and stream."""

    spool: bytes
    stream: int
    seq: int
    ordinal: int


class Lost(NamedTuple):
    """A loss that the node itself recorded: so many readings from an ordinal, and why."""

    spool: bytes
    stream: int
    ordinal: int
    readings: int
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one run left behind. Times are boot-time ms of one and the same boot."""

    said: Sequence[Said]
    rows: Sequence[Row]
    events: Sequence[Numbered]
    losses: Sequence[Lost]
    kills: Sequence[int]  # when the daemon was killed
    grace_ms: int  # commit interval and one flush: what a kill may cost
    tolerance_ms: int  # between what happens by itself and a row about it
    steps: Mapping[str, float]  # the resolution of each channel
    early_ms: int = 50  # an answer may be so much before the stamp of its row
    late_ms: int = 250  # or so much after it, since a read takes its time
    counters: frozenset[str] = field(default_factory=frozenset)  # channels that count pulses
    derived: frozenset[str] = field(default_factory=frozenset)  # said by no instrument
    streams: frozenset[str] = field(default_factory=frozenset)  # said unasked, in frames
    states: frozenset[str] = field(default_factory=frozenset)  # said as they change
    proved: frozenset[str] = field(default_factory=frozenset)  # read once more when opened
    computed: Mapping[str, Formula] = field(default_factory=dict)  # from other channels
    outputs: frozenset[str] = field(default_factory=frozenset)  # what the node itself switches
    flows: Mapping[str, str] = field(default_factory=dict)  # counts of vehicles: their mean speed
    flow_row_ms: int = 1_000  # in each such time one vehicle passes
    periods: Mapping[str, int] = field(default_factory=dict)  # ms between two reads
    happened: Sequence[Happened] = ()

    def said_on(self, channel: str) -> list[Said]:
        """Return what was said in good order on a channel, by time."""
        found = [said for said in self.said if said.channel == channel and said.fate == OK]
        return sorted(found, key=lambda said: said.t_ms)

    def rows_on(self, channel: str) -> list[Row]:
        """Return the rows of a channel, by time."""
        return sorted((row for row in self.rows if row.channel == channel), key=lambda r: r.mono)

    def gauges(self) -> list[str]:
        """Return the channels whose readings an instrument says one by one, when it is asked.

        What no channel of the node carries is not among them, whatever an instrument says.
        """
        names = {said.channel for said in self.said} & self.steps.keys()
        names |= {row.channel for row in self.rows}
        others = self.counters | self.derived | self.streams | self.states | self.computed.keys()
        others |= {*self.flows.keys(), *self.flows.values()}
        return sorted(names - others)

    def killed_after(self, t_ms: int) -> int | None:
        """Return the kill that may have cost what happened at `t_ms`; None where there is none.

        What the daemon had asked just before it died is answered just after.
        """
        for kill in self.kills:
            if kill - self.grace_ms <= t_ms <= kill + self.tolerance_ms:
                return kill
        return None


def read_truth(path: Path) -> Iterator[Said]:
    """Yield the lines of a log of truth; a last line cut short by a kill is left out."""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            return
        yield Said(said["channel"], said["n"], said["value"], said["t"], said["fate"])
