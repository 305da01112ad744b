"""Hold what is read off a stream against its frames: each row is the newest of them, or says so."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

from edgenode.demo.evidence import Evidence, Row, Said
from edgenode.demo.gauges import differs, named
from edgenode.reading import Quality

FRESH_MS: Final = 2_300  # a frame is due at least so often; an older one is stale
KEPT_MS: Final = 4 * FRESH_MS  # and after so long there is no number at all


@dataclass(slots=True)
class Streamed:
    """How the rows of streams stand against the frames."""

    matched: int = 0
    unanswered: int = 0  # rows without a number
    problems: list[str] = field(default_factory=list)


def follow(evidence: Evidence) -> Streamed:
    """Check every row of every streamed channel."""
    result = Streamed()
    for channel in sorted(evidence.streams):
        said = evidence.said_on(channel)
        times = [s.t_ms for s in said]
        for row in evidence.rows_on(channel):
            _row(evidence, row, said, times, result)
    return result


def _row(
    evidence: Evidence, row: Row, said: list[Said], times: list[int], result: Streamed
) -> None:
    if row.value is None:
        result.unanswered += 1
        return
    newest = _newest(times, row.mono, evidence.tolerance_ms)
    alike = [n for n in newest if not differs(row, said[n], evidence.steps[row.channel])]
    if not alike:
        frames = ", ".join(str(said[n].value) for n in newest) or "none"
        result.problems.append(f"{named(row)}: the newest frame said {frames}")
        return
    age_ms = row.mono - times[alike[-1]]
    limit_ms = KEPT_MS if row.quality == Quality.STALE else FRESH_MS
    if age_ms > limit_ms + evidence.tolerance_ms:
        result.problems.append(f"{named(row)}: said {age_ms} ms before, and not told as that old")
    else:
        result.matched += 1


def _newest(times: list[int], t_ms: int, tolerance_ms: int) -> range:
    """Return which frames can have been the newest at `t_ms`, as far as the times tell."""
    surely = bisect_right(times, t_ms - tolerance_ms)
    return range(max(0, surely - 1), bisect_right(times, t_ms + tolerance_ms))
