"""What goes into a bundle: each member bounded, redacted, or absent with its reason."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from edgenode import __version__
from edgenode.cli.absent import absent
from edgenode.cli.offline import SPOOL, entries, surveyed
from edgenode.cli.redaction import cleaned, configuration, node_of, scrubbed, secrets_of
from edgenode.cli.spoolfiles import verified
from edgenode.control import NoDaemon, ask
from edgenode.errors import EdgenodeError
from edgenode.spool import offline

MEMBER_BYTES = 4 << 20  # of one member; the newest end of it is kept
COMMAND_S = 20.0
MODEL = Path("/proc/device-tree/model")
KERNEL = (Path("/proc/version"), Path("/proc/uptime"), Path("/proc/loadavg"), Path("/proc/meminfo"))
JOURNAL = ("journalctl", "-u", "edgenode", "-n", "2000", "--no-pager", "-o", "short-iso")

LOG = "log"  # of the state directory: what edgenode-journal.service keeps of earlier boots


class Member(NamedTuple):
    """A file of the bundle; `problem` says why it is missing."""

    name: str
    data: bytes
    problem: str | None

    def row(self) -> dict[str, Any]:
        """Return what the table of contents says of it."""
        return {"name": self.name, "bytes": len(self.data), "problem": self.problem}


def gathered(config: Path, socket: Path, state: Path) -> tuple[str, list[Member]]:
    """Return the node's id where it is known, and all members, the table of contents last."""
    status = _tried(lambda: ask(socket, "status"))
    node = str(status.get("node", "")) if isinstance(status, dict) else ""
    file = _tried(lambda: config.read_text(encoding="utf-8"))
    node = node or ("" if isinstance(file, Exception) else node_of(file))
    secrets = set() if isinstance(file, Exception) else secrets_of(file, node)
    members = [
        _member(name, _tried(make), secrets) for name, make in _makers(status, file, socket, state)
    ]
    members.append(_contents(members))
    return node, members


Made = str | dict[str, Any] | list[Any]


def _makers(
    status: Any, file: str | Exception, socket: Path, state: Path
) -> list[tuple[str, Callable[[], Made]]]:
    def of_status() -> Made:
        return absent(str(state), str(status)) if isinstance(status, Exception) else status

    def of_history() -> Made:
        try:
            return ask(socket, "history", limit=1000)
        except NoDaemon:
            return {"format": 1, "entries": entries(offline.survey(state / SPOOL))}

    def of_file() -> Made:
        if isinstance(file, Exception):
            raise file
        return configuration(file)

    return [
        ("status.json", of_status),
        ("sensors.json", partial(ask, socket, "sensors")),
        ("history.json", of_history),
        ("metrics.txt", lambda: str(ask(socket, "metrics")["text"])),
        ("spool.json", lambda: surveyed(offline.survey(state / SPOOL))),
        ("verify.json", lambda: verified(state / SPOOL)),
        ("config.json", of_file),
        ("versions.json", _versions),
        ("kernel.txt", _kernel),
        ("mounts.txt", lambda: Path("/proc/mounts").read_text(encoding="utf-8")),
        ("journal.txt", partial(_command, JOURNAL)),
        ("warnings.txt", lambda: _warnings(state / LOG)),
    ]


def _warnings(log: Path) -> Made:
    """Return the warnings that outlived the journal, oldest first."""
    newest = (log / "warnings").read_text(encoding="utf-8", errors="replace")
    older = log / "warnings.1"
    return (older.read_text(encoding="utf-8", errors="replace") if older.exists() else "") + newest


def _tried(make: Callable[[], Any]) -> Any:
    """Return what was made, or the error: one that is missing costs nothing else."""
    try:
        return make()
    except (EdgenodeError, OSError, ValueError, subprocess.SubprocessError) as exc:
        return exc


def _member(name: str, made: Made | Exception, secrets: set[str]) -> Member:
    if isinstance(made, Exception):
        return Member(name, b"", scrubbed(f"{made}", secrets)[:500] or type(made).__name__)
    if isinstance(made, str):
        text = scrubbed(made, secrets)
    else:
        text = json.dumps(cleaned(made, secrets), indent=2, ensure_ascii=False)
    return Member(name, text.encode()[-MEMBER_BYTES:], None)


def _contents(members: list[Member]) -> Member:
    rows = [member.row() for member in members]
    return Member("contents.json", json.dumps(rows, indent=2).encode(), None)


def _versions() -> Made:
    packages = {
        dist.metadata["Name"]: dist.version
        for dist in metadata.distributions()
        if dist.metadata["Name"]
    }
    return {
        "edgenode": __version__,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "model": MODEL.read_text(encoding="utf-8").strip("\0\n") if MODEL.exists() else None,
        "system": platform.freedesktop_os_release().get("PRETTY_NAME"),
        "packages": dict(sorted(packages.items())),
    }


def _kernel() -> Made:
    """Return what the kernel is and has; not its command line, where secrets may stand."""
    return "\n".join(f"{path}:\n{path.read_text(encoding='utf-8')}" for path in KERNEL)


def _command(words: tuple[str, ...]) -> Made:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        words, capture_output=True, timeout=COMMAND_S, check=True, env=environment
    )
    return done.stdout.decode("utf-8", "replace")
