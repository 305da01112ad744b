"""What a meter of one household may tell: at most a value each quarter of an hour.

A load curve by the minute shows when people sleep, cook and are away; by the quarter of an hour
it is what markets settle by (Directive (EU) 2019/944, articles 19 and 20). So the strict reading
is the default: a meter serves a household until the file says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edgenode.config.check import Mistake
from edgenode.config.draft import Draft, Row
from edgenode.driver import declared

FINEST_S: Final = 900.0
CONSUMED: Final = ("ACMeasurement/", "SmartMeteringObservation/", "WaterConsumptionObserved/")


def is_household(row: Row) -> bool:
    """Return whether what the sensor tells is about the people of one household."""
    serves: str = row.table.serves
    return serves == "household" or (serves == "" and _is_meter(row))


def _is_meter(row: Row) -> bool:
    """Whether the part is a meter, or counts for one by what its options say it observes."""
    channels = declared(row.driver, row.options)
    return row.driver.metered or any(channel.observed.startswith(CONSUMED) for channel in channels)


def too_fine(draft: Draft) -> Iterator[Mistake]:
    """Every household that would be watched too closely."""
    for index, row in draft.sensors.items():
        every_s = row.table.every_s
        if is_household(row) and every_s < FINEST_S:
            yield Mistake(
                ("sensor", index, "every_s"),
                f"a meter of one household is read each {FINEST_S:g} s at the finest, found"
                f' {every_s:g}; for another write serves = "building" or serves = "public"',
            )
