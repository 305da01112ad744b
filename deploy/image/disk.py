"""The card: a partition table (MBR) and the slots at their places."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from .recipe import DISK_ID, MIB, PARTS, BuildError, Part, run

# Erase blocks of cards are 4 MiB as a rule: no partition shares one with another.
ALIGNMENT = 4 * MIB
SECTOR = 512


def placed() -> Iterator[tuple[Part, int]]:
    """Yield each part with its first byte; a logical one leaves room for its EBR before it."""
    at = ALIGNMENT
    for part in PARTS:
        if part.logical:
            at += ALIGNMENT
        yield part, at
        at += part.size


def size() -> int:
    """Return the size of the whole image, in bytes; the data partition ends it."""
    part, at = list(placed())[-1]
    return at + part.size


def table() -> str:
    """Return the partition table in the words of sfdisk(8)."""
    lines = ["label: dos", f"label-id: 0x{DISK_ID}", "unit: sectors"]
    extended = next(at for part, at in placed() if part.logical) - ALIGNMENT
    for part, at in placed():
        if part.number == 5:
            lines.append(
                f"4 : start={extended // SECTOR}, size={(size() - extended) // SECTOR}, type=f"
            )
        lines.append(
            f"{part.number} : start={at // SECTOR}, size={part.size // SECTOR}, type={part.kind}"
        )
    return "\n".join(lines) + "\n"


def assemble(contents: Mapping[str, Path], image: Path) -> None:
    """Write the card's image, sparse where a part has no content or holds zeros.

    Raises BuildError where a content is larger than its partition.
    """
    image.unlink(missing_ok=True)
    with image.open("xb") as file:
        file.truncate(size())
    run(["sfdisk", "--quiet", "--wipe", "never", image], stdin=table().encode())
    with image.open("r+b") as file:
        for part, at in placed():
            if part.name in contents:
                _put(contents[part.name], part, file.fileno(), at)


def _put(source: Path, part: Part, target: int, at: int) -> None:
    length = source.stat().st_size
    if length > part.size:
        raise BuildError(f"{source.name} has {length} bytes, its partition {part.size}")
    with source.open("rb") as file:
        while block := file.read(MIB):
            if block.strip(b"\0"):
                os.pwrite(target, block, at)
            at += len(block)


def compress(image: Path) -> Path:
    """Compress with xz; two threads always, since their number shows in the bytes."""
    run(["nice", "xz", "--force", "--keep", "--threads=2", "-6", image])
    return image.with_name(f"{image.name}.xz")
