"""The real daemon as a process, over virtual wires, with a manager that listens as systemd does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgenode.control import NoDaemon, ask
from tests.support.ports import free_port, until

NODE = "0badcafe0003"
TOML = """\
schema = 1
[node]
id = "{node}"
state = "{directory}/state"
socket = "{directory}/control.sock"
[clock]
manual_err_ms = 1000
[spool]
cap_mb = 8
pregrow = false
commit_interval_s = {commit_s}
window_s = 60
[[uplink.broker]]
host = "127.0.0.1"
port = {port}
tls = false
[[bus]]
name = "wire"
kind = "i2c"
path = "sim:{directory}/wires#wire"
[[bus]]
name = "pins"
kind = "gpio"
path = "sim:{directory}/wires#pins"
[[sensor]]
name = "air"
driver = "bme280"
purpose = "weather of the test bench"
bus = "wire"
every_s = 0.1
address = 0x76
[[sensor]]
name = "loop"
driver = "pulse"
purpose = "traffic of the test bench"
bus = "pins"
every_s = 0.1
line = 17
"""
SCENARIO = """\
[[instrument]]
kind = "bme280"
sensor = "air"
bus = "wire"
every_ms = 100
[[instrument]]
kind = "pulse"
sensor = "loop"
bus = "pins"
line = 17
every_ms = 100
width_us = 1000
pulses = { offset = 2 }
"""


class Place:
    """A directory with a configuration; nobody answers at its broker's address."""

    def __init__(self, directory: Path, commit_s: float = 0.2, port: int = 0) -> None:
        self.directory = directory
        self.truth = directory / "truth"
        self.socket = directory / "control.sock"
        self.config = directory / "node.toml"
        text = TOML.format(
            node=NODE, directory=directory, commit_s=commit_s, port=port or free_port()
        )
        self.config.write_text(text)
        (directory / "scenario.toml").write_text(SCENARIO)

    @contextmanager
    def instruments(self) -> Iterator[None]:
        """Virtual instruments in a process of their own."""
        words = ["--socket", f"{self.directory}/wires", "--truth", str(self.truth)]
        words += ["--scenario", f"{self.directory}/scenario.toml"]
        words += ["--control", f"{self.directory}/command"]
        process = _start(["edgenode.virtual", *words], stdout=subprocess.PIPE)
        try:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            yield
        finally:
            _end(process)

    @contextmanager
    def daemon(self, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """The daemon; killed at the end if it still lives."""
        log = (self.directory / "daemon.log").open("ab")
        with log:
            process = _start(
                ["edgenode", "run", "--config", str(self.config)],
                stderr=log,
                env={**os.environ, **environment},
            )
        try:
            yield process
        finally:
            _end(process)

    def status(self) -> dict[str, Any] | None:
        """What the daemon tells; None while there is none."""
        try:
            return ask(self.socket, "status", timeout_s=2)
        except NoDaemon:
            return None

    def sensors(self) -> dict[str, Any]:
        """What the daemon tells of its sensors, by name."""
        status = self.status() or {"buses": []}
        return {s["sensor"]: s for bus in status["buses"] for s in bus["sensors"]}

    def sampled(self, commits: int = 1) -> bool:
        """Whether so many commits hold samples."""
        status = self.status()
        return status is not None and status["spool"]["commits"] >= commits

    def log(self) -> str:
        return (self.directory / "daemon.log").read_text()


def _start(words: list[str], **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", *words], stdin=subprocess.DEVNULL, **options)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


class Manager:
    """The end of NOTIFY_SOCKET where systemd listens."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.setblocking(False)
        self._heard: list[str] = []

    @property
    def heard(self) -> list[str]:
        """Every message so far."""
        while True:
            try:
                self._heard.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return self._heard

    def close(self) -> None:
        self._socket.close()


def terminated(process: subprocess.Popen[bytes], seconds: float = 10) -> int:
    """Send SIGTERM and return the exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(seconds)


__all__ = ["NODE", "Manager", "Place", "terminated", "until"]
