"""Join readings one by one: each said is found, each found was said, and the values agree."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from edgenode.demo.evidence import Evidence, Row, Said

ROUNDING = 1e-9  # of binary fractions, relative to one step of resolution


@dataclass(slots=True)
class Join:
    """What became of everything that was said on the gauge channels."""

    matched: int = 0
    doubted: int = 0  # said, but the driver did not trust it: the row says so instead of a number
    unanswered: int = 0  # rows without a number, because no instrument answered
    open_commit: list[Said] = field(default_factory=list)  # taken by a kill, within its bound
    missing: list[Said] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def join(evidence: Evidence) -> Join:
    """Join all gauge channels."""
    result = Join()
    for channel in evidence.gauges():
        _channel(evidence, channel, result)
    return result


def _channel(evidence: Evidence, channel: str, result: Join) -> None:
    said, rows = evidence.said_on(channel), evidence.rows_on(channel)
    free = dict(enumerate(said))
    times = [s.t_ms for s in said]
    for row in (row for row in rows if row.value is not None):
        at = _nearest(times, free, row.mono, evidence.tolerance_ms)
        if at is None:
            result.problems.append(f"{_name(row)}: no instrument said this")
            continue
        found = free.pop(at)
        if _differs(row, found, evidence.steps[channel]):
            result.problems.append(f"{_name(row)}: the instrument said {found.value}")
        else:
            result.matched += 1
    for row in (row for row in rows if row.value is None):
        at = _nearest(times, free, row.mono, evidence.tolerance_ms)
        if at is None:
            result.unanswered += 1
        else:
            free.pop(at)
            result.doubted += 1
    _unfound(evidence, list(free.values()), rows, result)


def _unfound(evidence: Evidence, left: list[Said], rows: list[Row], result: Join) -> None:
    """Sort what was said and not found: commits keep their order, so a kill takes only the end."""
    for said in left:
        kill = evidence.killed_after(said.t_ms)
        later = kill is not None and any(
            said.t_ms + evidence.tolerance_ms < row.mono <= kill for row in rows
        )
        if kill is None or later:
            result.missing.append(said)
        else:
            result.open_commit.append(said)


def _nearest(times: list[int], free: dict[int, Said], t_ms: int, within_ms: int) -> int | None:
    first = bisect_left(times, t_ms - within_ms)
    near = [
        (abs(times[at] - t_ms), at)
        for at in range(first, bisect_left(times, t_ms + within_ms + 1))
        if at in free
    ]
    return min(near)[1] if near else None


def _differs(row: Row, said: Said, step: float) -> bool:
    return row.value is None or abs(row.value - said.value) > step * (1 + ROUNDING)


def _name(row: Row) -> str:
    return f"{row.channel} at {row.mono} ms (seq {row.seq}, ordinal {row.ordinal}): {row.value}"
