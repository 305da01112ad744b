"""Asking RAUC, and letting it work. Lists of words only; every call has a limit."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any, Final

from edgenode.errors import NodeError
from edgenode.update.slots import Bundle, Slots, bundle_of, slots_of

ASK_S: Final = 30.0  # a Pi Zero starts RAUC's service in about two seconds
VERIFY_S: Final = 300.0
INSTALL_S: Final = 3_600.0  # half a gigabyte onto a slow card takes ten minutes
REASON_LINES: Final = 3
ERROR: Final = "LastError:"
TRYBOOT: Final = "0 tryboot"  # Raspberry Pi documentation, "tryboot": partition, then the flag


class Rauc:
    """The system's RAUC; methods raise NodeError."""

    def slots(self) -> Slots:
        """Ask what runs, what else there is and what boots next."""
        return slots_of(_json(["rauc", "status", "--detailed", "--output-format=json"], ASK_S))

    def info(self, bundle: Path) -> Bundle:
        """Verify the signature of a bundle, and return what it says of itself."""
        return bundle_of(_json(["rauc", "info", "--output-format=json", str(bundle)], VERIFY_S))

    def install(self, bundle: Path, tell: Callable[[str], None]) -> None:
        """Write a bundle into the other slot; tells each line that RAUC says."""
        said: list[str] = []
        words = ["rauc", "install", str(bundle)]
        try:
            with subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            ) as running:
                timer = Timer(INSTALL_S, running.kill)
                timer.daemon = True  # Ctrl-C does not wait for it
                timer.start()
                for line in running.stdout or ():
                    said = [*said[-REASON_LINES:], line.strip()]
                    tell(line.strip())
                code = running.wait()
                timer.cancel()
        except OSError as exc:
            raise NodeError(f"rauc cannot be started: {exc.strerror}") from exc
        if code:
            raise NodeError(f"not installed; the system that runs is untouched: {_reason(said)}")

    def mark_good(self) -> None:
        """Let the firmware boot the system that runs, for good."""
        _run(["rauc", "status", "mark-good", "booted"], ASK_S)

    def mark_bad(self, which: str) -> None:
        """Note that a system has not proved good; `which` is "booted" or "other"."""
        _run(["rauc", "status", "mark-bad", which], ASK_S)

    def activate(self, which: str) -> None:
        """Have a system booted next; the "other" one is tried, the "booted" one ends that."""
        _run(["rauc", "status", "mark-active", which], ASK_S)


def _json(words: list[str], limit_s: float) -> dict[str, Any]:
    said = _run(words, limit_s)
    try:
        # RAUC may write a line or two before the object.
        found = json.loads(said[said.index("{") :])
    except ValueError as exc:
        raise NodeError(f"{' '.join(words[:2])} gave no JSON: {said[:200]!r}") from exc
    if not isinstance(found, dict):
        raise NodeError(f"{' '.join(words[:2])} gave no JSON object")
    return found


def _run(words: list[str], limit_s: float) -> str:
    if shutil.which(words[0]) is None:
        raise NodeError(
            f"no {words[0]} here: this machine has no two systems to change between; "
            "where edgenode is a Debian package, update it by apt"
        )
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise NodeError(f"{' '.join(words[:3])}: {exc}") from exc
    if done.returncode:
        raise NodeError(f"{' '.join(words[:3])}: {_reason(done.stderr.splitlines())}")
    return done.stdout


def _reason(lines: list[str]) -> str:
    """Return what RAUC calls its last error, else the last lines that say something."""
    kept = [line.strip() for line in lines if line.strip()]
    named = [line.removeprefix(ERROR).strip() for line in kept if line.startswith(ERROR)]
    if named:
        return named[-1]
    return " / ".join(kept[-REASON_LINES:]) or "rauc gave no reason: journalctl -u rauc"


def reboot(*, tried: bool) -> None:
    """Reboot in order; `tried`: into the other slot, once. Raises NodeError."""
    argument = [f"--reboot-argument={TRYBOOT}"] if tried else []
    _run(["systemctl", "reboot", *argument], ASK_S)
