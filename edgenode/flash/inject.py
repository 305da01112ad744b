"""Files put into the boot partition of a card without mounting it, by mtools.

mtools works on a copy in memory: so the card itself is only written where the copy then differs,
in the same way as everything else, and no secret of a document is left on this machine's disk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Final

from edgenode.errors import FlashError
from edgenode.flash.card import MIB
from edgenode.flash.table import Span
from edgenode.flash.written import Written

LARGEST: Final = 1024 * MIB  # of a boot partition; its copy lies in memory but for its zeros
TIMEOUT_S: Final = 60.0
# Geometry of old disks is of no matter, and no drive of this user's configuration either.
_SETTINGS: Final = {"MTOOLS_SKIP_CHECK": "1", "MTOOLSRC": "/dev/null", "LC_ALL": "C.UTF-8"}


def ready(boot: Span | None) -> None:
    """Raise FlashError where files could not be added: ask before anything is written."""
    if shutil.which("mcopy") is None:
        raise FlashError("mcopy is missing, which adds files: sudo apt install mtools")
    if boot is None:
        raise FlashError("the image has no FAT partition EDGENODE that could take node.json")
    if boot.start < MIB or boot.size > LARGEST:
        raise FlashError("its partition EDGENODE begins before MiB 1, or is larger than 1 GiB")


def injected(written: Written, boot: Span, files: Mapping[str, bytes]) -> None:
    """Add files to the root of the boot partition and see that they can be read back.

    Raises FlashError.
    """
    where = range(boot.start // MIB, min(-(-boot.end // MIB), len(written)))
    copy = os.memfd_create("boot partition")
    try:
        _load(written, copy, where)
        drive = f"/proc/self/fd/{copy}@@{boot.start - where.start * MIB}"
        for name, data in files.items():
            _mcopy(copy, ["-o", "-i", drive, "-", f"::{name}"], data)
        _store(written, copy, where)
        for name, data in files.items():
            if _mcopy(copy, ["-i", drive, f"::{name}", "-"]) != data:
                raise FlashError(f"{name} is not in the boot partition as it was given")
    finally:
        os.close(copy)


def _load(written: Written, copy: int, where: range) -> None:
    """Read a partition into memory; `where` says which MiB it lies in."""
    os.ftruncate(copy, len(where) * MIB)
    for n, data, good in written.read(where):
        if not good:
            raise FlashError(_changed(written, n))
        if any(data):
            os.pwrite(copy, data, (n - where.start) * MIB)


def _store(written: Written, copy: int, where: range) -> None:
    """Write each MiB that is another one than on the card, then read it back."""
    changed = []
    for n in where:
        data = os.pread(copy, written.length(n), (n - where.start) * MIB)
        if written.differs(n, data):
            written.write(n, data)
            changed.append(n)
    written.card.flush()
    for n, _, good in written.read(changed):
        if not good:
            raise FlashError(_changed(written, n))


def _changed(written: Written, n: int) -> str:
    name = written.card.name
    return f"{name} reads MiB {n} back otherwise than it was written: take another card"


def _mcopy(copy: int, words: list[str], data: bytes = b"") -> bytes:
    """Run mcopy on the copy; return what it printed. Raises FlashError with what it says."""
    try:
        done = subprocess.run(
            ["mcopy", *words],  # noqa: S607 - found on PATH, as `ready` looked for it
            input=data,
            capture_output=True,
            check=False,
            pass_fds=[copy],
            env={**os.environ, **_SETTINGS},
            timeout=TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise FlashError(f"mcopy cannot be run: {exc}") from exc
    if done.returncode or done.stderr:  # it leaves with 0 on a full file system
        said = done.stderr.decode("utf-8", "replace").strip()
        raise FlashError(f"the boot partition takes no file: {said or 'mcopy failed'}")
    return done.stdout
