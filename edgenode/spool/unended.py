"""What events have told the beginning of and not the end, as far as a commit covers them.

It is read off the rows themselves when they become durable, and stands in the store from the
transaction on that seals them. So whoever comes after a power cut knows exactly what the City OS
was, or will be, told, and owes it the ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import cbor2

from edgenode.errors import SpoolError
from edgenode.reading import BY_VALUE, ENDS, EventCode, Stream
from edgenode.spool.births import Births
from edgenode.spool.kept import Kept
from edgenode.spool.rows import MALFORMED, Row, Segment, decode_row
from edgenode.wire import Birth
from edgenode.wire.limits import EVERY_COLUMN

MOST: Final = 256  # the oldest go; a node has fewer sensors
_BEGINNINGS: Final = {end: begin for begin, end in ENDS.items()}


class Begun(NamedTuple):
    """A beginning that was told: `name` is a sensor, a channel, or None for the node.

    `value` tells those of the node apart that have an end each (BY_VALUE), and is None for others.
    """

    code: int  # edgenode.reading.EventCode, a key of ENDS
    name: str | None
    value: int | None
    epoch: int
    t_ms: int  # boot-time of that epoch


class Unended(Kept):
    """Beginnings by what they are of; any thread may ask `standing`."""

    def __init__(self, begun: Iterable[Begun] = ()) -> None:
        super().__init__()
        self._begun = {one[:3]: one for one in begun}

    def standing(self) -> tuple[Begun, ...]:
        """Return what stands, the oldest first."""
        with self.lock:
            return tuple(self._begun.values())

    def of_node(self, code: EventCode) -> list[Begun]:
        """Return what stands of the node itself by one code, the oldest first."""
        return [one for one in self.standing() if one.name is None and one.code == code]

    def committed(
        self, epoch: int, schema: bytes, segments: Iterable[Segment], births: Births
    ) -> None:
        """Take in the rows of a commit that is durable."""
        for segment in segments:
            if segment.stream == Stream.EVENTS:
                self.take(epoch, schema, segment.rows, births)

    def take(self, epoch: int, schema: bytes, rows: Iterable[Row], births: Births) -> None:
        """Take in rows of the events stream, in their order; those taken before change nothing."""
        decoded = (decode_row(row.data) for row in rows)
        found = [row for row in decoded if row[3] in ENDS or row[3] in _BEGINNINGS]
        birth = births.decoded(schema) if found else None
        with self.lock:
            for _, t_ms, ch, code, value, _ in found:
                name = _name(ch, birth)
                if ch is not None and name is None:
                    continue  # of a birth that is lost: no batch will tell it either
                if code in ENDS:
                    self._begin(Begun(code, name, _which(code, name, value), epoch, t_ms))
                else:
                    self._end(_BEGINNINGS[code], name, value)

    def _begin(self, one: Begun) -> None:
        if one[:3] not in self._begun:
            self._begun[one[:3]] = one
            self.touch()
        while len(self._begun) > MOST:
            del self._begun[next(iter(self._begun))]

    def _end(self, code: int, name: str | None, value: Any) -> None:
        if self._begun.pop((code, name, _which(code, name, value)), None) is not None:
            self.touch()

    def dump(self) -> bytes:
        """Return it as it stands in the store."""
        with self.lock:
            self.dumped()
            return cbor2.dumps([list(one) for one in self._begun.values()])

    @classmethod
    def load(cls, data: bytes) -> Unended:
        """Return what `dump` was; raises SpoolError when it is none."""
        try:
            return cls(_begun(*row) for row in cbor2.loads(data))
        except MALFORMED as error:
            raise SpoolError(f"what was told and not ended is not readable: {error}") from error


def _begun(code: int, name: str | None, value: int | None, epoch: int, t_ms: int) -> Begun:
    if not (isinstance(name, str | None) and isinstance(value, int | None)):
        raise TypeError("a beginning of nothing")
    return Begun(EventCode(code), name, value, int(epoch), int(t_ms))


def _which(code: int, name: str | None, value: Any) -> int | None:
    return value if name is None and code in BY_VALUE and isinstance(value, int) else None


def _name(ch: int | None, birth: Birth | None) -> str | None:
    if ch is None or birth is None:
        return None
    channels, index = birth.groups.get(ch // 256, ()), ch % 256
    if not channels or (index >= len(channels) and index != EVERY_COLUMN):
        return None
    return channels[0].name.partition("/")[0] if index == EVERY_COLUMN else channels[index].name
