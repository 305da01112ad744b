"""The stage of the demo: its files, and how each of its processes is started."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

from edgenode.control import NoDaemon, ask
from edgenode.demo.children import Child

LOOPBACK = "127.0.0.1"
NODE = "0dec0de0dec0de01"
COMMIT_MS = 1_000
FLUSH_MS = 2_000  # the slowest flush that a busy machine is allowed
STAMP_MS = 50
TOLERANCE_MS = 200  # stamp tolerance, the time of a measurement, and a busy machine
EVERY_S = 0.5
READY_S = 60.0
WEATHER = {"north": ("a", 0x76), "south": ("a", 0x77), "east": ("b", 0x76), "west": ("b", 0x77)}
PULSES = {"loop": 17, "meter": 27}  # a traffic loop and a water meter
COUNTERS = frozenset(f"{sensor}/count" for sensor in PULSES)
DERIVED = frozenset(f"{sensor}/unread" for sensor in PULSES)

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
[[bus]]
name = "a"
kind = "i2c"
path = "sim:{directory}/wires#a"
[[bus]]
name = "b"
kind = "i2c"
path = "sim:{directory}/wires#b"
[[bus]]
name = "pins"
kind = "gpio"
path = "sim:{directory}/wires#pins"
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
        self._scenario.write_text(_scenario_toml(), encoding="utf-8")

    def _node_toml(self) -> str:
        head = NODE_TOML.format(
            node=NODE,
            directory=self.directory,
            commit_s=COMMIT_MS / 1000,
            host=LOOPBACK,
            port=self.port,
        )
        tables = [
            f'[[sensor]]\nname = "{name}"\ndriver = "bme280"\nbus = "{bus}"\naddress = {address}\n'
            for name, (bus, address) in WEATHER.items()
        ]
        tables += [
            f'[[sensor]]\nname = "{name}"\ndriver = "pulse"\nbus = "pins"\nline = {at}\n'
            for name, at in PULSES.items()
        ]
        return head + "".join(
            f"{table}purpose = \"demonstration\"\nevery_s = {EVERY_S}\nstamp_ms = {STAMP_MS}\n" for table in tables
        )

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


def _scenario_toml() -> str:
    """Every instrument plays recorded weather or traffic, each a little differently."""
    tables = []
    for shift, (name, (bus, address)) in enumerate(WEATHER.items()):
        place = f'sensor = "{name}"\nbus = "{bus}"\naddress = {address}\nevery_ms = 500\n'
        play = f'temperature = {{ series = "air_uci:T", offset = {shift}, decimals = 2 }}\n'
        tables.append(f'[[instrument]]\nkind = "bme280"\n{place}{play}')
    for rate, (name, line) in zip((8, 2), PULSES.items(), strict=True):
        place = f'sensor = "{name}"\nbus = "pins"\nline = {line}\nevery_ms = 1000\n'
        tables.append(f'[[instrument]]\nkind = "pulse"\n{place}pulses = {{ offset = {rate} }}\n')
    return "".join(tables)


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
