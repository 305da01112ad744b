"""All checks, in the order of repair: what explains most of the rest comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from edgenode.commission import check_machine, check_road, check_sensors
from edgenode.commission.evidence import Evidence
from edgenode.commission.finding import Finding

CHECKS: Final[tuple[Callable[[Evidence], Iterable[Finding]], ...]] = (
    check_road.daemon,
    check_machine.configuration,
    check_machine.supply,
    check_machine.card,
    check_machine.disk,
    check_machine.left,
    check_sensors.plan,
    check_sensors.sensors,
    check_sensors.plausible,
    check_sensors.twins,
    check_sensors.strangers,
    check_machine.clock,
    check_machine.certificate,
    check_road.link,
    check_road.delivery,
    check_road.told,
    check_road.answers,
)


def judged(evidence: Evidence) -> list[Finding]:
    """Return what is to fix, in the order of the checks, then what is to know.

    The first that speaks of a key has said it.
    """
    found: dict[str, Finding] = {}
    for check in CHECKS:
        for finding in check(evidence):
            found.setdefault(finding.key, finding)
    return sorted(found.values(), key=lambda finding: finding.note)
