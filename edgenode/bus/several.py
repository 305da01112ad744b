"""Several GPIO lines of one thing, such as the lamps of a signal head, as one wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgenode.bus.wires import NamedChange, StateLine
from edgenode.errors import BusError


class LineGroup:
    """StateLines by name, opened together and closed together; see bus.wires.StateLines.

    `opened` opens the line of a number. Raises BusError where one of them cannot be had.
    """

    def __init__(self, numbers: Mapping[str, int], opened: Callable[[int], StateLine]) -> None:
        self._lines: dict[str, StateLine] = {}
        try:
            for name, number in numbers.items():
                self._lines[name] = opened(number)
        except BusError:
            self.close()
            raise

    def states(self) -> dict[str, bool]:
        return {name: line.active for name, line in self._lines.items()}

    def changes(self) -> tuple[list[NamedChange], dict[str, int]]:
        found: list[NamedChange] = []
        missed: dict[str, int] = {}
        for name, line in self._lines.items():
            changes, dropped = line.changes()
            found += [NamedChange(change.t_ms, name, change.active) for change in changes]
            if dropped:
                missed[name] = dropped
        return sorted(found, key=lambda change: change.t_ms), missed

    def close(self) -> None:
        for line in self._lines.values():
            line.close()
