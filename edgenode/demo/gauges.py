"""Join readings one by one: each said is found, each found was said, and the values agree."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from edgenode.demo.evidence import Evidence, Row, Said

PROVED_MS = 1_000  # at most, between the reading that proves a part and the one after it
ROUNDING = 1e-9  # of binary fractions, relative to one step of resolution


@dataclass(slots=True)
class Join:
    """What became of everything that was said on the gauge channels."""

    matched: int = 0
    doubted: int = 0  # said, but the driver did not trust it: the row says so instead of a number
    unanswered: int = 0  # rows without a number, because no instrument answered
    proofs: int = 0  # said when a sensor was opened, to prove that it is the right part
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
    answers = _Answers(evidence, said, latest=channel in evidence.proved)
    asked = list(zip(rows, [row.mono for row in rows[1:]] + [None], strict=True))
    for row, next_ms in asked:
        if row.value is None:
            continue
        found = answers.take(row.mono, next_ms)
        if found is None:
            result.problems.append(f"{named(row)}: no instrument said this")
        elif differs(row, found, evidence.steps[channel]):
            result.problems.append(f"{named(row)}: the instrument said {found.value}")
        else:
            result.matched += 1
    for row, next_ms in asked:
        if row.value is None and answers.take(row.mono, next_ms):
            result.doubted += 1
        elif row.value is None:
            result.unanswered += 1
    left = [s for s in answers.left() if not _proof(evidence, s, answers.taken)]
    result.proofs += len(answers.left()) - len(left)
    _unfound(evidence, left, rows, result)


class _Answers:
    """What was said on one channel, as far as no row is about it yet."""

    def __init__(self, evidence: Evidence, said: list[Said], *, latest: bool) -> None:
        self._early_ms, self._late_ms = evidence.early_ms, evidence.late_ms
        self._said, self._free = said, set(range(len(said)))
        self._times = [s.t_ms for s in said]
        self._latest = latest  # what proved the part was said just before the reading itself
        self.taken: list[int] = []  # ms

    def take(self, t_ms: int, next_ms: int | None) -> Said | None:
        """Take the answer that a row stamped `t_ms` can be about; the next row has its own."""
        until_ms = t_ms + self._late_ms
        if next_ms is not None:  # of the latest, it may be the next row's own that is early
            own_ms = next_ms - self._early_ms if self._latest else next_ms + self._early_ms
            until_ms = min(until_ms, max(own_ms, t_ms + self._early_ms))
        first = bisect_left(self._times, t_ms - self._early_ms)
        near = [at for at in range(first, bisect_right(self._times, until_ms)) if at in self._free]
        if not near:
            return None
        nearest = min(near, key=lambda at: abs(self._times[at] - t_ms))
        at = near[-1] if self._latest else nearest
        self._free.discard(at)
        self.taken.append(self._times[at])
        return self._said[at]

    def left(self) -> list[Said]:
        """Return what no row is about."""
        return [self._said[at] for at in sorted(self._free)]


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


def _proof(evidence: Evidence, said: Said, taken: list[int]) -> bool:
    """Whether it was read to prove the part: the reading of the row came just after."""
    next_ms = min((t_ms for t_ms in taken if t_ms > said.t_ms), default=None)
    return (
        said.channel in evidence.proved
        and next_ms is not None
        and next_ms - said.t_ms <= min(PROVED_MS, evidence.periods[said.channel] // 2)
    )


def differs(row: Row, said: Said, step: float) -> bool:
    """Whether a row is off what was said by more than one step of its resolution."""
    return row.value is None or abs(row.value - said.value) > step * (1 + ROUNDING)


def named(row: Row) -> str:
    """Return which row it is, and what it says."""
    return f"{row.channel} at {row.mono} ms (seq {row.seq}, ordinal {row.ordinal}): {row.value}"
