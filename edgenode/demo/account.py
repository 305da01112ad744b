"""The account of a run: what was said, what arrived, what became of the rest. A pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from edgenode.demo.counters import count
from edgenode.demo.evidence import Evidence
from edgenode.demo.gauges import join
from edgenode.demo.ordinals import numbering

OPEN_COMMIT = "open commit"  # what no commit covered yet when the daemon was killed


@dataclass(frozen=True, slots=True)
class Account:
    """How the run came out. It closes when there is no problem."""

    said: int  # readings that instruments gave in good order, pulses aside
    received: int  # rows that the receiver holds
    matched: int  # readings found with the value that was said
    doubted: int  # readings that the driver did not trust; the row says so
    unanswered: int  # rows that say that no instrument answered
    pulses: int
    totals: int  # rows of counters that agree with the pulses
    lost: Mapping[str, int]  # readings by reason; OPEN_COMMIT is the one without a record
    lost_pulses: int  # in the open commits of kills
    problems: tuple[str, ...]

    @property
    def closes(self) -> bool:
        """Whether everything is there, once, and right, or its loss is explained."""
        return not self.problems

    @property
    def recorded(self) -> int:
        """How many readings the node recorded as lost."""
        return sum(count for reason, count in self.lost.items() if reason != OPEN_COMMIT)


def account(evidence: Evidence) -> Account:
    """Make the account of `evidence`."""
    joined, counted = join(evidence), count(evidence)
    recorded = Counter[str]()
    for loss in evidence.losses:
        recorded[loss.reason] += loss.readings
    unexplained = joined.missing[recorded.total() :]  # a record names ordinals, not channels
    problems = [*joined.problems, *counted.problems, *numbering(evidence)]
    problems += [
        f"{said.channel} at {said.t_ms} ms: {said.value} was said and never arrived"
        for said in unexplained
    ]
    taken = {OPEN_COMMIT: len(joined.open_commit)} if joined.open_commit else {}
    return Account(
        said=sum(len(evidence.said_on(channel)) for channel in evidence.gauges()),
        received=len(evidence.rows),
        matched=joined.matched,
        doubted=joined.doubted,
        unanswered=joined.unanswered,
        pulses=counted.pulses,
        totals=counted.totals,
        lost=dict(recorded) | taken,
        lost_pulses=counted.open_commit,
        problems=tuple(problems),
    )
