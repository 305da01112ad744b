"""How far the values of a sample can be trusted, judged by what their channels declare."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Final

from edgenode.errors import Reason
from edgenode.reading import Channel, Event, Quality, Sample

WHOLE_SENSOR: Final = 255  # in place of the index of a channel
Limits = Sequence[tuple[float, float]]

# Something answered, but not honestly: fault. Nothing answered: missing.
QUALITY_OF: dict[Reason, Quality] = {
    Reason.NO_ANSWER: Quality.MISSING,
    Reason.TIMEOUT: Quality.MISSING,
    Reason.BUS_STUCK: Quality.MISSING,
    Reason.SETTLING: Quality.SETTLING,
    Reason.BAD_CHECKSUM: Quality.FAULT,
    Reason.WRONG_DEVICE: Quality.FAULT,
    Reason.IMPOSSIBLE_VALUE: Quality.FAULT,
    Reason.DRIVER_DEFECT: Quality.FAULT,
}

# The worst first. A derived value is as good as the worst of its sources; the same order decides
# which of several findings about one value is told.
WORST_FIRST: Final = (
    Quality.FAULT,
    Quality.MISSING,
    Quality.SUPPRESSED_PRIVACY,
    Quality.OUT_OF_RANGE,
    Quality.CLAMPED,
    Quality.STALE,
    Quality.SETTLING,
    Quality.STUCK,
    Quality.RATE_OF_CHANGE,
    Quality.DISAGREES,
    Quality.UNCALIBRATED,
    Quality.ESTIMATED,
    Quality.MAINTENANCE,
    Quality.OK,
)
_RANK: Final = {quality: rank for rank, quality in enumerate(WORST_FIRST)}


def worst(qualities: Iterable[Quality]) -> Quality:
    """Return the one that says the most against a value."""
    return min(qualities, key=_RANK.__getitem__)


def limits(channels: Sequence[Channel]) -> Limits:
    """Return the range each channel can mean; any finite number where it declares none."""
    most = sys.float_info.max
    return [
        (-most if c.low is None else c.low, most if c.high is None else c.high) for c in channels
    ]


def nothing(width: int, reason: Reason) -> Sample:
    """Return the sample of a read that failed: no number in any of `width` channels."""
    return Sample((None,) * width, (QUALITY_OF[reason],) * width)


def unheard(sample: Sample) -> bool:
    """Whether the part has said nothing yet: it may be there or not."""
    nothing_yet = all(value is None for value in sample.values)
    return nothing_yet and Quality.SETTLING in sample.quality


def judged(sample: Sample, within: Limits, *, settling: bool) -> Sample:
    """Return the sample with what is out of range, not finite or still settling marked so.

    Raises ValueError when the sample does not have one value for each channel, or has a quality
    or an event that is none.
    """
    values = sample.values
    if len(values) != len(within) or len(sample.quality) not in {0, len(values)}:
        raise ValueError(f"the driver gave {len(values)} values for {len(within)} channels")
    if sample.quality and not _RANK.keys() >= set(sample.quality):
        raise ValueError(f"the driver gave a quality that is none, among {sample.quality}")
    for event in sample.events:
        refuse(event)
    if not settling and not sample.quality:
        for value, (low, high) in zip(values, within, strict=True):
            if value is None or not low <= value <= high:
                break
        else:
            return sample  # the common case copies nothing
    given = sample.quality or (Quality.OK,) * len(values)
    cells = [
        _cell(value, quality, low, high, settling=settling)
        for value, quality, (low, high) in zip(values, given, within, strict=True)
    ]
    return Sample(tuple(v for v, _ in cells), tuple(q for _, q in cells), sample.events)


def refuse(event: Event) -> None:
    """Raise ValueError for an event of a driver that nobody could take in."""
    numbers = event.value if isinstance(event.value, tuple) else (event.value,)
    fine = all(n is None or (isinstance(n, (bool, int, float)) and isfinite(n)) for n in numbers)
    if not (fine and 0 <= event.channel <= WHOLE_SENSOR and event.quality in _RANK):
        raise ValueError(f"the driver gave an event that is none: {event}")


def _cell(
    value: float | None, quality: Quality, low: float, high: float, *, settling: bool
) -> tuple[float | None, Quality]:
    if value is None:
        return None, Quality.MISSING if quality is Quality.OK else quality
    if not isfinite(value):
        return None, Quality.FAULT
    if quality is not Quality.OK:
        return value, quality
    if not low <= value <= high:
        return value, Quality.OUT_OF_RANGE
    return value, Quality.SETTLING if settling else Quality.OK
