"""What a run comes to: its figures, and the accounts of simulated nodes and of real daemons."""

from __future__ import annotations

from typing import Final, NamedTuple

from edgenode.cityos.sink import Sink
from edgenode.fleet.account import Account, reckon
from edgenode.fleet.city import held_rows, wait_derived
from edgenode.fleet.fleet import Outcome
from edgenode.fleet.ledger import read_kills, read_rows
from edgenode.fleet.plan import LEDGER, Plan
from edgenode.fleet.proved import Proof, prove
from edgenode.fleet.real import Real

DERIVE_S: Final = 120.0  # until what is stored has become rows


class Verdict(NamedTuple):
    """A run and its accounts; those are None where there is no table to compare with."""

    outcome: Outcome
    simulated: Account | None
    real: Proof | None

    @property
    def well(self) -> bool:
        """Whether all was acknowledged, and is there once, or its loss is explained."""
        return (
            self.outcome.settled
            and (self.simulated is None or self.simulated.closes)
            and (self.real is None or not self.real.problems)
        )


def judge(plan: Plan, real: Real, outcome: Outcome, sink: Sink | None) -> Verdict:
    """Compare what was made with the city's table, if there is one."""
    if sink is None:
        return Verdict(outcome, None, None)
    wait_derived(sink, DERIVE_S)
    simulated = proof = None
    if plan.nodes:
        path = plan.directory / LEDGER
        nodes = [plan.node(index) for index in range(plan.nodes)]
        simulated = reckon(
            read_rows(path), held_rows(sink, nodes), read_kills(path), plan.commit_ms
        )
    if plan.real:
        proof = prove(sink, real.ids, real.truth)
    return Verdict(outcome, simulated, proof)
