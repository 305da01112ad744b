"""The condition log: what holds since when, across reboots, read from events that pass through."""

from __future__ import annotations

from collections.abc import Iterable

import cbor2

from edgenode.errors import SpoolError
from edgenode.reading import EventCode
from edgenode.spool.model import Condition
from edgenode.spool.rows import EVENT, MALFORMED, Row, decode_row

MAX_CONDITIONS = 256  # more are not noted; they still travel as events
ENDS = {
    EventCode.SENSOR_FOUND: EventCode.SENSOR_LOST,
    EventCode.BUS_RECOVERED: EventCode.BUS_STUCK,
    EventCode.LIMIT_CLEARED: EventCode.LIMIT_EXCEEDED,
    EventCode.MAINTENANCE_ENDED: EventCode.MAINTENANCE_BEGUN,
}
BEGINS = frozenset(ENDS.values())


class Conditions:
    """Conditions by (code of the event that began it, channel)."""

    def __init__(self, conditions: Iterable[Condition] = ()) -> None:
        self._held = {(item.code, item.ch): item for item in conditions}
        self.changed = False

    def all(self) -> tuple[Condition, ...]:
        return tuple(self._held.values())

    def observe(self, epoch: int, rows: Iterable[Row]) -> None:
        """Take in the events of a commit; a condition that holds already keeps its beginning."""
        for row in rows:
            first, t, ch, code, value, *_ = decode_row(row.data)
            if first != EVENT:
                continue
            if code in BEGINS and (code, ch) not in self._held:
                if len(self._held) < MAX_CONDITIONS:
                    number = value if isinstance(value, int) else None
                    self._held[code, ch] = Condition(code, ch, epoch, t, number)
                    self.changed = True
            elif code in ENDS and (int(ENDS[EventCode(code)]), ch) in self._held:
                del self._held[int(ENDS[EventCode(code)]), ch]
                self.changed = True

    def dump(self) -> bytes:
        """Return the log as it stands in the store."""
        return cbor2.dumps([list(item) for item in self._held.values()])

    @classmethod
    def load(cls, data: bytes) -> Conditions:
        """Return the log of `dump`; raises SpoolError when it is none."""
        try:
            return cls(Condition(*row) for row in cbor2.loads(data))
        except MALFORMED as error:
            raise SpoolError(f"the condition log is not readable: {error}") from error
