"""Several virtual lines as one wire, such as the lamps of a signal head."""

from __future__ import annotations

from edgenode.bus import NamedChange
from tests.support.bed_lines import States
from tests.support.beds import Bed, Wire, aside


class Several(Wire):
    """StateLines, each of which is played by an instrument of its own."""

    def __init__(self, bed: Bed, lines: dict[str, States]) -> None:
        super().__init__(bed)
        self._lines = lines
        self._states = {name: line.active for name, line in lines.items()}

    def next_ns(self) -> int | None:
        times = (line.next_ns() for line in self._lines.values())
        return min((at for at in times if at is not None), default=None)

    def stirs(self) -> bool:
        stirred = [line.stirs() for line in self._lines.values()]  # all of them have to play
        return any(stirred)

    def states(self) -> dict[str, bool]:
        return dict(self._states)

    @aside
    def changes(self) -> tuple[list[NamedChange], dict[str, int]]:
        found = [
            NamedChange(change.t_ms, name, change.active)
            for name, line in self._lines.items()
            for change in line.changes()[0]
        ]
        self._states |= {change.line: change.active for change in found}
        return sorted(found), {}

    def close(self) -> None:
        super().close()
        for line in self._lines.values():
            line.close()
