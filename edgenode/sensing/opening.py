"""Opening a sensor: the wire that its driver asks for, then the driver on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgenode.bus import I2CBus, LineStore, SerialBus, open_line, open_state, open_states, open_tree
from edgenode.driver import Driver, Options, lines_of
from edgenode.errors import NodeError
from edgenode.reading import SerialLine

WIRES = frozenset({"i2c", "serial", "gpio", "sysfs"})


class Wires:
    """One bus and how to open what stands on it. Used by the thread of the bus alone.

    `line` overrides the speed and framing that the drivers on a serial port ask for; `store`
    takes the lines that shall outlive this process.
    """

    def __init__(
        self, path: str, line: SerialLine | None = None, store: LineStore | None = None
    ) -> None:
        self._path, self._line, self._store = path, line, store
        self._port, self._i2c = SerialBus(path), I2CBus(path)

    def opener(self, driver: Any, options: Options) -> Callable[[], Driver]:
        """Return what opens the wire that `driver` needs and then the driver on it.

        Raises NodeError for a kind of wire that this node has no adapter for.
        """
        if driver.wire not in WIRES:
            raise NodeError(f"{driver.model}: there is no adapter for a {driver.wire} wire")

        def opened() -> Driver:
            wire = self._wire(driver, options)
            try:
                made: Driver = driver(wire, options)
            except BaseException:  # whatever it was, the descriptor must not leak
                wire.close()
                raise
            return made

        return opened

    def _wire(self, driver: Any, options: Any) -> Any:
        if driver.wire == "i2c":
            return self._i2c.lease(options.address)
        if driver.wire == "serial":
            return self._port.lease(self._line or driver.line)
        if driver.wire == "sysfs":
            return open_tree(self._path)
        if driver.watch == "states":
            return open_states(
                self._path,
                lines_of(driver, options),
                bias=options.bias,
                active_low=options.active_low,
                debounce_us=options.debounce_us,
            )
        if driver.watch == "state":
            return open_state(
                self._path,
                options.line,
                bias=options.bias,
                active_low=options.active_low,
                debounce_us=options.debounce_us,
            )
        return open_line(
            self._path,
            options.line,
            options.edge,
            options.bias,
            options.debounce_us,
            store=self._store,
        )
