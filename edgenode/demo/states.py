"""Hold states against their changes: each change is an event, each row the state of its time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

from edgenode.demo.evidence import OK, Evidence, Happened, Row, Said
from edgenode.demo.gauges import named
from edgenode.reading import EventCode

STAMP_MS: Final = 2  # between a change and the kernel's stamp of it, each rounded


@dataclass(slots=True)
class Stated:
    """How the events and rows of states stand against the changes."""

    changes: int = 0  # that came while somebody watched
    told: int = 0  # events that agree
    rows: int = 0  # rows that agree
    unanswered: int = 0  # rows without a state
    open_commit: int = 0  # changes taken by kills
    problems: list[str] = field(default_factory=list)


def watch(evidence: Evidence) -> Stated:
    """Check every event and row of every state."""
    result = Stated()
    for channel in sorted(evidence.states):
        changes = sorted((s for s in evidence.said if s.channel == channel), key=lambda s: s.t_ms)
        _events(evidence, channel, [said for said in changes if said.fate == OK], result)
        for row in evidence.rows_on(channel):
            _row(evidence, row, changes, result)
    return result


def _events(evidence: Evidence, channel: str, changes: list[Said], result: Stated) -> None:
    """Join one by one, in order of time: the stamps are the kernel's, so they are exact."""
    events = sorted(
        (e for e in evidence.happened if (e.channel, e.code) == (channel, EventCode.STATE_CHANGED)),
        key=lambda e: e.mono,
    )
    result.changes += len(changes)
    left = list(changes)
    for event in events:
        found = [s for s in left if abs(s.t_ms - event.mono) <= STAMP_MS]
        if not found:
            result.problems.append(f"{_told(event)}: no instrument changed then")
        elif found[0].value != _state(event):
            result.problems.append(f"{_told(event)}: the instrument said {found[0].value}")
        else:
            result.told += 1
        if found:
            left.remove(found[0])
    for said in left:
        kill = evidence.killed_after(said.t_ms)
        if kill is None or any(said.t_ms < event.mono <= kill for event in events):
            what = f"{channel} at {said.t_ms} ms: changed to {said.value}"
            result.problems.append(f"{what}, and no event tells")
        else:
            result.open_commit += 1


def _row(evidence: Evidence, row: Row, changes: list[Said], result: Stated) -> None:
    """Check that the instrument had the state of a row at its time, as far as the times tell."""
    if row.value is None:
        result.unanswered += 1
        return
    times = [said.t_ms for said in changes]
    first = bisect_right(times, row.mono - evidence.tolerance_ms) - 1
    last = bisect_right(times, row.mono + evidence.tolerance_ms)
    possible = {said.value for said in changes[max(0, first) : last]}
    if first < 0 and changes:
        possible.add(1 - changes[0].value)  # what it was before its first change
    if possible and row.value not in possible:
        result.problems.append(f"{named(row)}: the instrument was {sorted(possible)}")
    else:
        result.rows += 1


def _state(event: Happened) -> object:
    return event.value[0] if isinstance(event.value, list) and event.value else event.value


def _told(event: Happened) -> str:
    return f"{event.channel} at {event.mono} ms: event to {_state(event)}"
