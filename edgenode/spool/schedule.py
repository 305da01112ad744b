"""When rows are committed and runs are sealed: rules over boot-time, without any I/O."""

from __future__ import annotations

from edgenode.reading import Stream
from edgenode.spool.model import STREAMS, Identity
from edgenode.spool.options import SpoolOptions
from edgenode.spool.unsealed import Run, Unsealed

EVENTS_MS = 10_000  # state changes are sealed this often,
EVENTS_MOST = 200  # or when there are so many
ALARM_GAP_MS = 5_000  # between two seals of alarms; what happens between them is coalesced


class Schedule:
    """Keeps the times of the last commit and the last seals."""

    def __init__(
        self, options: SpoolOptions, identity: Identity, now: int, *, draining: bool = False
    ) -> None:
        self._options = options
        self._draining = draining  # no rows will follow: seal what there is
        self.identity = identity
        self.commit_at = now  # the first commit does not wait
        self.alarm_at = now
        self._sealed_at = dict.fromkeys(STREAMS, now)
        self._settled_at = now

    def committed(self, now: int) -> None:
        """Keep to a grid of intervals, unless the card stalled for longer than one.

        A commit before its time, of the very first rows, moves nothing.
        """
        if now >= self.commit_at:
            self.commit_at += self._options.commit_interval_ms
        if now >= self.commit_at:
            self.commit_at = now + self._options.commit_interval_ms

    def sealed(self, streams: set[int], now: int) -> None:
        self._sealed_at.update(dict.fromkeys(streams, now))

    def settled(self, now: int) -> None:
        """Note that acks were written down, which every seal does too."""
        self._settled_at = now

    def settle_due(self, waiting: int, now: int) -> bool:
        """Tell whether acks or notes have waited for two windows without a seal to ride with."""
        return waiting > 0 and now - self._settled_at >= 2 * self._options.window_ms

    def due(self, unsealed: Unsealed, now: int, *, online: bool, alarm: bool) -> list[Run]:
        """Return the front runs to seal now, of all streams once the window of one is over."""
        fronts = [runs[0] for runs in unsealed.runs.values() if runs]
        window = self._options.window_ms if online else self._options.offline_window_ms
        over = any(
            now - run.born >= window or (not online and len(run.rows) >= self._options.window_rows)
            for run in fronts
            if run.stream != Stream.EVENTS
        )
        return [
            run
            for run in fronts
            if over
            or self._draining
            or run.full()
            or len(unsealed.runs[run.stream]) > 1
            or (run.epoch, run.schema) != (self.identity.epoch, self.identity.schema)
            or (run.stream == Stream.EVENTS and (alarm or self._events_due(run, now)))
        ]

    def _events_due(self, run: Run, now: int) -> bool:
        return run.readings >= EVENTS_MOST or (now - self._sealed_at[Stream.EVENTS] >= EVENTS_MS)

    def silent(self, stream: int, now: int) -> bool:
        """Tell whether a stream has sealed nothing for a window."""
        return now - self._sealed_at[stream] >= self._options.window_ms
