"""What a driver may ask of its wire."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, Protocol

from edgenode.reading import SerialLine

SIMULATED: Final = "sim:"  # begins the path of a bus of virtual instruments

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


class I2CPlace(I2CDevice, Protocol):
    """An address for a part that has chips at others of the same bus as well."""

    def at(self, address: int) -> I2CDevice:
        """Open another address; raises BusError."""
        ...


class SerialPort(Protocol):
    """One serial port, set to the speed and framing of its part. Calls may raise BusError."""

    line: SerialLine  # the speed and framing that it was opened with

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when bytes have arrived."""
        ...

    def arrived(self) -> bytes:
        """Return what has arrived (4 KiB at most) without waiting; BusError if the port is gone."""
        ...

    def receive(self, size: int, timeout_s: float) -> bytes:
        """Wait for `size` bytes, `timeout_s` at most; return what came, which may be less."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of `data`; BusTimeout where the port does not take it within a second."""
        ...

    def discard(self) -> None:
        """Forget what has arrived: it is not about now."""
        ...

    def speed(self, baud: int) -> None:
        """Go on at another speed once all is sent; for a part that has its port to itself."""
        ...

    def close(self) -> None:
        """Give the port back; safe to call twice."""
        ...


class LineEvent(NamedTuple):
    """One edge, as `struct gpio_v2_line_event` of linux/gpio.h tells it."""

    timestamp_ns: int  # boot-time: the kernel's CLOCK_MONOTONIC and what was spent suspended
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

    def level(self) -> bool:
        """Return whether the line is high now; BusError if it is gone."""
        ...

    @property
    def inherited(self) -> int | None:
        """The total at which this line began to count, if the process before handed it over."""
        ...

    def keep(self, total: int) -> None:
        """Hand the line to the service manager, so that the next process goes on with it."""
        ...

    def close(self) -> None:
        """Give the line back; safe to call twice. What was handed over stays open there."""
        ...


class StateChange(NamedTuple):
    """A line became active or inactive."""

    t_ms: int  # boot-time, by the kernel's stamp
    active: bool


class StateLine(Protocol):
    """One GPIO line that is active or not, debounced by the kernel; polarity already applied."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable with the next change."""
        ...

    @property
    def active(self) -> bool:
        """Whether the line is active, as far as its changes were taken in."""
        ...

    def changes(self) -> tuple[list[StateChange], int]:
        """Return the queued changes, oldest first, and how many before them were not kept.

        Never blocks; BusError if the line is gone.
        """
        ...

    def close(self) -> None:
        """Give the line back; safe to call twice."""
        ...


class NamedChange(NamedTuple):
    """One of several lines became active or inactive."""

    t_ms: int  # boot-time, by the kernel's stamp
    line: str
    active: bool


class StateLines(Protocol):
    """Several GPIO lines of one thing, by name, each as a StateLine."""

    def states(self) -> dict[str, bool]:
        """Return which lines are active, as far as their changes were taken in."""
        ...

    def changes(self) -> tuple[list[NamedChange], dict[str, int]]:
        """Return the queued changes in the order of their stamps, and how many were not kept.

        Those that were not kept are before the first change of their line. Never blocks; BusError
        if a line is gone. A change just before another line's may come with the next call.
        """
        ...

    def close(self) -> None:
        """Give the lines back; safe to call twice."""
        ...


class Lamp(Protocol):
    """An indicator on a GPIO line."""

    def show(self, on_s: float, off_s: float) -> None:
        """Blink in this rhythm until told otherwise; `off_s` 0 is on, `on_s` 0 is off.

        The same rhythm again goes on undisturbed. Raises BusError where the lamp fails, or has
        failed since it was last told.
        """
        ...

    def close(self) -> None:
        """Leave the lamp dark and give the line back; safe to call twice."""
        ...


class Tree(Protocol):
    """The kernel's view of this machine: files below a root, which is / but for tests."""

    def text(self, path: str) -> str | None:
        """Return the stripped text of a file such as "proc/meminfo"; None where there is none."""
        ...

    def names(self, path: str) -> list[str]:
        """Return the sorted names in a directory; empty where there is none."""
        ...

    def free_bytes(self, path: str) -> int | None:
        """Return what an unprivileged program may still write to the file system of `path`."""
        ...

    def clock_error_ms(self) -> int | None:
        """Return by how much the kernel's clock may be wrong; None where nothing disciplines it."""
        ...

    def close(self) -> None:
        """Nothing is open; safe to call twice."""
        ...
