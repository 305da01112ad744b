"""The clock of a machine without one: stepped forward at boot to what is certain, never back.

What it says then is no more than a lower bound, so that certificates are valid again. Nobody
vouches for it, and a mark says so until the next boot.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from edgenode.errors import NodeError

MARK: Final = Path("/run/edgenode-clock/forwarded")
DAY_MS: Final = 86_400_000
# For so long a node may go without an update; what claims to be later is damaged or forged.
BELIEVED_MS: Final = 3_653 * DAY_MS  # 10 years


class Wall(Protocol):
    """The wall clock of a machine, which can be set."""

    def utc_ms(self) -> int:
        """POSIX milliseconds, right or wrong."""
        ...

    def put(self, utc_ms: int) -> None:
        """Set it; raises PermissionError."""
        ...


class MachineWall:
    """The wall clock of the kernel."""

    def utc_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def put(self, utc_ms: int) -> None:
        time.clock_settime_ns(time.CLOCK_REALTIME, utc_ms * 1_000_000)


class Forward(NamedTuple):
    """Where the clock was, and where it is, in POSIX ms."""

    before: int
    after: int


def built_ms() -> int:
    """Return the POSIX ms at which this software was built.

    Packages and images keep the time of its files, which is SOURCE_DATE_EPOCH there
    (reproducible-builds.org).
    """
    return Path(__file__).stat().st_mtime_ns // 1_000_000


def believed_ms() -> int:
    """Return the latest POSIX ms that is believed of a spool: ten years after the build."""
    return built_ms() + BELIEVED_MS


def forward(told_ms: int | None, wall: Wall, mark: Path = MARK) -> Forward:
    """Set the wall clock to the build, or to `told_ms` where that is later and believed.

    A clock that is later already is left alone. Raises NodeError where it may not be set, or
    nobody could be told that it was.
    """
    before, least = wall.utc_ms(), built_ms()
    if told_ms is not None and least < told_ms <= believed_ms():
        least = told_ms
    if before >= least:
        return Forward(before, before)
    _note(mark, before, least)  # first: what the boot made up is never taken for what is known
    try:
        wall.put(least)
    except PermissionError as error:
        mark.unlink()
        raise NodeError(
            "the clock may not be set here (it takes CAP_SYS_TIME); ask with sudo, and not in a"
            " container"
        ) from error
    return Forward(before, least)


def forwarded(mark: Path = MARK) -> bool:
    """Whether `forward` stepped the clock of this boot."""
    return mark.exists()


def _note(mark: Path, before: int, after: int) -> None:
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(f"from {before} to {after} POSIX ms\n", encoding="ascii")
    except OSError as error:
        raise NodeError(f"{mark}: {error.strerror}; the clock was left alone") from error
