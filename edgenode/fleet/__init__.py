"""The fleet: many simulated nodes and some real ones, for load tests and to plan capacity.

Spool, wire format and uplink are those of a node; only clocks, sensors and links are played. See
docs/fleet.md.
"""

from edgenode.fleet.account import Account, reckon
from edgenode.fleet.compare import Comparison, Row, compare
from edgenode.fleet.fleet import Fleet, Outcome
from edgenode.fleet.plan import Outage, Plan, foreign

__all__ = [
    "Account",
    "Comparison",
    "Fleet",
    "Outage",
    "Outcome",
    "Plan",
    "Row",
    "compare",
    "foreign",
    "reckon",
]
