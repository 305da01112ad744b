"""I2C over smbus2: one combined transaction a call, and the kernel's errors in plain words.

Meaning of the error numbers: Linux Documentation/i2c/fault-codes.rst; bcm2835 reports a missing
acknowledge as EREMOTEIO, most other adapters as ENXIO.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from smbus2 import SMBus, i2c_msg

from edgenode.errors import BusError, BusStuck, BusTimeout

LENGTH_MAX = 8192  # linux/drivers/i2c/i2c-dev.c refuses longer messages
_NO_ACKNOWLEDGE = (BusError, "no acknowledge; check the sensor's power, wiring and address")
_DENIED = (BusError, "permission denied; add the user to the group that owns the bus")
_NO_BUS = (BusError, "there is no such bus; is it enabled, is its adapter plugged in?")
ABSENT = frozenset({errno.ENXIO, errno.EREMOTEIO, errno.EIO})
MEANING: dict[int | None, tuple[type[BusError], str]] = {
    errno.ENXIO: _NO_ACKNOWLEDGE,
    errno.EREMOTEIO: _NO_ACKNOWLEDGE,
    errno.EIO: _NO_ACKNOWLEDGE,
    errno.ETIMEDOUT: (BusTimeout, "no answer in time; is SCL held low or the cable too long?"),
    errno.EBUSY: (BusStuck, "the bus is held; power-cycle the sensors on it"),
    errno.EAGAIN: (BusError, "lost arbitration; is there another master on this bus?"),
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.ENOENT: _NO_BUS,
    errno.ENODEV: _NO_BUS,
    errno.ECONNREFUSED: _NO_BUS,
}


class Transfers(Protocol):
    """The one call of smbus2.SMBus that is used; the simulated bus offers it too."""

    def i2c_rdwr(self, *i2c_msgs: i2c_msg) -> None:
        """Run the messages as one transaction, filling the buffers of those that read."""
        ...

    def close(self) -> None:
        """Give the descriptor back."""
        ...


def translated(exc: OSError, path: str, address: int) -> BusError:
    """Say what an OSError of a transaction means for the sensor at `address`."""
    kind, meaning = MEANING.get(exc.errno, (BusError, exc.strerror or str(exc)))
    return kind(f"{path} address 0x{address:02x}: {meaning}")


@contextmanager
def bus_errors(path: str, address: int) -> Iterator[None]:
    """Raise every OSError of the block as the BusError that names bus and address."""
    try:
        yield
    except OSError as exc:
        raise translated(exc, path, address) from exc


def open_kernel(path: str, address: int) -> Transfers:
    """Open the kernel's I2C device at `path`; `address` is only named in errors."""
    with bus_errors(path, address):
        return SMBus(path)


class SMBusDevice:
    """An I2CDevice over anything with smbus2's `i2c_rdwr`."""

    def __init__(self, bus: Transfers, path: str, address: int) -> None:
        self._bus, self._path, self._address = bus, path, address

    def read(self, register: int, length: int) -> bytes:
        return self.transfer(bytes((register,)), length)

    def write(self, register: int, data: bytes) -> None:
        self.transfer(bytes((register, *data)), 0)

    def transfer(self, data: bytes, length: int) -> bytes:
        """Write, then read, under one START and one STOP; at most LENGTH_MAX bytes each way."""
        if not 0 <= length <= LENGTH_MAX or len(data) > LENGTH_MAX or not (data or length):
            raise ValueError(f"one transfer moves 1 to {LENGTH_MAX} bytes each way")
        messages = [i2c_msg.write(self._address, data)] if data else []
        if length:
            messages.append(i2c_msg.read(self._address, length))
        with bus_errors(self._path, self._address):
            self._bus.i2c_rdwr(*messages)
        return bytes(messages[-1]) if length else b""

    def at(self, address: int) -> SMBusDevice:
        """Open another address of the same bus; raises BusError."""
        from edgenode.bus.opening import open_i2c  # noqa: PLC0415 - it imports this module

        return open_i2c(self._path, address)

    def answers(self) -> bool:
        """Return whether somebody acknowledges the address alone, or one byte where that fails.

        As i2cdetect of i2c-tools asks. Raises BusError where the bus itself is at fault.
        """
        asked = (i2c_msg.write(self._address, b""), i2c_msg.read(self._address, 1))
        for message in asked:
            try:
                self._bus.i2c_rdwr(message)
            except OSError as exc:
                if exc.errno in ABSENT:
                    return False
                if exc.errno not in {errno.EOPNOTSUPP, errno.EINVAL}:  # no empty messages here
                    raise translated(exc, self._path, self._address) from exc
            else:
                return True
        return False

    def close(self) -> None:
        self._bus.close()
