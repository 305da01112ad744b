"""One GPIO line driven by us: a power pin, a lamp, a bus clocked free."""

from __future__ import annotations

import os

from edgenode.bus.request import get_value, output_config, request_line, set_value
from edgenode.bus.simulated_lines import SimulatedOutput
from edgenode.bus.wires import SIMULATED


class OutputLine:
    """Line `offset` of the chip at `path`, driven from construction until `close`.

    `True` is active: high, or low where `active_low`. An `open_drain` line is pulled low or let
    go; `get` then tells what the wire is, whoever pulls it. After `close` the line is what the
    kernel's driver leaves it, mostly an output that holds its level. Calls raise BusError.
    """

    def __init__(
        self,
        path: str,
        offset: int,
        *,
        active_low: bool = False,
        open_drain: bool = False,
        initial: bool = False,
    ) -> None:
        self._where = f"{path} line {offset}"
        self._simulated: SimulatedOutput | None = None
        self._descriptor = -1
        self._inverted = False  # a chip inverts by itself
        if path.startswith(SIMULATED):
            self._inverted = active_low
            self._simulated = SimulatedOutput(
                path.removeprefix(SIMULATED),
                offset,
                open_drain=open_drain,
                initial=initial != active_low,
            )
        else:
            config = output_config(active_low=active_low, open_drain=open_drain, initial=initial)
            self._descriptor = request_line(path, offset, config)

    def set(self, active: bool) -> None:  # noqa: FBT001 - what it is about
        """Drive the line."""
        if self._simulated:
            self._simulated.set(active != self._inverted)
        else:
            set_value(self._descriptor, active, self._where)

    def get(self) -> bool:
        """Return whether the line is active now."""
        if self._simulated:
            return self._simulated.level() != self._inverted
        return get_value(self._descriptor, self._where)

    def close(self) -> None:
        """Give the line back; safe to call twice."""
        if self._simulated:
            self._simulated.close()
        elif self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
