"""The partition table of an image, which must be a Master Boot Record.

Layout: IBM/Microsoft's MBR as the Linux kernel reads it (block/partitions/msdos.c): four rows of
16 bytes from byte 446 on, type at 4, first sector at 8, number of sectors at 12 (little-endian),
and 55 AA at byte 510. What is inside an extended partition lies within its row.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from edgenode.errors import FlashError
from edgenode.flash.device import SECTOR

LABEL: Final = b"EDGENODE   "  # of the boot partition, filled up to 11 bytes
_ROWS: Final = 446
_SIGNED: Final = b"\x55\xaa"
_FAT: Final = frozenset({0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E, 0xEF})
_PROTECTIVE: Final = 0xEE  # a GPT follows (UEFI 2.10, 5.2.3); its row may claim any size
_LABELS: Final = (43, 71)  # of FAT12 and FAT16, of FAT32 (BS_VolLab of Microsoft's specification)


class Span(NamedTuple):
    """A primary partition: its type, and where it lies, in bytes."""

    kind: int
    start: int
    size: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + self.size

    @property
    def is_fat(self) -> bool:
        """Whether its type says that it holds a FAT file system."""
        return self.kind in _FAT


def spans(head: bytes) -> list[Span]:
    """Return the primary and extended partitions; raises FlashError where there is no table."""
    if len(head) < SECTOR or head[510:512] != _SIGNED:
        raise FlashError("there is no partition table (MBR) in it: it is not the image of a card")
    found = []
    for n in range(4):
        kind, first, count = struct.unpack_from("<4xB3xII", head, _ROWS + 16 * n)
        if kind and count:
            found.append(Span(kind, first * SECTOR, count * SECTOR))
    if not found:
        raise FlashError("its partition table is empty: it is not the image of a card")
    return found


def reach(found: list[Span]) -> int:
    """Return where the last partition ends, in bytes; 0 where only a GPT would tell."""
    if any(span.kind == _PROTECTIVE for span in found):
        return 0
    return max(span.end for span in found)


def is_boot(sector: bytes) -> bool:
    """Return whether a FAT begins here whose label is that of the boot partition."""
    return sector[510:512] == _SIGNED and any(sector[at : at + 11] == LABEL for at in _LABELS)
