"""Files that cannot be used are set aside with a reason, for a human to look at, within a budget.

    quarantine/000001/reason.txt
    quarantine/000001/store.db

Entries are numbered, not dated: a node may not know what time it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

DIRECTORY = "quarantine"
REASON = "reason.txt"


def set_aside(spool: Path, files: Iterable[Path], reason: str, budget_bytes: int) -> Path:
    """Move `files` into a new entry of the spool's quarantine and write down why.

    Moving takes no room. Then the oldest entries go until all fit `budget_bytes`, and an entry
    that alone is too large keeps the heads of its largest files. A reason that a full disk cannot
    take is left out. Returns the entry; raises OSError when the files cannot be moved (EROFS).
    """
    room = spool / DIRECTORY
    room.mkdir(exist_ok=True)
    entry = room / f"{_last(room) + 1:06d}"
    entry.mkdir()
    for file in files:
        if file.exists():
            file.rename(entry / file.name)
    _shrink(entry, budget_bytes)
    _trim(room, budget_bytes)
    try:
        (entry / REASON).write_text(reason + "\n", encoding="utf-8")
    except OSError:
        (entry / REASON).unlink(missing_ok=True)
    for directory in (entry, room, spool):
        _sync(directory)
    return entry


def entries(spool: Path) -> list[tuple[str, str, int]]:
    """Return (name, reason, bytes) of each entry, oldest first, for `status` and the operator."""
    room = spool / DIRECTORY
    if not room.is_dir():
        return []
    return [(path.name, _reason(path), _bytes(path)) for path in _in_order(room)]


def _reason(entry: Path) -> str:
    try:
        return (entry / REASON).read_text(encoding="utf-8").strip()
    except OSError:
        return "no reason could be written"


def _in_order(room: Path) -> list[Path]:
    return sorted(path for path in room.iterdir() if path.name.isdecimal())


def _last(room: Path) -> int:
    names = _in_order(room)
    return int(names[-1].name) if names else 0


def _bytes(entry: Path) -> int:
    return sum(path.stat().st_size for path in entry.iterdir())


def _shrink(entry: Path, budget_bytes: int) -> None:
    """Cut the largest files of an entry that alone would not fit; a head tells the most."""
    while (over := _bytes(entry) - budget_bytes) > 0:
        largest = max(entry.iterdir(), key=lambda path: path.stat().st_size)
        os.truncate(largest, max(0, largest.stat().st_size - over))


def _trim(room: Path, budget_bytes: int) -> None:
    kept = _in_order(room)
    while len(kept) > 1 and sum(map(_bytes, kept)) > budget_bytes:
        shutil.rmtree(kept.pop(0))


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
