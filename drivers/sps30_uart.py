"""Sensirion SPS30 over its UART: the same laser as over I2C, on a cable of up to some metres.

Datasheet: Sensirion SPS30 version 2.0 (June 2023): UART §5, commands §5.3; what it measures is
that of drivers/sps30.py. Commands agree with Sensirion's own sensirion-uart-sps30 and PyPMS.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Final

from drivers.sps30 import (
    CHANNELS,
    LATE_MS,
    LIFE,
    PERIOD_S,
    PRODUCT,
    SETTLE_S,
    SILENT_MS,
    STATUS_SINCE,
    decode,
    judged,
)
from edgenode.bus import SerialPort
from edgenode.bus.held import Held, Rhythm
from edgenode.bus.shdlc import Answer, Device, NotNow
from edgenode.driver import Driver, Found, Grade, Life, Options, WireKind
from edgenode.errors import BadFrame, BusError, BusTimeout, ImpossibleValue, WrongDevice
from edgenode.reading import Channel, Sample, SerialLine

PULSE: Final = b"\xff"  # its low start bit switches the interface of one that sleeps on (§5.3.5)
WAKE: Final = 0x11
STOP: Final = 0x01
START: Final = 0x00
AS_FLOATS: Final = b"\x01\x03"
READ: Final = 0x03
FLOATS: Final = struct.Struct(">10f")
INFORMATION: Final = 0xD0
PRODUCT_TYPE, SERIAL = b"\x00", b"\x03"
VERSION: Final = 0xD1
STATUS: Final = 0xD2
KEPT, CLEARED = b"\x00", b"\x01"  # what becomes of the register when it was read
STATUS_BYTES: Final = 4  # and one that is reserved
WAKING_S: Final = 0.005


class SPS30UARTOptions(Options, frozen=True):
    """There is nothing to choose: it has its port to itself."""


class SPS30UART(Driver):
    """One sensor that measures by itself each second from its opening until it is closed."""

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "SPS30"
    options: ClassVar[type[Options]] = SPS30UARTOptions
    channels: ClassVar[tuple[Channel, ...]] = CHANNELS
    budget_s: ClassVar[float] = 2.0  # 10 ms as a rule; twice the longest that a frame is waited for
    fastest_s: ClassVar[float] = PERIOD_S
    settle_s: ClassVar[float] = SETTLE_S
    line: ClassVar[SerialLine | None] = SerialLine(115_200)
    alone: ClassVar[bool] = True
    life: ClassVar[Life | None] = LIFE
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self,
        wire: SerialPort,
        options: SPS30UARTOptions,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        del options
        self._port = wire
        self._part = Device(wire, self.model)
        self._prove_identity(sleep)
        with suppress(NotNow):  # it is idle
            self._part.ask(STOP)
        self._tells_status = tuple(self._part.ask(VERSION).data[:2]) >= STATUS_SINCE
        if self._tells_status:  # whether a failure of the past lasts is soon told
            self._part.ask(STATUS, CLEARED)
        self._part.ask(START, AS_FLOATS)
        rhythm = Rhythm(self.model, LATE_MS, SILENT_MS, "is its 5 V supply stable?")
        self._held = Held(rhythm, len(CHANNELS))

    @classmethod
    def identify(
        cls, wire: SerialPort, sleep: Callable[[float], None] = time.sleep
    ) -> Found | None:
        """Return the part by its product type and serial number; one that sleeps says nothing."""
        del sleep
        part = Device(wire, cls.model)
        try:
            if text(part.ask(INFORMATION, PRODUCT_TYPE).data) != PRODUCT:
                return None
            serial = text(part.ask(INFORMATION, SERIAL).data)
        except (BadFrame, WrongDevice):
            return None
        return Found(f"SPS30, serial number {serial}")

    def read(self, now_ms: int) -> Sample:
        """Return the newest measurement; no number, as settling, before the first.

        Raises BusError, BusTimeout, BadFrame, and ImpossibleValue where fan or laser has failed.
        """
        answer = self._part.ask(READ)
        fresh = decode(numbers(answer.data)) if answer.data else None
        return judged(self._held.newest(now_ms, fresh), self._status(answer), self.model)

    def close(self) -> None:
        """Stop fan and laser, and give the port back."""
        with suppress(BusError, BadFrame, WrongDevice):
            self._part.ask(STOP)
        self._port.close()

    def _status(self, answer: Answer) -> int:
        if self._tells_status:
            data = self._part.ask(STATUS, KEPT).data
            return int.from_bytes(data[:STATUS_BYTES], "big")
        if answer.unwell:
            raise ImpossibleValue(
                f"{self.model}: it reports that fan or laser has failed; clean it, cut its power "
                "once, and if that does not help replace it"
            )
        return 0

    def _prove_identity(self, sleep: Callable[[float], None]) -> None:
        try:
            product = text(self._part.ask(INFORMATION, PRODUCT_TYPE).data)
        except BusTimeout:  # another program may have put it to sleep
            self._port.write(PULSE)
            sleep(WAKING_S)
            self._part.ask(WAKE)
            product = text(self._part.ask(INFORMATION, PRODUCT_TYPE).data)
        if product != PRODUCT:
            raise WrongDevice(
                f"{self.model}: expected product type {PRODUCT}, found {product!r}; "
                "check what is on this port"
            )


def numbers(data: bytes) -> tuple[float, ...]:
    """Return the ten floats of a measurement. Raises BadFrame for another length."""
    if len(data) != FLOATS.size:
        raise BadFrame(f"SPS30: a measurement of {len(data)} bytes, not {FLOATS.size}")
    return FLOATS.unpack(data)


def text(data: bytes) -> str:
    """Return the text up to its first zero byte; what is not ASCII is "?"."""
    return data.partition(b"\0")[0].decode("ascii", "replace").replace("\ufffd", "?")
