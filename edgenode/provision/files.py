"""Files of those who make documents: read within a limit, and never written over."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from edgenode.errors import ProvisionError

MAX_BYTES: Final = 16 << 10  # of a file with a key


def content(path: Path, most: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file of at most `most` bytes; raises ProvisionError."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as exc:
        raise ProvisionError([f"{path}: cannot be read: {exc.strerror}"]) from exc
    if len(data) > most:
        raise ProvisionError([f"{path}: longer than {most} bytes; this is another kind of file"])
    return data


def written(path: Path, data: bytes, mode: int) -> None:
    """Write a file that is not there yet, whole or not at all; raises ProvisionError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except OSError as exc:
        raise ProvisionError([f"{path}: cannot be written: {exc.strerror}"]) from exc
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        path.unlink(missing_ok=True)
        raise ProvisionError([f"{path}: cannot be written: {exc.strerror}"]) from exc
