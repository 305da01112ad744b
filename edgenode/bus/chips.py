"""What a GPIO chip says of its lines without any of them being asked for.

Structures, flags and request codes: linux/include/uapi/linux/gpio.h (since Linux 5.10).
"""

from __future__ import annotations

import fcntl
import os
import struct
from typing import Final, NamedTuple

from edgenode.bus.request import advice
from edgenode.errors import BusError

CHIP_INFO_IOCTL: Final = 0x8044B401  # _IOR(0xB4, 0x01, struct gpiochip_info)
LINE_INFO_IOCTL: Final = 0xC100B405  # _IOWR(0xB4, 0x05, struct gpio_v2_line_info)
FLAG_USED: Final = 1 << 0
# name, label, number of lines; name, consumer, offset, number of attributes, flags, attributes.
_CHIP: Final = struct.Struct("<32s32sI")
_LINE: Final = struct.Struct("<32s32sIIQ160s16s")


class LineInfo(NamedTuple):
    """One line: its name on the board, and who holds it; either may be empty."""

    offset: int
    name: str
    consumer: str
    used: bool


def lines_of(path: str) -> tuple[LineInfo, ...]:
    """Return all lines of the chip at `path`; raises BusError."""
    try:
        chip = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            about = bytearray(_CHIP.size)
            fcntl.ioctl(chip, CHIP_INFO_IOCTL, about)
            return tuple(_line(chip, offset) for offset in range(_CHIP.unpack(about)[2]))
        finally:
            os.close(chip)
    except OSError as exc:
        raise BusError(f"{path}: {advice(exc)}") from exc


def _line(chip: int, offset: int) -> LineInfo:
    about = bytearray(_LINE.pack(b"", b"", offset, 0, 0, b"", b""))
    fcntl.ioctl(chip, LINE_INFO_IOCTL, about)
    name, consumer, _, _, flags, _, _ = _LINE.unpack(about)
    return LineInfo(offset, _text(name), _text(consumer), bool(flags & FLAG_USED))


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")
