"""Reckon anew what the node computed, calibrated or derived, from the rows beside it."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from edgenode.demo.evidence import Evidence, Formula, Row
from edgenode.demo.gauges import named

KELVIN: Final = 273.15
COLDEST, WARMEST = -100.0, 100.0  # °C, between which a dew point is sought
HALVINGS: Final = 40


@dataclass(slots=True)
class Computed:
    """How the computed channels stand against their sources."""

    agreed: int = 0
    absent: int = 0  # rows without a number, because a source had none
    problems: list[str] = field(default_factory=list)


def recompute(evidence: Evidence) -> Computed:
    """Check every row of every computed channel."""
    result = Computed()
    sources = {name for formula in evidence.computed.values() for name in formula.sources}
    beside: dict[int, dict[str, Row]] = defaultdict(dict)
    for row in evidence.rows:
        if row.channel in sources:
            beside[row.mono][row.channel] = row
    for channel, formula in sorted(evidence.computed.items()):
        for row in evidence.rows_on(channel):
            _row(row, formula, beside[row.mono], result)
    return result


def _row(row: Row, formula: Formula, beside: dict[str, Row], result: Computed) -> None:
    values = [beside[name].value if name in beside else None for name in formula.sources]
    known = [value for value in values if value is not None]
    if row.value is None and len(known) < len(values):
        result.absent += 1
    elif row.value is None or len(known) < len(values):
        result.problems.append(f"{named(row)}: its sources say {values}")
    elif abs(row.value - (due := formula.of(*known))) > formula.tolerance:
        result.problems.append(f"{named(row)}: {due:.3f} follows from {known}")
    else:
        result.agreed += 1


def saturation_pa(celsius: float) -> float:
    """Return the pressure of water vapour over water at saturation.

    D. Sonntag, Z. Meteorol. 70 (1990) 340, equation 7 (not the Magnus form that is fitted to it).
    """
    t = celsius + KELVIN
    return math.exp(
        -6096.9385 / t + 21.2409642 - 2.711193e-2 * t + 1.673952e-5 * t * t + 2.433502 * math.log(t)
    )


def dew_point(celsius: float, percent: float) -> float:
    """Return the temperature in °C at which the air would be saturated, found by halving."""
    wanted = saturation_pa(celsius) * percent / 100
    low, high = COLDEST, WARMEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if saturation_pa(middle) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2
