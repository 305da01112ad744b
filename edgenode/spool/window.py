"""The open window in memory: rows that pollers append and the spool thread takes away.

Nothing here touches the disk, so the lock is held for microseconds whatever the card does. What
is held (also what the spool thread took and could not seal yet) is bounded; beyond the bound the
oldest row of telemetry that no commit covers is dropped, and its ordinals stay behind as a gap.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence

from edgenode.errors import SpoolError
from edgenode.reading import Stream
from edgenode.spool.door import Door
from edgenode.spool.model import STREAMS
from edgenode.spool.rows import Row, Segment

MAX_COST = 4 << 20  # bytes of memory for rows
ROW_COST = 160  # bytes of Python objects around the bytes of a row
DROP_ORDER = (Stream.TELEMETRY, Stream.HEALTH, Stream.AUDIT, Stream.EVENTS)


class _Lane:
    """Rows of one stream that no commit covers yet."""

    def __init__(self, r0: int) -> None:
        self.rows: deque[Row] = deque()
        self.r0 = r0  # ordinal of the first row
        self.gap = 0  # readings dropped just before it


class Window:
    """Rows by stream, in the order of arrival; every method may be called from any thread."""

    def __init__(self, ordinals: Sequence[int], wake: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._lanes = [_Lane(ordinals[stream]) for stream in STREAMS]
        self._wake = wake
        self._cost = 0
        self._sampled = False  # a sample was ever appended
        self.readings = 0
        self.events = 0
        self.dropped = 0
        self.alarmed = False  # an alarm waits for a commit at once

    def append(
        self, stream: int, row: Row, door: Door | None = None, *, alarm: bool = False
    ) -> None:
        """Take a row in, dropping an older one where there is no room for both.

        Raises SpoolError where the door it came through is shut.
        """
        with self._lock:
            if door is not None and door.shut:
                raise SpoolError(f"group {door.group.gid} was changed or is gone; open it anew")
            first = stream != Stream.EVENTS and not self._sampled
            self._sampled = self._sampled or first
            self._lanes[stream].rows.append(row)
            self._cost += len(row.data) + ROW_COST
            self.readings += row.readings
            self.events += stream == Stream.EVENTS
            self.alarmed = self.alarmed or alarm
            while self._cost > MAX_COST and self._drop():
                pass
        if first or alarm:
            self._wake()

    def _drop(self) -> bool:
        for stream in DROP_ORDER:
            lane = self._lanes[stream]
            if lane.rows:
                row = lane.rows.popleft()
                lane.r0 += row.readings
                lane.gap += row.readings
                self.dropped += row.readings
                self._cost -= len(row.data) + ROW_COST
                return True
        return False

    def shut(self, doors: Iterable[Door], *, shut: bool) -> None:
        """Shut or open doors: behind a shut one no row comes after those that are here."""
        with self._lock:
            for door in doors:
                door.shut = shut

    def take(self, most: int) -> tuple[Segment, ...]:
        """Take away the oldest rows of every stream, up to `most` bytes but at least one row.

        Events go first, since alarms are among them.
        """
        segments = []
        with self._lock:
            for stream in reversed(DROP_ORDER):
                lane, rows, r0 = self._lanes[stream], list[Row](), self._lanes[stream].r0
                while lane.rows and (most > 0):
                    rows.append(lane.rows.popleft())
                    lane.r0 += rows[-1].readings
                    most -= len(rows[-1].data) + 2
                if rows or lane.gap:
                    segments.append(Segment(stream, lane.gap, r0, tuple(rows)))
                    lane.gap = 0
        return tuple(segments)

    def restore(self, segments: Sequence[Segment]) -> None:
        """Put back what could not be committed; where rows behind it were dropped, it is too."""
        with self._lock:
            for segment in segments:
                lane = self._lanes[segment.stream]
                readings = segment.end - segment.r0
                if lane.gap:
                    self.dropped += readings
                    lane.gap += readings + segment.gap
                    self._cost -= cost_of(segment.rows)
                else:
                    lane.rows.extendleft(reversed(segment.rows))
                    lane.r0, lane.gap = segment.r0, segment.gap

    def release(self, cost: int) -> None:
        """Give back the room of rows that were sealed."""
        with self._lock:
            self._cost -= cost

    def claim(self, cost: int) -> None:
        """Account for rows that came from the journal."""
        with self._lock:
            self._cost += cost

    def sampled(self) -> bool:
        """Tell whether a sample was ever appended."""
        with self._lock:
            return self._sampled

    def ordinals(self) -> list[int]:
        """Return the next ordinal of each stream that a row taken away now would have."""
        with self._lock:
            return [lane.r0 for lane in self._lanes]


def cost_of(rows: Collection[Row]) -> int:
    """Return the memory that rows are held to take."""
    return sum(len(row.data) for row in rows) + ROW_COST * len(rows)
