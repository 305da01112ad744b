"""The account of a run: the ledger against the table of the city, and what explains a difference.

A node that is killed loses what no commit covered: the reads of one commit interval, and of the
moment that a busy machine is late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edgenode.fleet.compare import Comparison, Row, compare
from edgenode.fleet.ledger import Killed

FLUSH_MS = 2_000  # the slowest commit that a busy machine is allowed


class Account(NamedTuple):
    """What was made, what is held, and how many readings are lost with a kill, or unexplained."""

    found: Comparison
    killed: int  # readings that were in no commit when their node was killed
    unexplained: int

    @property
    def closes(self) -> bool:
        return not (self.unexplained or self.found.alien or self.found.repeated)


def reckon(
    made: Iterable[Row], held: Iterable[Row], kills: Sequence[Killed], commit_ms: int
) -> Account:
    """Compare, and explain what is missing by the kills there were."""
    found = compare(made, held)
    grace = commit_ms + FLUSH_MS
    lost = sum(
        any(
            (kill.node, kill.epoch) == row[:2] and kill.mono - grace <= row.mono <= kill.mono
            for kill in kills
        )
        for row in found.rows[: found.missing]
    )
    return Account(found, lost, found.missing - lost)
