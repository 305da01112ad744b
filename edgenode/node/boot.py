"""What machine this is, whether it has just booted, and why the daemon was started."""

from __future__ import annotations

import os
from pathlib import Path

from edgenode.errors import Code
from edgenode.node.statefile import replaced, text_of

WATCHDOG_RESET = 0x0020  # WDIOF_CARDRESET of linux/watchdog.h
RUNNING, STOPPED, RECOVERING = "running", "stopped", "recovering"


class BootCause(Code):
    """The value of the event boot."""

    FIRST = 0  # the state directory knows of no boot before
    ORDERLY = 1  # the daemon had been stopped before the machine went down
    SUDDEN = 2  # it had not: power was lost, or the machine was reset
    WATCHDOG = 3  # the hardware watchdog says that it reset the machine
    RECOVERY = 4  # the daemon itself had asked for it, as the last rung of the ladder


class StartCause(Code):
    """The value of the event daemon-started."""

    BOOT = 1  # the machine was started
    ORDERLY = 2  # the daemon had been stopped in order
    SUDDEN = 3  # it had been killed, or had died of a defect
    RECOVERY = 4  # it had left by itself, as a rung of the ladder


class BootMark:
    """A small file that remembers the last boot and how the daemon before ended."""

    def __init__(self, path: Path, boot_id: str, watchdog: Path | None = None) -> None:
        self._path = path
        self._boot_id = boot_id
        self._watchdog = watchdog or Path("/sys/class/watchdog/watchdog0/bootstatus")

    def cause(self) -> BootCause | None:
        """Return why the machine booted; None where this boot is already known."""
        boot_id, how = self._before()
        if boot_id == self._boot_id:
            return None
        status = text_of(self._watchdog)
        if status.isdigit() and int(status) & WATCHDOG_RESET:
            return BootCause.WATCHDOG
        if not boot_id:
            return BootCause.FIRST
        if how == RECOVERING:
            return BootCause.RECOVERY
        return BootCause.ORDERLY if how == STOPPED else BootCause.SUDDEN

    def start(self) -> StartCause:
        """Return why the daemon was started; call it before `running`."""
        boot_id, how = self._before()
        if boot_id != self._boot_id:
            return StartCause.BOOT
        causes = {STOPPED: StartCause.ORDERLY, RECOVERING: StartCause.RECOVERY}
        return causes.get(how, StartCause.SUDDEN)

    def running(self) -> None:
        """Note that this boot is known; call it once the event is durable."""
        self._write(RUNNING)

    def stopped(self) -> None:
        """Note that the daemon was stopped in order."""
        self._write(STOPPED)

    def recovering(self) -> None:
        """Note that the daemon leaves so that it, or the machine, is started anew."""
        self._write(RECOVERING)

    def _before(self) -> tuple[str, str]:
        boot_id, _, how = text_of(self._path).partition(" ")
        return boot_id, how

    def _write(self, how: str) -> None:
        """Write the mark; a full or read-only disk costs only the cause of the next boot."""
        replaced(self._path, f"{self._boot_id} {how}\n")


def board(tree: Path = Path("/proc/device-tree")) -> str:
    """Return the serial number that the firmware gives this board; "" where it gives none."""
    return text_of(tree / "serial-number")


def hardware(tree: Path = Path("/proc/device-tree")) -> str:
    """Return the model of the board in words; the machine's architecture where unnamed."""
    return text_of(tree / "model") or os.uname().machine
