"""GPIO lines over the kernel's character device, uAPI v2, with the standard library only.

Structures, flags and request codes: linux/include/uapi/linux/gpio.h (since Linux 5.10).
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import Final

from edgenode.bus.wires import Bias, Edge, LineEvent
from edgenode.errors import BusError

GET_LINE_IOCTL: Final = 0xC250B407  # _IOWR(0xB4, 0x07, struct gpio_v2_line_request)
REQUEST_BYTES: Final = 592
EVENT: Final = struct.Struct("<QIIII24x")  # timestamp, id, offset, seqno, line_seqno, padding
EVENTS_PER_READ: Final = 1024

FLAG_INPUT: Final = 1 << 2
EDGE_FLAGS: Final[dict[Edge, int]] = {"rising": 1 << 4, "falling": 1 << 5, "both": 1 << 4 | 1 << 5}
BIAS_FLAGS: Final[dict[Bias, int]] = {
    "as-is": 0,
    "pull-up": 1 << 8,
    "pull-down": 1 << 9,
    "disabled": 1 << 10,
}
ATTRIBUTE_DEBOUNCE: Final = 3  # GPIO_V2_LINE_ATTR_ID_DEBOUNCE
CONSUMER: Final = b"edgenode"  # what gpioinfo shows as the line's user

# offsets[64], consumer[32], config {flags, num_attrs, padding[5], attrs[10]}, num_lines,
# event_buffer_size, padding[5], fd; an attr is {id, padding, value, mask}.
_HEAD = struct.Struct("<64I32s")
_CONFIG = struct.Struct("<QI20x")
_ATTRIBUTE = struct.Struct("<I4xQQ")
_ATTRIBUTES_MAX = 10
_TAIL = struct.Struct("<II20xi")


def line_request(offset: int, edge: Edge, bias: Bias, debounce_us: int, event_buffer: int) -> bytes:
    """Lay out `struct gpio_v2_line_request` for one input line; 592 bytes."""
    flags = FLAG_INPUT | EDGE_FLAGS[edge] | BIAS_FLAGS[bias]
    attributes = [(ATTRIBUTE_DEBOUNCE, debounce_us, 1)] if debounce_us else []
    packed = b"".join(_ATTRIBUTE.pack(*attribute) for attribute in attributes)
    return b"".join(
        (
            _HEAD.pack(offset, *[0] * 63, CONSUMER),
            _CONFIG.pack(flags, len(attributes)),
            packed.ljust(_ATTRIBUTES_MAX * _ATTRIBUTE.size, b"\0"),
            _TAIL.pack(1, event_buffer, -1),
        )
    )


def request_line(
    path: str, offset: int, edge: Edge, bias: Bias, debounce_us: int, event_buffer: int
) -> int:
    """Ask the chip at `path` for the line; return its descriptor. Raises BusError."""
    request = bytearray(line_request(offset, edge, bias, debounce_us, event_buffer))
    try:
        chip = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(chip, GET_LINE_IOCTL, request)
        finally:
            os.close(chip)
    except OSError as exc:
        raise BusError(f"{path} line {offset}: {_advice(exc)}") from exc
    descriptor: int = _TAIL.unpack_from(request, REQUEST_BYTES - _TAIL.size)[2]
    return descriptor


def _advice(exc: OSError) -> str:
    if exc.errno == errno.EBUSY:
        return "another program holds this line; gpioinfo names it"
    if exc.errno in {errno.EACCES, errno.EPERM}:
        return "permission denied; add the user to the group gpio"
    if exc.errno == errno.EINVAL:
        return "the chip refuses this line, bias or debounce; see gpioinfo for what it has"
    return exc.strerror or str(exc)


class EventReader:
    """The reading half of a line: a descriptor that yields 48-byte events. Owns the descriptor."""

    def __init__(self, descriptor: int, where: str) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor, self._where = descriptor, where
        self._line_seqno = 0

    @property
    def line_seqno(self) -> int:
        return self._line_seqno

    @property
    def inherited(self) -> int | None:
        return None

    def keep(self, total: int) -> None:
        """No store, nothing to hand over."""

    def fileno(self) -> int:
        return self._descriptor

    def level(self) -> bool:
        raise BusError(f"{self._where}: has no level")

    def events(self) -> list[LineEvent]:
        try:
            data = os.read(self._descriptor, EVENT.size * EVENTS_PER_READ)
        except BlockingIOError:
            return []
        except OSError as exc:
            raise BusError(f"{self._where}: {exc.strerror or exc}; is the chip gone?") from exc
        if not data or len(data) % EVENT.size:
            raise BusError(f"{self._where}: the line ended; is the chip gone?")
        events = [LineEvent._make(fields) for fields in EVENT.iter_unpack(data)]
        self._line_seqno = events[-1].line_seqno
        return events

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class KernelLine(EventReader):
    """An EdgeLine of a real chip; the kernel counts and debounces."""

    def __init__(
        self, path: str, offset: int, edge: Edge, bias: Bias, debounce_us: int, event_buffer: int
    ) -> None:
        descriptor = request_line(path, offset, edge, bias, debounce_us, event_buffer)
        super().__init__(descriptor, f"{path} line {offset}")
