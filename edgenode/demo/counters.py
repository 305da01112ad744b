"""Hold totals against pulses: what was watched is counted, but for the open commit of a kill."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from edgenode.demo.evidence import Evidence, Row


@dataclass(slots=True)
class Counted:
    """How the totals stand against the pulses."""

    pulses: int = 0  # that came while somebody counted
    totals: int = 0  # rows that agree
    open_commit: int = 0  # pulses taken by kills
    problems: list[str] = field(default_factory=list)


def count(evidence: Evidence) -> Counted:
    """Check every total of every counter."""
    result = Counted()
    for channel in sorted(evidence.counters):
        _channel(evidence, channel, result)
    return result


def _channel(evidence: Evidence, channel: str, result: Counted) -> None:
    """Within one life of the daemon a total lacks a fixed number of pulses, the same for all rows.

    That number may grow at a kill, by no more than the pulses of the open commit.
    """
    times = [said.t_ms for said in evidence.said_on(channel)]
    result.pulses += len(times)
    rows = [row for row in evidence.rows_on(channel) if row.value is not None]
    least = most = 0
    begin = 0
    for end in (*sorted(evidence.kills), None):
        life = [row for row in rows if row.mono >= begin and (end is None or row.mono < end)]
        least, most = _life(evidence, times, life, (least, most), result)
        if end is not None:
            most += _between(times, end - evidence.grace_ms, end + evidence.tolerance_ms)
            begin = end
    result.open_commit += least


def _life(
    evidence: Evidence, times: list[int], life: list[Row], lack: tuple[int, int], result: Counted
) -> tuple[int, int]:
    """Narrow down how many pulses the totals of one life lack; a row that cannot fit is told."""
    least, most = lack
    for row in life:
        sure = bisect_right(times, row.mono - evidence.tolerance_ms)
        possible = bisect_right(times, row.mono + evidence.tolerance_ms)
        value = int(row.value or 0)
        low, high = max(least, sure - value), min(most, possible - value)
        if low > high:
            result.problems.append(
                f"{row.channel} at {row.mono} ms (seq {row.seq}): {value} counted, but"
                f" {sure - most} to {possible - least} pulses are due"
            )
        else:
            least, most = low, high
            result.totals += 1
    return least, most


def _between(times: list[int], first_ms: int, last_ms: int) -> int:
    return bisect_right(times, last_ms) - bisect_left(times, first_ms)
