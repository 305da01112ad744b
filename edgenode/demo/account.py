"""The account of a run: what was said, what arrived, what became of the rest. A pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgenode.demo.computed import recompute
from edgenode.demo.counters import count
from edgenode.demo.evidence import OK, Evidence
from edgenode.demo.flows import flow
from edgenode.demo.gauges import join
from edgenode.demo.ordinals import numbering
from edgenode.demo.states import watch
from edgenode.demo.streams import follow

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
    proofs: int  # readings that only proved a part when it was opened, and have no row
    streamed: int  # rows that say what the newest frame of a stream said
    vehicles: int  # that passed radars
    flows: int  # rows of sums that agree with them
    changes: int  # of states, while somebody watched
    changes_told: int  # events that agree with them
    lost_changes: int  # in the open commits of kills
    states: int  # rows that agree with the state of their time
    computed: int  # calibrated and derived rows that follow from the rows beside them
    switched: int  # levels that the node put on lines
    unsaid: int  # rows of which no instrument says anything
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
    streamed, stated, computed = follow(evidence), watch(evidence), recompute(evidence)
    flowed = flow(evidence)
    recorded = Counter[str]()
    for loss in evidence.losses:
        recorded[loss.reason] += loss.readings
    unexplained = joined.missing[recorded.total() :]  # a record names ordinals, not channels
    problems = [*joined.problems, *counted.problems, *streamed.problems, *stated.problems]
    problems += [*computed.problems, *flowed.problems, *numbering(evidence), *_mute(evidence)]
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
        unanswered=joined.unanswered
        + streamed.unanswered
        + stated.unanswered
        + computed.absent
        + flowed.unanswered,
        pulses=counted.pulses,
        totals=counted.totals,
        lost=dict(recorded) | taken,
        lost_pulses=counted.open_commit,
        proofs=joined.proofs,
        streamed=streamed.matched,
        vehicles=flowed.vehicles,
        flows=flowed.rows,
        changes=stated.changes,
        changes_told=stated.told,
        lost_changes=stated.open_commit,
        states=stated.rows,
        computed=computed.agreed,
        switched=sum(said.channel in evidence.outputs for said in evidence.said),
        unsaid=sum(row.channel in evidence.derived for row in evidence.rows),
        problems=tuple(problems),
    )


def _mute(evidence: Evidence) -> Iterator[str]:
    """Tell what has no number in any row although its instrument speaks, and what was never lit."""
    spoken = {said.channel for said in evidence.said if said.fate == OK}
    for channel in sorted(evidence.outputs - spoken):
        yield f"{channel}: the node never switched it"
    numbers = {row.channel for row in evidence.rows if row.value is not None}
    told = numbers | evidence.flows.keys() | set(evidence.flows.values())  # those by their own rule
    for channel in sorted((spoken & evidence.steps.keys()) - told):
        yield f"{channel}: its instrument speaks, and no row has a number"
