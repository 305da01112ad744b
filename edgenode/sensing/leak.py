"""Flow that never stops: a total that has grown in every window of time for long is suspect."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, NamedTuple

from edgenode.errors import SpoolError
from edgenode.reading import Channel, Event, EventCode, Quality
from edgenode.sensing.job import Sink
from edgenode.sensing.rules import LeakRules

HOUR_MS: Final = 3_600_000
EARLY: Final = 10  # a read may come a tenth of its period too early


class Mark(NamedTuple):
    """A total, and the boot-time at which it was first seen."""

    total: float
    t_ms: int


class Leak:
    """Watches one total; for how long it flows is durable, as the total `<channel> flows`.

    A window is quiet where the total at its end is that of its beginning. Over a gap in which
    one may have been nobody knows: the time begins anew there. What was suspected stays so until
    a window was quiet, also over a reboot.
    """

    def __init__(
        self, index: int, channel: Channel, rules: LeakRules, every_ms: int, sink: Sink
    ) -> None:
        self._index, self._sink = index, sink
        self._key = f"{channel.name} flows"
        self._after_ms = round(rules.after_s * 1000)
        self._quiet_ms = round(rules.quiet_s * 1000) - every_ms // EARLY
        self._gap_ms = round(rules.quiet_s * 1000) + every_ms // 2
        self._still: Mark | None = None  # since when the total stands where it stands
        self._since_ms: int | None = None  # since when no window was quiet
        self._seen_ms = 0  # when it was last a good number
        self._suspected = False
        sink.total(self._key)  # where room is short, what nobody asks for is forgotten

    @property
    def flows_ms(self) -> int | None:
        """For how long it has flowed without a pause where that is suspect, else None."""
        since_ms = self._since_ms
        return self._seen_ms - since_ms if self._suspected and since_ms is not None else None

    def opened(self) -> None:
        """Take note that a total that stands still proves nothing: nobody counted before."""
        self._still = None

    def look(self, total: float | None, quality: Quality, now_ms: int) -> tuple[Event, ...]:
        """Take the newest total, and return what is to be told."""
        if total is None or quality is not Quality.OK:
            return ()
        since_ms = self._recalled(now_ms) if self._since_ms is None else self._since_ms
        if now_ms - self._seen_ms > self._gap_ms and not self._suspected:
            since_ms = now_ms
        told: tuple[Event, ...] = ()
        if self._still is None or total != self._still.total:
            self._still = Mark(total, now_ms)
        elif now_ms - self._still.t_ms >= self._quiet_ms:
            told, since_ms = self._ended(since_ms), now_ms
        self._since_ms, self._seen_ms = since_ms, now_ms
        if not self._suspected and now_ms - since_ms >= self._after_ms:
            self._suspected = True
            told += (self._event(EventCode.LEAK_SUSPECTED, now_ms - since_ms),)
        with suppress(SpoolError):  # without room a restart begins anew
            self._sink.set_total(self._key, since_ms, now_ms)
        return told

    def _ended(self, since_ms: int) -> tuple[Event, ...]:
        if not self._suspected:
            return ()
        self._suspected = False
        return (self._event(EventCode.LEAK_ENDED, self._seen_ms - since_ms),)

    def _recalled(self, now_ms: int) -> int:
        """Return since when it flows by what an earlier life of ours has noted."""
        known = self._sink.total(self._key)
        if known is None:
            self._seen_ms = now_ms
            return now_ms
        flowed_ms = known.t_ms - known.value
        self._suspected = flowed_ms >= self._after_ms
        if known.epoch == self._sink.epoch:
            self._seen_ms = known.t_ms
            return known.value
        self._seen_ms = now_ms
        return now_ms - flowed_ms if self._suspected else now_ms

    def _event(self, code: EventCode, flowed_ms: int) -> Event:
        return Event(code, self._index, (flowed_ms // HOUR_MS,))
