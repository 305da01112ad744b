"""How often each rung of the recovery ladder was tried, and how often it helped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from edgenode.reading import Rung


@dataclass(slots=True)
class Tally:
    """One rung."""

    tried: int = 0
    helped: int = 0


class Since(NamedTuple):
    """What was done since an earlier worker told that the bus of a sensor is stuck."""

    rung: Rung
    gid: int  # of that sensor


Rungs = dict[str, Tally]  # by the name of the rung, as docs/wire-format.md has it


def added(each: Iterable[Rungs]) -> Rungs:
    """Return the sums over several, such as the sensors of a bus."""
    total: Rungs = {}
    for rungs in each:
        for name, tally in rungs.items():
            so_far = total.setdefault(name, Tally())
            so_far.tried += tally.tried
            so_far.helped += tally.helped
    return total
