"""What can be told where no daemon answers: when it last wrote, and what systemd says of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from edgenode.cli import USAGE
from edgenode.cli.words import span

UNIT = "edgenode.service"
SYSTEMD = "/run/systemd/system"  # sd_booted(3): it is there where systemd is the init
SYSTEMD_S = 2.0
FIELDS = {  # of systemctl show, and what docs/cli.md calls them
    "ActiveState": "active",
    "SubState": "sub",
    "Result": "result",
    "ExecMainStatus": "exit_status",
    "NRestarts": "restarts",
}
NUMBERS = ("exit_status", "restarts")


def absent(state: str, problem: str) -> dict[str, Any]:
    """Return the document of docs/cli.md for a node without a daemon."""
    written_s = _last_written(os.path.join(state, "spool"))  # noqa: PTH118 - pathlib costs
    age = None if written_s is None else max(0, int(time.time() - written_s))
    return {
        "format": 1,
        "health": "absent",
        "problem": problem,
        "spool_written_s_ago": age,
        "systemd": systemd(SYSTEMD),
    }


def lines(document: dict[str, Any], state: str) -> Iterator[str]:
    """Yield the document in plain words."""
    yield f"edgenode does not run: {document['problem']}"
    age, unit = document["spool_written_s_ago"], document["systemd"]
    if age is None:
        yield f"  spool   none can be seen in {state} (or it is not yours to see)"
    else:
        yield f"  spool   last written {span(age)} ago; what was committed is safe in {state}"
    if unit is not None:
        yield (
            f"  systemd {unit['active']} ({unit['sub']}), result {unit['result']},"
            f" exit status {unit['exit_status']}, restarted {unit['restarts']} times"
        )
    if unit is not None and unit["exit_status"] == USAGE:
        yield "  do      edgenode check (the file has mistakes), then systemctl restart edgenode"
    else:
        yield "  do      systemctl status edgenode; journalctl -u edgenode -n 20"


MORE = "  more    edgenode spool and edgenode history read the spool itself"


def systemd(place: str) -> dict[str, Any] | None:
    """Return what systemd knows of the unit; None where it is not there or does not answer."""
    if not os.path.isdir(place):  # noqa: PTH112 - pathlib costs
        return None
    import subprocess  # noqa: PLC0415 - only where no daemon answers

    words = ["systemctl", "show", UNIT, "-p", ",".join(FIELDS)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=SYSTEMD_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return shown(done.stdout)


def shown(output: str) -> dict[str, Any] | None:
    """Read the output of `systemctl show`; None where a field is missing."""
    pairs = (line.partition("=") for line in output.splitlines())
    found: dict[str, Any] = {FIELDS[key]: value for key, _, value in pairs if key in FIELDS}
    for name in NUMBERS:
        text = str(found.get(name, ""))
        found[name] = int(text) if text.isdigit() else None
    return found if set(found) == set(FIELDS.values()) else None


def _last_written(directory: str) -> float | None:
    """Return when a file of a spool was last written; a directory alone would not tell."""
    try:
        with os.scandir(directory) as entries:
            spools = [entry.path for entry in entries if entry.is_dir()]
        return max(file.stat().st_mtime for path in spools for file in os.scandir(path))
    except (OSError, ValueError):  # not ours to see, or no spool there
        return None
