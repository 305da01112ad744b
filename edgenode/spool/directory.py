"""What lies in the directory of a node's spools, and how much room one of them takes."""

from __future__ import annotations

import re
from pathlib import Path

ID = re.compile(r"[0-9a-f]{16}")


def spools_in(directory: Path) -> list[Path]:
    """Return the directories of spools, by id. Raises OSError when it cannot be read."""
    return sorted(path for path in directory.iterdir() if path.is_dir() and ID.fullmatch(path.name))


def bytes_of(spool: Path) -> int:
    """Return the bytes of a spool's files, without its quarantine. Raises OSError."""
    return sum(path.stat().st_size for path in spool.iterdir() if path.is_file())
