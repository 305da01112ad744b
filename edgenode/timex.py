"""How far the kernel's clock may be wrong: asked with adjtimex(2), or read where that is refused.

A sandbox with ProtectClock= refuses the question together with the setting. Outside of it
edgenode-clock-state.service asks, and leaves the answer in a file: the seconds since boot, and
what `busybox adjtimex` prints.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

STATEMENT: Final = Path("/run/edgenode-clock-state/state")
STATEMENT_MAX: Final = 4_096  # bytes; busybox prints 500
STATEMENT_MS: Final = 60_000  # an older one vouches for nothing; a fresh one comes every 15 s
STA_UNSYNC: Final = 0x0040  # linux/timex.h: the kernel's clock is not disciplined
STA_NANO: Final = 0x2000  # the same: `time.tv_usec` holds nanoseconds
MAXFREQ_PPM: Final = 500  # kernel/time/ntp.c: `maxerror` grows so between two updates


class _Timex(ctypes.Structure):
    """`struct timex` of linux/timex.h, as far as it is read; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


class Statement(NamedTuple):
    """What the kernel said of its clock, and when."""

    boot_ms: int
    utc_ms: int
    status: int
    maxerror_us: int

    def error_ms(self, boot_ms: int, utc_ms: int) -> int | None:
        """Return the bound of the error at this moment; None where nothing vouches any more.

        By what the clock was stepped since, it may be wrong as well.
        """
        age_ms = boot_ms - self.boot_ms
        if self.status & STA_UNSYNC or not 0 <= age_ms <= STATEMENT_MS:
            return None
        stepped_ms = abs(utc_ms - boot_ms - (self.utc_ms - self.boot_ms))
        drifted_ms = age_ms * MAXFREQ_PPM // 1_000_000
        return self.maxerror_us // 1000 + 1 + drifted_ms + stepped_ms


class Kernel:
    """Whoever knows what the kernel thinks of its own clock. Never waits; any thread may ask."""

    def __init__(self, statement: Path = STATEMENT) -> None:
        self._statement = statement
        self._libc = ctypes.CDLL(None, use_errno=True)

    def error_ms(self, boot_ms: int, utc_ms: int) -> int | None:
        """Return by how many ms the wall clock may be wrong at most; None: it is not disciplined.

        `boot_ms` and `utc_ms` are the clocks at this moment.
        """
        timex = _Timex()
        if self._ask(timex) >= 0:
            return None if timex.status & STA_UNSYNC else timex.maxerror // 1000 + 1
        said = stated(self._statement)
        return said.error_ms(boot_ms, utc_ms) if said else None

    def _ask(self, timex: _Timex) -> int:
        """Return the state of the clock, or -1 where the question is refused."""
        return int(self._libc.adjtimex(ctypes.byref(timex)))


def stated(path: Path) -> Statement | None:
    """Return what the file says; None where there is none, or none that can be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return parsed(os.read(descriptor, STATEMENT_MAX).decode("ascii"))
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)


def parsed(text: str) -> Statement:
    """Return the statement in a text; raises ValueError where it is none.

    Lines are `-t  tick:         10000 us`: an option or none, a name, a number, words.
    """
    uptime, _, answer = text.partition("\n")
    numbers: dict[str, str] = {}
    for line in answer.splitlines():
        name, _, rest = line.partition(":")
        numbers[(name.split() or [""])[-1]] = (rest.split() or [""])[0]
    return _statement(float(uptime), numbers)


def _statement(uptime_s: float, numbers: Mapping[str, str]) -> Statement:
    def number(name: str) -> int:
        return int(numbers.get(name, ""))

    status = number("status")
    per_ms = 1_000_000 if status & STA_NANO else 1_000
    utc_ms = number("time.tv_sec") * 1000 + number("time.tv_usec") // per_ms
    return Statement(int(uptime_s * 1000), utc_ms, status, number("maxerror"))
