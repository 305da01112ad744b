"""Small files of the state directory that must be whole after a power cut, or be the old ones."""

from __future__ import annotations

import os
from pathlib import Path


def text_of(path: Path) -> str:
    """Return the stripped text of a file; "" where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""


def replaced(path: Path, text: str) -> bool:
    """Replace the file durably; False where the disk is full or takes no writes."""
    fresh = path.with_suffix(".new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fdatasync(file.fileno())
        fresh.replace(path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)  # or the rename may come after what follows it
        finally:
            os.close(directory)
    except OSError:
        return False
    return True
