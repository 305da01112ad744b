"""Virtual chips on a bus without sockets, in a time that only sleeping moves.

The same bus serves our drivers, through smbus2's messages, and Adafruit's, through the methods of
CircuitPython's `busio.I2C`.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from edgenode.bus.i2c import SMBusDevice
from edgenode.virtual.conduct import Refused, Silent
from edgenode.virtual.kinds import READ, I2CInstrument, Message


def adafruit(name: str) -> Any:
    """Import a module of Adafruit's; what machine this is must not matter to it."""
    os.environ.setdefault("BLINKA_FORCECHIP", "GENERIC_X86")
    os.environ.setdefault("BLINKA_FORCEBOARD", "GENERIC_LINUX_PC")
    return import_module(name)


class ChipBus:
    """Instruments by their addresses."""

    def __init__(self, chips: Mapping[int, I2CInstrument]) -> None:
        self.chips = chips
        self.now_ns = 1_000_000_000
        self.said = b""  # what the instrument said last

    def sleep(self, seconds: float) -> None:
        self.now_ns += int(seconds * 1e9)

    def device(self, address: int) -> SMBusDevice:
        """Return one address as our drivers see it."""
        return SMBusDevice(self, "fake", address)

    def i2c_rdwr(self, *i2c_msgs: Any) -> None:
        messages = [Message(m.flags, m.len, b"" if m.flags & READ else bytes(m)) for m in i2c_msgs]
        answer = self._transacted(i2c_msgs[0].addr, messages)
        for message in i2c_msgs:
            if message.flags & READ:
                ctypes.memmove(message.buf, answer[: message.len], message.len)
                answer = answer[message.len :]

    def close(self) -> None:
        """Nothing is open."""

    def try_lock(self) -> bool:
        return True

    def unlock(self) -> None:
        """Nothing is locked."""

    def writeto(self, address: int, buffer: Any, *, start: int = 0, end: int | None = None) -> None:
        data = bytes(buffer[start:end])
        self._transacted(address, [Message(0, len(data), data)])

    def readfrom_into(
        self, address: int, buffer: Any, *, start: int = 0, end: int | None = None
    ) -> None:
        length = len(buffer[start:end])
        buffer[start:end] = self._transacted(address, [Message(READ, length, b"")])

    def writeto_then_readfrom(
        self,
        address: int,
        out_buffer: Any,
        in_buffer: Any,
        *,
        out_start: int = 0,
        out_end: int | None = None,
        in_start: int = 0,
        in_end: int | None = None,
    ) -> None:
        data, length = bytes(out_buffer[out_start:out_end]), len(in_buffer[in_start:in_end])
        messages = [Message(0, len(data), data), Message(READ, length, b"")]
        in_buffer[in_start:in_end] = self._transacted(address, messages)

    def _transacted(self, address: int, messages: list[Message]) -> bytes:
        chip = self.chips.get(address)
        if chip is None:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        try:
            answer = chip.transact(messages, self.now_ns)
        except Refused as refusal:
            raise OSError(refusal.number, os.strerror(refusal.number)) from refusal
        except Silent:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
        self.said = answer or self.said
        return answer


class Sleeper:
    """Stands where a module of somebody else has imported `time`."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self.sleep = sleep
