"""Choosing the adapter for a bus path: the kernel's device, or a virtual instrument's socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from edgenode.bus.gpio import Asked, Handover, KernelLine
from edgenode.bus.store import LineStore, line_name
from edgenode.bus.wires import SIMULATED, Bias, Edge, EdgeLine, Lamp, StateLine, StateLines, Tree

if TYPE_CHECKING:
    from edgenode.bus.i2c import SMBusDevice

EVENT_BUFFER = 1024  # the most the kernel grants one line: GPIO_V2_LINES_MAX * 16


def i2c_answers(path: str, address: int) -> bool:
    """Return whether anybody answers at `address`, asked as gently as can be; raises BusError."""
    device = open_i2c(path, address)
    try:
        return device.answers()
    finally:
        device.close()


def open_i2c(path: str, address: int) -> SMBusDevice:
    """Open the 7-bit `address` on the bus at `path`; raises BusError with what to do next."""
    # Imported here: a node without I2C pays for neither smbus2 nor ctypes.
    from edgenode.bus import i2c  # noqa: PLC0415 - see above

    if path.startswith(SIMULATED):
        from edgenode.bus.simulated import SimulatedI2C  # noqa: PLC0415 - only where simulated

        with i2c.bus_errors(path, address):
            return i2c.SMBusDevice(
                SimulatedI2C(path.removeprefix(SIMULATED), address), path, address
            )
    return i2c.SMBusDevice(i2c.open_kernel(path, address), path, address)


def open_line(
    path: str,
    offset: int,
    edge: Edge = "rising",
    bias: Bias = "as-is",
    debounce_us: int = 0,
    event_buffer: int = EVENT_BUFFER,
    store: LineStore | None = None,
) -> EdgeLine:
    """Watch line `offset` of the chip at `path`; raises BusError with what to do next.

    With a `store`, a line that somebody before handed over goes on where it is.
    """
    asked = Asked(path, offset, edge, bias, debounce_us, event_buffer)
    if store is None:
        return open_input(asked)
    name = line_name(path, offset, edge, bias, debounce_us)
    kept = store.take(name)
    if kept is None:
        store.drop(name)  # what may still be there is dead
    return open_input(asked, Handover(store, name, kept))


def open_input(asked: Asked, handover: Handover | None = None) -> EdgeLine:
    """Ask for a line, or go on with the one that was handed over; raises BusError."""
    if asked.path.startswith(SIMULATED):
        from edgenode.bus.simulated_lines import SimulatedLine  # noqa: PLC0415 - where simulated

        return SimulatedLine(asked, handover)
    return KernelLine(asked, handover)


def open_state(
    path: str,
    offset: int,
    *,
    bias: Bias = "as-is",
    active_low: bool = False,
    debounce_us: int = 0,
) -> StateLine:
    """Follow the state of line `offset` of the chip at `path`; raises BusError."""
    from edgenode.bus.states import GpiozeroState  # noqa: PLC0415 - gpiozero takes 50 ms

    return GpiozeroState(path, offset, bias=bias, active_low=active_low, debounce_us=debounce_us)


def open_states(
    path: str,
    offsets: Mapping[str, int],
    *,
    bias: Bias = "as-is",
    active_low: bool = False,
    debounce_us: int = 0,
) -> StateLines:
    """Follow the states of several lines of the chip at `path`, by name; raises BusError."""
    from edgenode.bus.several import LineGroup  # noqa: PLC0415 - only where asked for

    def opened(offset: int) -> StateLine:
        return open_state(path, offset, bias=bias, active_low=active_low, debounce_us=debounce_us)

    return LineGroup(offsets, opened)


def open_lamp(path: str, offset: int, *, active_low: bool = False) -> Lamp:
    """Drive an indicator on line `offset` of the chip at `path`; raises BusError."""
    from edgenode.bus.lamps import GpiozeroLamp  # noqa: PLC0415 - gpiozero takes 50 ms

    return GpiozeroLamp(path, offset, active_low=active_low)


def open_tree(path: str) -> Tree:
    """Open the kernel's files below `path`; raises BusError."""
    from edgenode.bus.tree import KernelTree  # noqa: PLC0415 - only where asked for

    return KernelTree(path)
