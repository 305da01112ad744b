"""The bytes of a GPIO v2 line request, and the calls that carry it out; standard library only.

Structures, flags and request codes: linux/include/uapi/linux/gpio.h (since Linux 5.10).
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from edgenode.bus.wires import Bias, Edge
from edgenode.errors import BusError

GET_LINE_IOCTL: Final = 0xC250B407  # _IOWR(0xB4, 0x07, struct gpio_v2_line_request)
GET_VALUES_IOCTL: Final = 0xC010B40E  # _IOWR(0xB4, 0x0E, struct gpio_v2_line_values)
SET_VALUES_IOCTL: Final = 0xC010B40F  # _IOWR(0xB4, 0x0F, struct gpio_v2_line_values)
REQUEST_BYTES: Final = 592

FLAG_ACTIVE_LOW: Final = 1 << 1
FLAG_INPUT: Final = 1 << 2
FLAG_OUTPUT: Final = 1 << 3
FLAG_OPEN_DRAIN: Final = 1 << 6
EDGE_FLAGS: Final[dict[Edge, int]] = {"rising": 1 << 4, "falling": 1 << 5, "both": 1 << 4 | 1 << 5}
BIAS_FLAGS: Final[dict[Bias, int]] = {
    "as-is": 0,
    "pull-up": 1 << 8,
    "pull-down": 1 << 9,
    "disabled": 1 << 10,
}
ATTRIBUTE_VALUES: Final = 2  # GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES
ATTRIBUTE_DEBOUNCE: Final = 3  # GPIO_V2_LINE_ATTR_ID_DEBOUNCE
CONSUMER: Final = b"edgenode"  # what gpioinfo shows as the line's user

# offsets[64], consumer[32], config {flags, num_attrs, padding[5], attrs[10]}, num_lines,
# event_buffer_size, padding[5], fd; an attr is {id, padding, value, mask}.
_HEAD = struct.Struct("<64I32s")
_CONFIG = struct.Struct("<QI20x")
_ATTRIBUTE = struct.Struct("<I4xQQ")
_ATTRIBUTES_MAX = 10
_TAIL = struct.Struct("<II20xi")
_VALUES = struct.Struct("<QQ")  # bits, mask: bit 0 is the only line of our requests


class LineConfig(NamedTuple):
    """What is asked of one line: `struct gpio_v2_line_config` before it is bytes."""

    flags: int
    attributes: tuple[tuple[int, int], ...] = ()  # (id, value), each for the only line

    def packed(self) -> bytes:
        """Lay it out; 272 bytes."""
        attributes = b"".join(_ATTRIBUTE.pack(*attribute, 1) for attribute in self.attributes)
        room = _ATTRIBUTES_MAX * _ATTRIBUTE.size
        return _CONFIG.pack(self.flags, len(self.attributes)) + attributes.ljust(room, b"\0")


def input_config(edge: Edge | None, bias: Bias, debounce_us: int) -> LineConfig:
    """Describe an input, watched for edges where `edge` names some."""
    flags = FLAG_INPUT | (EDGE_FLAGS[edge] if edge else 0) | BIAS_FLAGS[bias]
    return LineConfig(flags, ((ATTRIBUTE_DEBOUNCE, debounce_us),) if debounce_us else ())


def output_config(*, active_low: bool, open_drain: bool, initial: bool) -> LineConfig:
    """Describe an output that is driven to `initial` from its first moment."""
    flags = FLAG_OUTPUT
    flags |= FLAG_ACTIVE_LOW if active_low else 0
    flags |= FLAG_OPEN_DRAIN if open_drain else 0
    return LineConfig(flags, ((ATTRIBUTE_VALUES, int(initial)),))


def line_request(offset: int, config: LineConfig, event_buffer: int = 0) -> bytes:
    """Lay out `struct gpio_v2_line_request` for one line; 592 bytes."""
    return b"".join(
        (
            _HEAD.pack(offset, *[0] * 63, CONSUMER),
            config.packed(),
            _TAIL.pack(1, event_buffer, -1),
        )
    )


def request_line(path: str, offset: int, config: LineConfig, event_buffer: int = 0) -> int:
    """Ask the chip at `path` for the line; return its descriptor. Raises BusError."""
    request = bytearray(line_request(offset, config, event_buffer))
    try:
        chip = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(chip, GET_LINE_IOCTL, request)
        finally:
            os.close(chip)
    except OSError as exc:
        raise BusError(f"{path} line {offset}: {advice(exc)}") from exc
    descriptor: int = _TAIL.unpack_from(request, REQUEST_BYTES - _TAIL.size)[2]
    return descriptor


def get_value(descriptor: int, where: str) -> bool:
    """Return whether the line is high (active, where it was asked for as active-low)."""
    values = bytearray(_VALUES.pack(0, 1))
    _ioctl(descriptor, GET_VALUES_IOCTL, values, where)
    return bool(_VALUES.unpack(values)[0] & 1)


def set_value(descriptor: int, high: bool, where: str) -> None:  # noqa: FBT001 - what it is about
    """Drive an output; raises BusError."""
    _ioctl(descriptor, SET_VALUES_IOCTL, bytearray(_VALUES.pack(int(high), 1)), where)


def _ioctl(descriptor: int, code: int, argument: bytearray, where: str) -> None:
    try:
        fcntl.ioctl(descriptor, code, argument)
    except OSError as exc:
        raise BusError(f"{where}: {advice(exc)}") from exc


ADVICE: Final[Sequence[tuple[frozenset[int], str]]] = (
    (frozenset({errno.EBUSY}), "another program holds this line; gpioinfo names it"),
    (frozenset({errno.EACCES, errno.EPERM}), "permission denied; add the user to the group gpio"),
    (
        frozenset({errno.EINVAL}),
        "the chip refuses this line, bias or debounce; see gpioinfo for what it has",
    ),
    (frozenset({errno.ENODEV}), "No such device; is the chip gone?"),
)


def advice(exc: OSError) -> str:
    """Say what happened and what to do next."""
    for numbers, text in ADVICE:
        if exc.errno in numbers:
            return text
    return exc.strerror or str(exc)
