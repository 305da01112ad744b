"""The whole daemon against a real Mosquitto over TLS: CPU, memory, drain, start, status.

Drivers' own reads are left out: one stand-in driver hands out samples made beforehand.
"""

from __future__ import annotations

import json
import os
import resource
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.node_child import node_id
from edgenode.reading import Channel, Group, Sample
from edgenode.spool import Spool, SpoolOptions
from tests.support.certificates import Authority
from tests.support.clock import FakeClock
from tests.support.mosquitto import Mosquitto

CPU_FROM_S, CPU_S = 60, 120  # two windows of a minute, once the store has been grown
BACKLOG = 1_000_000
CHANNELS = 20
DRAIN_MOST_S = 120
STATUS_RUNS = 10
START_RUNS = 5


@contextmanager
def city(directory: Path, port: int, ca: str) -> Iterator[None]:
    """Run a receiver in a process of its own, which acks what it has stored."""
    command = [sys.executable, "-m", "edgenode", "cityos", "receive", "--ca", ca]
    process = subprocess.Popen(
        [*command, "--broker", f"127.0.0.1:{port}", "--db", str(directory / "city.sqlite")],
        stdout=subprocess.DEVNULL,
    )
    yield
    process.terminate()
    process.wait(15)


@contextmanager
def listener(port: int, ca: str) -> Iterator[None]:
    """Subscribe to everything and do nothing with it: on MQTT 5 a batch must have a reader."""
    code = (
        "import sys, paho.mqtt.client as mqtt\n"
        "client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)\n"
        "client.tls_set(sys.argv[2])\n"
        "client.on_connect = lambda c, *_: c.subscribe('#', 0)\n"
        "client.connect('127.0.0.1', int(sys.argv[1]))\n"
        "client.loop_forever()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(port), ca])
    yield
    process.terminate()
    process.wait(15)


class Child:
    """A daemon in a process of its own that answers questions."""

    def __init__(self, state: Path, channels: int, port: int, custody: str, ca: str) -> None:
        command = [sys.executable, "-m", "bench.node_child"]
        self.process = subprocess.Popen(
            [*command, str(state), str(channels), str(port), custody, ca],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "MALLOC_ARENA_MAX": "1"},  # as the shipped unit sets it
        )

    def ask(self) -> dict[str, float]:
        """Return its figures now."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        answer: dict[str, float] = json.loads(self.process.stdout.readline())
        return answer

    def end(self) -> None:
        """Stop it in good order."""
        self.process.terminate()
        self.process.wait(15)


@contextmanager
def broker(directory: Path) -> Iterator[tuple[Mosquitto, str]]:
    """Start a Mosquitto with a certificate; yield it with the path of the authority."""
    made = Authority(directory / "tls")
    pair = made.issue("broker", "IP:127.0.0.1")
    tls = [f"certfile {pair.certificate}", f"keyfile {pair.key}"]
    mosquitto = Mosquitto(directory, tls)
    yield mosquitto, str(made.certificate)
    mosquitto.stop()


def cpu(directory: Path) -> dict[str, float]:
    """CPU µs per reading, from the sample a driver returns to the City OS's ack."""
    with broker(directory) as (mosquitto, ca):
        mosquitto.start()
        children = {
            str(n): Child(directory / f"s{n}", n, mosquitto.port, "city", ca) for n in (20, 200)
        }
        with city(directory, mosquitto.port, ca):
            time.sleep(CPU_FROM_S)
            before = {name: child.ask() for name, child in children.items()}
            time.sleep(CPU_S)
            after = {name: child.ask() for name, child in children.items()}
        for child in children.values():
            child.end()
    return {
        name: 1e6
        * (after[name]["cpu_s"] - before[name]["cpu_s"])
        / (after[name]["readings"] - before[name]["readings"])
        for name in children
    }


def fill(state: Path) -> int:
    """Leave a backlog of a million readings of twenty channels in a spool; return its batches."""
    groups = {
        0: Group(0, tuple(Channel(f"s/c{n}", "Cel", scale=-2) for n in range(CHANNELS))),
    }
    clock = FakeClock()
    options = SpoolOptions(state / "spool", cap_bytes=32 << 20, pregrow=False)
    spool = Spool.open(options, bytes.fromhex(node_id(CHANNELS)), groups, clock)
    for row in range(BACKLOG // CHANNELS):
        values = tuple(20 + (row * (n + 3) % 97) / 100 for n in range(CHANNELS))
        spool.append(0, clock.boot_ms(), Sample(values))
        clock.advance(1_000)
        if row % 5 == 0:
            spool.step()
    spool.close()
    return spool.outbox.backlog()


def drain(directory: Path) -> dict[str, float]:
    """Measure readings per second out of the spool to the broker, and the memory it takes."""
    state = directory / "drain"
    script = (
        f"from bench.node import fill; from pathlib import Path; print(fill(Path({str(state)!r})))"
    )
    filled = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    batches = int(filled.stdout)
    with broker(directory) as (mosquitto, ca):
        child = Child(state, CHANNELS, mosquitto.port, "broker", ca)
        time.sleep(10)
        before = now = child.ask()
        mosquitto.start()
        with listener(mosquitto.port, ca):
            started, rss = time.monotonic(), [before["rss_mb"]]
            until = started + DRAIN_MOST_S
            while now["acked"] < batches and time.monotonic() < until:
                time.sleep(0.01)
                now = child.ask()
                rss.append(now["rss_mb"])
                if now["acked"] == 0:  # still dialling, or announcing itself
                    started = time.monotonic()
            took = time.monotonic() - started
        assert now["acked"] >= batches, f"{now['acked']} of {batches} batches were drained"
        child.end()
    return {
        "drain_readings_per_s": BACKLOG / took,
        "rss_mb": max(rss),
        "rss_growth_mb": max(rss) - before["rss_mb"],
    }


TOML = """
schema = 1
[node]
id = "{node}"
state = "{state}"
socket = "{state}/control.sock"
[clock]
manual_err_ms = 1000
[uplink]
[[uplink.broker]]
host = "127.0.0.1"
port = {port}
ca = "{ca}"
[[bus]]
name = "i2c"
kind = "i2c"
path = "sim:{wire}#i2c"
[[sensor]]
name = "air"
driver = "bme280"
purpose = "bench"
bus = "i2c"
every_s = 1
address = 0x76
"""


def start(directory: Path) -> dict[str, float]:
    """Seconds from starting the process to the first durable sample and to the first PUBACK."""
    durable, acked = [], []
    wire = directory / "wire"
    with broker(directory) as (mosquitto, ca), instruments(wire, directory / "truth"):
        mosquitto.start()
        for run in range(START_RUNS):
            state = directory / f"start{run}"
            text = TOML.format(
                node=node_id(CHANNELS), state=state, port=mosquitto.port, ca=ca, wire=wire
            )
            first, second = _start(directory, state, text, mosquitto)
            durable.append(first)
            acked.append(second)
    return {
        "start_to_durable_s": sorted(durable)[START_RUNS // 2],
        "start_to_puback_s": sorted(acked)[START_RUNS // 2],
    }


@contextmanager
def instruments(wire: Path, truth: Path) -> Iterator[None]:
    """Run the virtual instruments of a street corner in a process of their own."""
    command = [sys.executable, "-m", "edgenode.virtual"]
    process = subprocess.Popen(
        [*command, "--socket", str(wire), "--truth", str(truth)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()  # "ready"
    yield
    process.terminate()
    process.wait(15)


def _start(directory: Path, state: Path, text: str, mosquitto: Mosquitto) -> tuple[float, float]:
    path = directory / "edgenode.toml"
    path.write_text(text, encoding="utf-8")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        address = f"{state}.notify"
        notify.bind(address)
        seen = mosquitto.log.stat().st_size
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "edgenode", "run", "--config", str(path)],
            env={**os.environ, "NOTIFY_SOCKET": address},
        )
        ready = acked = 0.0
        while not (ready and acked) and time.monotonic() - began < 30:
            if not ready and select.select([notify], [], [], 0.002)[0]:
                ready = time.monotonic() - began if b"READY" in notify.recv(4096) else 0.0
            if not acked:
                with mosquitto.log.open("rb") as log:
                    log.seek(seen)
                    acked = time.monotonic() - began if b"Sending PUBACK" in log.read() else 0.0
        process.terminate()
        process.wait(15)
    assert ready, "the daemon was not ready within 30 s"
    assert acked, "the broker acked nothing within 30 s"
    return ready, acked


def status(directory: Path) -> float:
    """CPU ms of `edgenode status`, interpreter included, asking a running daemon."""
    child = Child(directory / "status", CHANNELS, 1, "broker", "")
    sock = directory / "status" / "control.sock"
    while not sock.exists():
        time.sleep(0.05)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(STATUS_RUNS):
        command = [sys.executable, "-m", "edgenode", "status", "--json", "--socket", str(sock)]
        subprocess.run(command, check=False, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    child.end()
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1000 * used / STATUS_RUNS


def measure() -> dict[str, Any]:
    """Run all of them, about four minutes."""
    with TemporaryDirectory(prefix="edgenode-bench-") as name:
        directory = Path(name)
        return {
            "status_cpu_ms": status(directory),
            **start(directory),
            **drain(directory),
            "cpu_us_per_reading": cpu(directory),
        }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
