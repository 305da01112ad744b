"""The stage of the demo: its files, and how each of its processes is started."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

from edgenode.control import NoDaemon, ask
from edgenode.demo import street
from edgenode.demo.children import Child

LOOPBACK = "127.0.0.1"
NODE = "0dec0de0dec0de01"
COMMIT_MS = 1_000
FLUSH_MS = 2_000  # the slowest flush that a busy machine is allowed
STAMP_MS = 50
TOLERANCE_MS = 200  # stamp tolerance, and a busy machine
LATE_MS = 440  # the longest read, and a busy machine; with STAMP_MS less than the shortest period
READY_S = 60.0

NODE_TOML = """\
schema = 1
[node]
id = "{node}"
state = "{directory}/state"
socket = "{directory}/control.sock"
[site]
name = "Demonstration"
purpose = "Shows that nothing is lost"
[clock]
manual_err_ms = 1000
[spool]
cap_mb = 64
pregrow = false
commit_interval_s = {commit_s}
window_s = 2
offline_window_s = 4
[uplink]
backlog_per_s = 50
[[uplink.broker]]
host = "{host}"
port = {port}
tls = false
"""


class Stage:
    """A directory and a port; nothing runs until it is asked to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = _free_port()
        self.truth = directory / "truth"
        self.city = directory / "city.sqlite"
        self.config = directory / "node.toml"
        self.config.write_text(self._node_toml(), encoding="utf-8")
        self._scenario = directory / "scenario.toml"
        self._scenario.write_text(street.scenario(), encoding="utf-8")

    def _node_toml(self) -> str:
        head = NODE_TOML.format(
            node=NODE,
            directory=self.directory,
            commit_s=COMMIT_MS / 1000,
            host=LOOPBACK,
            port=self.port,
        )
        return head + street.node_tables(str(self.directory), STAMP_MS)

    def instruments(self) -> Child:
        words = ["edgenode.virtual", "--scenario", str(self._scenario), "--truth", str(self.truth)]
        words += ["--socket", f"{self.directory}/wires", "--control", f"{self.directory}/command"]
        return self._child("instruments", words)

    def broker(self) -> Child:
        return self._child("broker", ["edgenode.demo.broker", str(self.port)])

    def receiver(self) -> Child:
        words = ["edgenode", "cityos", "receive", "--no-tls", "--db", str(self.city)]
        return self._child("receiver", [*words, "--broker", f"{LOOPBACK}:{self.port}"])

    def daemon(self) -> Child:
        return self._child("daemon", ["edgenode", "run", "--config", str(self.config)])

    def drain(self, seconds: float) -> Child:
        words = ["edgenode", "run", "--config", str(self.config), "--drain"]
        return self._child("drain", [*words, "--timeout", str(seconds)])

    def _child(self, name: str, words: list[str]) -> Child:
        return Child(name, words, self.directory)

    @property
    def command(self) -> Path:
        """The socket that makes instruments misbehave."""
        return self.directory / "command"

    def status(self) -> dict[str, Any] | None:
        """Return what the daemon tells; None while there is none."""
        try:
            return ask(self.directory / "control.sock", "status", timeout_s=1.0)
        except NoDaemon:
            return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def boot_ms() -> int:
    """Return boot-time ms, the clock of stamps and of the log of truth."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def written_bytes(pid: int) -> int:
    """Return what a process had written to disk so far; 0 once it is gone."""
    try:
        text = Path(f"/proc/{pid}/io").read_text(encoding="ascii")
    except OSError:
        return 0
    fields = dict(line.split(": ") for line in text.splitlines())
    return int(fields["write_bytes"]) - int(fields["cancelled_write_bytes"])
