"""What continues as what: a node or a sensor that was replaced, at the same place.

A record says that from a time on the channels of one part continue as those of another. Nothing
that was stored changes, so a record can be taken back. The identity of a place is that of the first
part that stood there. A new card needs no record: it is another spool of the same node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from edgenode.cityos.sink import Sink
from edgenode.cityos.wording import iso
from edgenode.errors import CityError

FOREVER = 1 << 62  # later than every POSIX ms


class Part(NamedTuple):
    """A node, or with `sensor` one sensor of it."""

    node: bytes
    sensor: str = ""

    def __str__(self) -> str:
        """Return it as the command line takes it."""
        return f"{self.node.hex()}/{self.sensor}" if self.sensor else self.node.hex()


class Succession(NamedTuple):
    """From POSIX ms `since` on, what `old` measured is measured by `new`."""

    old: Part
    new: Part
    since: int


class Continuity:
    """All records, looked up by either side."""

    def __init__(self, records: Iterable[Succession]) -> None:
        self.records = tuple(records)
        self._by_new = {one.new: one for one in self.records}
        self._by_old = {one.old: one for one in self.records}

    @classmethod
    def of(cls, sink: Sink) -> Continuity:
        """Read the records of a sink."""
        rows = sink.db.execute(
            "SELECT node, sensor, by_node, by_sensor, since FROM succession"
            " ORDER BY since, node, sensor"
        )
        return cls(
            Succession(Part(bytes(node), sensor), Part(bytes(by_node), by_sensor), since)
            for node, sensor, by_node, by_sensor, since in rows
        )

    def origin(self, node: bytes, sensor: str, utc: int) -> Part:
        """Return the sensor as which one is known that measured at POSIX ms `utc`."""
        *_, first = self._back(Part(node, sensor), utc)
        return first

    def _back(self, at: Part, utc: int) -> Iterator[Part]:
        """Yield a sensor and those before it; `record` lets no ring in."""
        for _ in range(2 * len(self.records) + 1):
            yield at
            one = self._by_new.get(at)
            whole = self._by_new.get(Part(at.node))
            if one is not None and one.since <= utc:
                at = one.old
            elif whole is not None and whole.since <= utc:
                at = Part(whole.old.node, at.sensor)
            else:
                return

    def replaced(self, node: bytes, sensor: str = "") -> Succession | None:
        """Return the record by which a node, or a sensor by itself or with its node, ended."""
        return self._by_old.get(Part(node, sensor)) or self._by_old.get(Part(node))

    def about(self, node: bytes) -> list[Succession]:
        """Return the records that name a node or a sensor of it."""
        return [one for one in self.records if node in (one.old.node, one.new.node)]

    def neighbours(self, node: bytes) -> list[bytes]:
        """Return the nodes whose readings may be of the same places, the node itself first."""
        found = [node]
        for at in found:  # grows meanwhile
            for one in self.about(at):
                found += [x.node for x in (one.old, one.new) if x.node not in found]
        return list(dict.fromkeys(found))

    def ring(self) -> bool:
        """Tell whether anything would continue as itself."""
        parts = [part for one in self.records for part in (one.old, one.new)]
        sensors = {part.sensor for part in parts}
        walks = (list(self._back(Part(x.node, s), FOREVER)) for x in parts for s in sensors)
        return any(len(walk) != len(set(walk)) for walk in walks)


def record(sink: Sink, made: Succession) -> None:
    """Write that `made.old` continues as `made.new`; raises CityError where that cannot be."""
    held = Continuity.of(sink)
    old, new = made.old, made.new
    problem = _problem(held, made)
    if problem:
        raise CityError(f"{old} cannot continue as {new}: {problem}")
    with sink.transaction():
        sink.db.execute("INSERT INTO succession VALUES (?, ?, ?, ?, ?)", (*old, *new, made.since))


def _problem(held: Continuity, made: Succession) -> str:
    """Return why a record contradicts itself or those there are; empty where it does not."""
    if bool(made.old.sensor) != bool(made.new.sensor):
        return "name two nodes, or two sensors as NODE/SENSOR"
    for one in held.records:
        problem = _conflict(one, made)
        if problem:
            return problem
    if made.old == made.new or Continuity([*held.records, made]).ring():
        return "something would continue as itself"
    return ""


def _conflict(one: Succession, made: Succession) -> str:
    undo = f"take it back first: edgenode cityos replace {one.old} {one.new} --undo"
    if one.old == made.old:
        return f"it continues as {one.new} since {iso(one.since)}; {undo}"
    if one.new == made.new:
        return f"that one continues {one.old} since {iso(one.since)}; {undo}"
    if one.old == made.new and one.since <= made.since:
        return f"that one was itself replaced at {iso(one.since)}; give an earlier --at"
    if one.new == made.old and one.since >= made.since:
        return f"it stands there only since {iso(one.since)}; give a later --at"
    return ""


def undo(sink: Sink, old: Part, new: Part) -> None:
    """Take a record back; raises CityError where there is none."""
    with sink.transaction():
        gone = sink.db.execute(
            "DELETE FROM succession WHERE node = ? AND sensor = ?"
            " AND by_node = ? AND by_sensor = ?",
            (*old, *new),
        )
    if not gone.rowcount:
        raise CityError(f"no record says that {old} continues as {new}; `cityos nodes` lists them")


def known(sink: Sink, part: Part) -> bool:
    """Tell whether a node was heard; of a sensor, whether a birth of its node names it."""
    if not part.sensor:
        return bool(
            sink.db.execute("SELECT 1 FROM node WHERE node = ?", (part.node,)).fetchone()
            or sink.db.execute("SELECT 1 FROM spool WHERE node = ?", (part.node,)).fetchone()
        )
    rows = sink.db.execute("SELECT DISTINCT name FROM channel WHERE node = ?", (part.node,))
    return any(sensor_of(name) == part.sensor for (name,) in rows)


def first_reading(sink: Sink, part: Part) -> int | None:
    """Return POSIX ms of the first reading of a part that has a time, None where none has."""
    prefix = f"{part.sensor}/" if part.sensor else ""
    row = sink.db.execute(
        "SELECT min(utc) FROM reading WHERE node = ? AND substr(channel, 1, ?) = ?",
        (part.node, len(prefix), prefix),
    ).fetchone()
    return None if row[0] is None else int(row[0])


def sensor_of(channel: str) -> str:
    """Return the sensor of a channel: what stands before the first slash."""
    return channel.partition("/")[0]


def renamed(channel: str, sensor: str) -> str:
    """Return the channel of the same quantity of another sensor."""
    return f"{sensor}/{channel.partition('/')[2]}"
