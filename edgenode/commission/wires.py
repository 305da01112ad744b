"""What stands on wires that no [[bus]] names: those of the daemon are asked through the daemon."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Final

from edgenode.commission.evidence import Stranger
from edgenode.config import Config
from edgenode.scan import survey, wires
from edgenode.scan.found import Surveyed, Wire

LOOKED_AT: Final = frozenset({"i2c", "serial"})  # of GPIO lines only the free ones can be told


def free_wires(config: Config) -> list[Wire]:
    """Return the buses and ports of this machine that the configuration leaves alone."""
    taken = {os.path.realpath(bus.path) for bus in config.buses}
    return [
        wire
        for wire in wires()
        if wire.kind in LOOKED_AT and os.path.realpath(wire.path) not in taken
    ]


class Look:
    """A survey in a thread of its own, which ends in time whatever is plugged in."""

    def __init__(self, config: Config, seconds: float) -> None:
        self.wires = free_wires(config)
        self._stop = threading.Event()
        self._found: list[Surveyed] = []
        self._thread = threading.Thread(target=self._run, name="survey", daemon=True)
        self._timer = threading.Timer(seconds, self._stop.set)
        self._timer.daemon = True
        self._timer.start()
        self._thread.start()

    def _run(self) -> None:
        self._found += survey(self.wires, self._stop)

    def result(self) -> tuple[tuple[Stranger, ...], tuple[str, ...]]:
        """Return what stands there, and which wires could not be looked at."""
        self._thread.join()
        self._timer.cancel()
        return strangers(self._found), tuple(
            f"{one.wire.path}: {one.problem}" for one in self._found if one.problem
        )


def strangers(found: Sequence[Surveyed]) -> tuple[Stranger, ...]:
    """Return all that was seen."""
    return tuple(
        Stranger(one.wire.path, f"{seen.place} {seen.words}".strip(), seen.driver)
        for one in found
        for seen in one.seen
    )
