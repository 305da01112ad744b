"""What machine this is, whether it has just booted, and why."""

from __future__ import annotations

import os
from enum import IntEnum
from pathlib import Path

WATCHDOG_RESET = 0x0020  # WDIOF_CARDRESET of linux/watchdog.h
RUNNING, STOPPED = "running", "stopped"


class BootCause(IntEnum):
    """The value of the event boot."""

    FIRST = 0  # the state directory knows of no boot before
    ORDERLY = 1  # the daemon had been stopped before the machine went down
    SUDDEN = 2  # it had not: power was lost, or the machine was reset
    WATCHDOG = 3  # the hardware watchdog says that it reset the machine


class BootMark:
    """A small file that remembers the last boot and whether the daemon ended it in order."""

    def __init__(self, path: Path, boot_id: str, watchdog: Path | None = None) -> None:
        self._path = path
        self._boot_id = boot_id
        self._watchdog = watchdog or Path("/sys/class/watchdog/watchdog0/bootstatus")

    def cause(self) -> BootCause | None:
        """Return why the machine booted; None where this boot is already known."""
        boot_id, _, how = _text(self._path).partition(" ")
        if boot_id == self._boot_id:
            return None
        status = _text(self._watchdog)
        if status.isdigit() and int(status) & WATCHDOG_RESET:
            return BootCause.WATCHDOG
        if not boot_id:
            return BootCause.FIRST
        return BootCause.ORDERLY if how == STOPPED else BootCause.SUDDEN

    def running(self) -> None:
        """Note that this boot is known; call it once the event is durable."""
        self._write(RUNNING)

    def stopped(self) -> None:
        """Note that the daemon was stopped in order."""
        self._write(STOPPED)

    def _write(self, how: str) -> None:
        """Replace the file; a full or read-only disk costs only the cause of the next boot."""
        fresh = self._path.with_suffix(".new")
        try:
            with fresh.open("w", encoding="ascii") as file:
                file.write(f"{self._boot_id} {how}\n")
                file.flush()
                os.fdatasync(file.fileno())
            fresh.replace(self._path)
        except OSError:
            return


def board(tree: Path = Path("/proc/device-tree")) -> str:
    """Return the serial number that the firmware gives this board; "" where it gives none."""
    return _text(tree / "serial-number")


def hardware(tree: Path = Path("/proc/device-tree")) -> str:
    """Return the model of the board in words; the machine's architecture where unnamed."""
    return _text(tree / "model") or os.uname().machine


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""
