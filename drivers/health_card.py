"""The disk that wears: which one it is, what was written to it, and how much of its life is used.

Documentation/block/stat.rst of Linux: sectors of 512 bytes whatever the disk. `life_time` and
`pre_eol_info` of an eMMC as in Documentation/driver-api/mmc/mmc-dev-attrs.rst, in the steps of
JEDEC JESD84-B51 §7.4.
"""

from __future__ import annotations

from typing import Final

from edgenode.bus import Tree

SECTOR_BYTES: Final = 512
SECTORS_WRITTEN: Final = 6  # column of a block device's `stat`, from 0
LIFE_STEP: Final = 10  # % of its life that each step of an eMMC's `life_time` stands for
LIFE_STEPS: Final = 0x0B  # this one means more than all of it
RESERVE_USED: Final = {1: 0, 2: 80, 3: 90}  # % of the reserved blocks, by `pre_eol_info`

Number = float | None


def card_written(tree: Tree, card: str) -> Number:
    """Return how many bytes were written to a disk since boot."""
    text = tree.text(f"sys/block/{card}/stat") if card else None
    return None if text is None else int(text.split()[SECTORS_WRITTEN]) * SECTOR_BYTES


def card_life_used(tree: Tree, card: str) -> Number:
    """Return how many % of its life an eMMC has used, the worse of its two areas and reserve.

    An SD card says nothing of the kind.
    """
    text = tree.text(f"sys/block/{card}/device/life_time") if card else None
    if text is None:
        return None
    steps = [int(word, 16) for word in text.split()]
    if not steps or min(steps) < 0 or max(steps) > LIFE_STEPS:
        raise ValueError(text)
    reserve = RESERVE_USED.get(int(tree.text(f"sys/block/{card}/device/pre_eol_info") or "0", 16))
    if not any(steps) and not reserve:
        return None  # 0 is "not defined"
    return max(*(step * LIFE_STEP for step in steps), reserve or 0)


def disk_of(tree: Tree, directory: str) -> str:
    """Return the name of the disk that holds `directory`, mmcblk0 where none can be named."""
    disks = tree.names("sys/block")
    number = _device_number(tree, directory)
    for disk in disks:
        parts = ("", *(f"/{p}" for p in tree.names(f"sys/block/{disk}") if p.startswith(disk)))
        if number and number in {tree.text(f"sys/block/{disk}{part}/dev") for part in parts}:
            return disk
    return "mmcblk0" if "mmcblk0" in disks else ""


def _device_number(tree: Tree, directory: str) -> str:
    """Return the "major:minor" of what is mounted nearest above; proc_pid_mountinfo(5)."""
    nearest, number = "", ""
    for line in (tree.text("proc/self/mountinfo") or "").splitlines():
        _, _, numbers, _, at, *_ = (*line.split(), *[""] * 5)
        above = f"{directory.rstrip('/')}/".startswith(f"{at.rstrip('/')}/")
        if at and above and len(at) >= len(nearest):  # a later mount hides an earlier one
            nearest, number = at, numbers
    return number
