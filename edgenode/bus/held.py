"""The newest measurement of a part that measures by itself and has to be asked for it.

Whoever reads faster than the part measures is given the same measurement again, as long as it is
young enough.
"""

from __future__ import annotations

from typing import NamedTuple

from edgenode.errors import BusTimeout
from edgenode.reading import Quality, Sample


class Rhythm(NamedTuple):
    """How a part measures, in boot-time ms, and what to say when it does not."""

    part: str  # begins the error
    late_ms: int  # an older measurement is stale
    silent_ms: int  # without one for so long, the part is lost
    if_silent: str  # what to check then


class Held:
    """Holds the newest measurement of `width` channels, from the first read on."""

    def __init__(self, rhythm: Rhythm, width: int) -> None:
        self._rhythm = rhythm
        self._none = Sample((None,) * width, (Quality.SETTLING,) * width)
        self._newest = self._none
        self._newest_ms: int | None = None

    def newest(self, now_ms: int, fresh: Sample | None) -> Sample:
        """Return `fresh`, or where the part had nothing ready what it measured last.

        That is no number, as settling, before the first measurement, and stale where it is late.
        Raises BusTimeout once the part has had nothing for too long.
        """
        if fresh is not None:
            self._newest, self._newest_ms = fresh, now_ms
            return fresh
        if self._newest_ms is None:
            self._newest_ms = now_ms
        age_ms = now_ms - self._newest_ms
        rhythm = self._rhythm
        if age_ms > rhythm.silent_ms:
            raise BusTimeout(
                f"{rhythm.part}: measured nothing for {age_ms // 1000} s; {rhythm.if_silent}"
            )
        if age_ms > rhythm.late_ms and self._newest is not self._none:
            return aged(self._newest)
        return self._newest


def aged(sample: Sample) -> Sample:
    """Return the sample with its numbers marked as stale."""
    given = sample.quality or (Quality.OK,) * len(sample.values)
    marks = (
        how if value is None else Quality.STALE
        for value, how in zip(sample.values, given, strict=True)
    )
    return Sample(sample.values, tuple(marks), sample.events)
