"""Choosing the adapter for a bus path: the kernel's device, or a virtual instrument's socket."""

from __future__ import annotations

from edgenode.bus.wires import Bias, Edge, EdgeLine, I2CDevice

SIMULATED = "sim:"
EVENT_BUFFER = 1024  # the most the kernel grants one line: GPIO_V2_LINES_MAX * 16


def open_i2c(path: str, address: int) -> I2CDevice:
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
) -> EdgeLine:
    """Watch line `offset` of the chip at `path`; raises BusError with what to do next."""
    if path.startswith(SIMULATED):
        from edgenode.bus.simulated import SimulatedLine  # noqa: PLC0415 - only where simulated

        return SimulatedLine(
            path.removeprefix(SIMULATED), offset, edge, bias, debounce_us, event_buffer
        )
    from edgenode.bus.gpio import KernelLine  # noqa: PLC0415 - only where there are lines

    return KernelLine(path, offset, edge, bias, debounce_us, event_buffer)
