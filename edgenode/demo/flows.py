"""Hold a radar's sums against the vehicles that passed: how many in each interval, and how fast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from edgenode.demo.evidence import Evidence, Row, Said
from edgenode.demo.gauges import named

DOPPLER: Final = 0.05  # km/h, of the radar's own steps of 0.01 m/s
STEP: Final = 0.1  # km/h, of the mean that is told
HELD_BACK: Final = 3  # fewer vehicles than this are nobody's business, and told later


@dataclass(slots=True)
class Flowed:
    """How the rows of radars stand against the vehicles."""

    vehicles: int = 0  # that passed
    rows: int = 0  # that agree
    unanswered: int = 0  # rows without a number
    problems: list[str] = field(default_factory=list)


class Passing:
    """What passed in one direction: one vehicle in each row of the instrument, and its speed."""

    def __init__(self, evidence: Evidence, vehicles: str, speed: str) -> None:
        self._row_ms, self._late_ms = evidence.flow_row_ms, evidence.tolerance_ms
        self.passed: Sequence[Said] = evidence.said_on(vehicles)
        self._speeds = {said.t_ms: said.value for said in evidence.said_on(speed)}

    def surely(self, since_ms: int, until_ms: int) -> list[float]:
        """Return the speeds of those that cannot have passed outside of this time."""
        first, last = since_ms + self._late_ms, until_ms - self._late_ms - self._row_ms
        return [self._speeds[s.t_ms] for s in self.passed if first <= s.t_ms <= last]

    def possibly(self, since_ms: int, until_ms: int) -> list[float]:
        """Return the speeds of those that can have passed within this time."""
        first, last = since_ms - self._late_ms - self._row_ms, until_ms + self._late_ms
        return [self._speeds[s.t_ms] for s in self.passed if first <= s.t_ms <= last]


def flow(evidence: Evidence) -> Flowed:
    """Check every row of every channel that counts vehicles, and of the mean speed beside it."""
    result = Flowed()
    for vehicles, speed in sorted(evidence.flows.items()):
        passing = Passing(evidence, vehicles, speed)
        result.vehicles += len(passing.passed)
        fast = {row.mono: row for row in evidence.rows_on(speed)}
        due = told = 0
        for begin, rows in _lives(evidence, evidence.rows_on(vehicles)):
            before, since = begin, begin
            for n, row in enumerate(rows):
                sure = passing.surely(before, row.mono) if n else []
                before = row.mono
                due += len(sure) >= HELD_BACK
                if row.value is None:
                    result.unanswered += 1 + (row.mono in fast)
                    continue
                told += 1
                may = passing.possibly(since, row.mono)
                since = row.mono
                _row(row, fast.get(row.mono), sure, may, result)
        if due and not told:
            result.problems.append(f"{vehicles}: vehicles pass, and no row has a number")
    return result


def _lives(evidence: Evidence, rows: list[Row]) -> Iterator[tuple[int, list[Row]]]:
    """Yield when each life of the daemon began, and its rows: a new one counts from its start."""
    edges = [0, *sorted(evidence.kills), max((row.mono for row in rows), default=0) + 1]
    for begin, end in pairwise(edges):
        yield begin, [row for row in rows if begin <= row.mono < end]


def _row(row: Row, fast: Row | None, sure: list[float], may: list[float], result: Flowed) -> None:
    """Check that no more and no fewer vehicles are told than passed, and a mean that they had."""
    count = int(row.value or 0)
    if not len(sure) <= count <= len(may):
        result.problems.append(f"{named(row)}: {len(sure)} to {len(may)} vehicles passed")
        return
    result.rows += 1
    if fast is None or fast.value is None or not count:
        result.unanswered += fast is not None
        return
    others = sorted(may)
    for one in sure:
        others.remove(one)
    few = count - len(sure)
    low = (sum(sure) + sum(others[:few])) / count - DOPPLER - STEP
    high = (sum(sure) + sum(others[len(others) - few :])) / count + DOPPLER + STEP
    if not low <= fast.value <= high:
        result.problems.append(f"{named(fast)}: the vehicles had {low:.1f} to {high:.1f} km/h")
    else:
        result.rows += 1
