"""What is remembered of a sensor's newest samples, so that somebody can ask why."""

from __future__ import annotations

from operator import itemgetter
from typing import Final, NamedTuple

from edgenode.reading import Quality, Sample

HISTORY: Final = 64  # samples a sensor; 32 bytes a value or less


class Newest(NamedTuple):
    """A sample, the boot-time it is stamped with, and how long the read took."""

    t_ms: int
    sample: Sample
    took_ms: int


class Good(NamedTuple):
    """A number that was ok, or would have been but for maintenance."""

    value: float
    t_ms: int


class Record:
    """The newest samples of one sensor. Its bus thread notes; any thread may look."""

    def __init__(self, width: int) -> None:
        self.newest: Newest | None = None
        self._last: list[float | None] = [None] * width
        self._since_ms = [0] * width
        self._reads = [0] * width
        self._good: list[Good | None] = [None] * width
        self._all_good: Newest | None = None  # spares touching every channel of a good sample
        self._history: list[tuple[int, tuple[float | None, ...]] | None] = [None] * HISTORY
        self._at = 0

    def note(self, t_ms: int, sample: Sample, took_ms: int) -> None:
        """Remember a sample of the sensor's width."""
        self.newest = newest = Newest(t_ms, sample, took_ms)
        self._history[self._at] = (t_ms, sample.values)
        self._at = (self._at + 1) % HISTORY
        for n, value in enumerate(sample.values):
            if value is None:
                continue
            if value == self._last[n]:
                self._reads[n] += 1
            else:
                self._last[n], self._since_ms[n], self._reads[n] = value, t_ms, 1
        if sample.quality:
            self._note_good(t_ms, sample)
        else:
            self._all_good = newest

    def _note_good(self, t_ms: int, sample: Sample) -> None:
        for n, (value, quality) in enumerate(zip(sample.values, sample.quality, strict=True)):
            if value is not None and quality in {Quality.OK, Quality.MAINTENANCE}:
                self._good[n] = Good(value, t_ms)

    def good(self, n: int) -> Good | None:
        """Return the last good value of a channel."""
        whole, own = self._all_good, self._good[n]
        value = whole.sample.values[n] if whole else None
        if whole is None or value is None or (own and own.t_ms > whole.t_ms):
            return own
        return Good(value, whole.t_ms)

    def unchanged(self, n: int) -> tuple[int, int] | None:
        """Return since which boot-time a channel has not changed, and in how many reads."""
        return (self._since_ms[n], self._reads[n]) if self._reads[n] else None

    def history(self, n: int) -> list[tuple[int, float | None]]:
        """Return the newest values of a channel with their boot-times, oldest first."""
        rows = [row for row in self._history.copy() if row]  # at once: its thread goes on noting
        rows.sort(key=itemgetter(0))
        return [(t_ms, values[n]) for t_ms, values in rows]
