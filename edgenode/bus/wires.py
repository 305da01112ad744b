"""What a driver may ask of its wire."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

Edge = Literal["rising", "falling", "both"]
Bias = Literal["as-is", "disabled", "pull-up", "pull-down"]


class I2CDevice(Protocol):
    """One address on one I2C bus. Every call is one transaction and may raise BusError."""

    def read(self, register: int, length: int) -> bytes:
        """Write the register number, then read `length` bytes without a STOP between."""
        ...

    def write(self, register: int, data: bytes) -> None:
        """Write the register number followed by `data`."""
        ...

    def transfer(self, data: bytes, length: int) -> bytes:
        """Write `data` (if any), then read `length` bytes (if any), in one transaction."""
        ...

    def close(self) -> None:
        """Give the descriptor back; safe to call twice."""
        ...


class LineEvent(NamedTuple):
    """One edge, as `struct gpio_v2_line_event` of linux/gpio.h tells it."""

    timestamp_ns: int  # CLOCK_MONOTONIC
    id: int  # 1 rising, 2 falling
    offset: int
    seqno: int  # over all lines of the request
    line_seqno: int  # on this line; counts every edge since the line was opened, read or not


class EdgeLine(Protocol):
    """One GPIO line, watched for edges from its opening until `close`."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable with the next edge."""
        ...

    def events(self) -> list[LineEvent]:
        """Return the queued edges, oldest first, without blocking; BusError if the line is gone."""
        ...

    @property
    def line_seqno(self) -> int:
        """`line_seqno` of the newest edge seen (32 bits, wraps), 0 before the first."""
        ...

    def close(self) -> None:
        """Give the line back; safe to call twice."""
        ...
