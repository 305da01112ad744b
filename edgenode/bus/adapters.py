"""The kernel's I2C device of a bus, shared by its sensors and let go the moment it is unplugged.

The kernel keeps an adapter whose device is open (i2c_del_adapter waits for the last descriptor),
and with it the USB hub that the adapter was plugged into: nothing plugged in there appears any
more. So the first sensor that fails on a bus that is gone closes it for all.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from edgenode.bus.opening import open_i2c
from edgenode.bus.wires import SIMULATED, I2CDevice

if TYPE_CHECKING:
    from edgenode.bus.i2c import Transfers


class Adapter:
    """The device at `path`, open while somebody has a share of it. Used by one thread."""

    def __init__(self, bus: Transfers, path: str) -> None:
        self._bus: Transfers | None = bus
        self._path, self._there = path, _which(path)
        self._shares = 0

    @property
    def alive(self) -> bool:
        """Whether it is open."""
        return self._bus is not None

    def share(self) -> Share:
        """Return a share, to be closed by whoever gets it."""
        self._shares += 1
        return Share(self)

    def i2c_rdwr(self, *i2c_msgs: Any) -> None:
        """Run one transaction; raises OSError, ENODEV where the device is not the one opened."""
        if self._bus is None:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        try:
            self._bus.i2c_rdwr(*i2c_msgs)
        except OSError as exc:
            if _which(self._path) == self._there:
                raise
            self._close()
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from exc

    def leave(self) -> None:
        """Take note that a share was given back."""
        self._shares -= 1
        if not self._shares:
            self._close()

    def _close(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.close()


class Share:
    """One sensor's Transfers over an adapter; dead for good once the adapter is."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter: Adapter | None = adapter

    def i2c_rdwr(self, *i2c_msgs: Any) -> None:
        """Run one transaction; raises OSError."""
        if self._adapter is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._adapter.i2c_rdwr(*i2c_msgs)

    def close(self) -> None:
        """Give the share back; safe to call twice."""
        adapter, self._adapter = self._adapter, None
        if adapter is not None:
            adapter.leave()


class I2CBus:
    """The bus at `path`, open while somebody has a lease. Used by one thread."""

    def __init__(self, path: str, opened: Callable[[str, int], Transfers] | None = None) -> None:
        self._path, self._opened = path, opened
        self._adapter: Adapter | None = None

    def lease(self, address: int) -> I2CDevice:
        """Return an address on the bus, which is opened where it is not; raises BusError."""
        if self._path.startswith(SIMULATED):
            return open_i2c(self._path, address)
        # Imported here: a node without I2C pays for neither smbus2 nor ctypes.
        from edgenode.bus.i2c import SMBusDevice, open_kernel  # noqa: PLC0415 - see above

        if self._adapter is None or not self._adapter.alive:
            self._adapter = Adapter((self._opened or open_kernel)(self._path, address), self._path)
        return SMBusDevice(self._adapter.share(), self._path, address)


def _which(path: str) -> tuple[int, int] | None:
    """Return which device a path leads to; one that was plugged in again is another."""
    try:
        found = os.stat(path)  # noqa: PTH116 - links are followed
    except OSError:
        return None
    return found.st_dev, found.st_ino
