"""All checks, in the order of repair: what explains most of the rest comes first."""

from __future__ import annotations

from typing import Final

from edgenode.commission import check_machine, check_road, check_sensors
from edgenode.commission.finding import Check

CHECKS: Final[tuple[Check, ...]] = (
    check_road.daemon,
    check_machine.configuration,
    check_machine.supply,
    check_machine.card,
    check_machine.disk,
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
