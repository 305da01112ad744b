"""A small fleet against Mosquitto and a receiver with SQLite: what each part uses per reading."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from edgenode.cityos.sink import Sink
from edgenode.fleet import Fleet, Plan
from edgenode.fleet.second import Second
from edgenode.fleet.verdict import Verdict, judge
from edgenode.uplink import Broker
from tests.support.mosquitto import Mosquitto

NODES, CHANNELS = 100, 20
RAMP_S, SECONDS, WINDOW_MS = 4.0, 16.0, 5_000
FROM_S = 6.0  # when all nodes have started and sent once


def measure() -> dict[str, object]:
    """Run 100 nodes of 20 channels at 1 Hz for 16 s, without TLS.

    CPU in us per reading of nodes, broker and receiver; latency in ms from a batch's last read to
    the City OS's ack; bytes on TCP connections both ways, headers included, with windows of 5 s.
    """
    with TemporaryDirectory(prefix="edgenode-bench-") as name:
        directory = Path(name)
        with Mosquitto(directory / "broker") as broker, _city(directory, broker.port) as city:
            seconds, verdict = _run(directory, broker.port, city)
    return {"fleet": _figures(seconds, verdict)}


@contextmanager
def _city(directory: Path, port: int) -> Iterator[Path]:
    """Run a receiver in a process of its own."""
    db = directory / "city.sqlite"
    words = ["cityos", "receive", "--no-tls", "--broker", f"127.0.0.1:{port}", "--db", str(db)]
    command = [sys.executable, "-m", "edgenode", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # "ready"
        yield db
        process.terminate()


def _run(directory: Path, port: int, city: Path) -> tuple[list[Second], Verdict]:
    plan = Plan(
        run=1,
        directory=directory / "fleet",
        brokers=(Broker("127.0.0.1", port, tls=False),),
        nodes=NODES,
        channels=CHANNELS,
        seconds=SECONDS,
        ramp_s=RAMP_S,
        window_ms=WINDOW_MS,
        flaps_per_h=0.0,
        processes=2,
    )
    seconds: list[Second] = []
    with Fleet(plan, city) as fleet:
        outcome = fleet.run(seconds.append)
        real = fleet.real
    with Sink.open(city, readonly=True) as sink:
        return seconds, judge(plan, real, outcome, sink)


def _figures(seconds: list[Second], verdict: Verdict) -> dict[str, object]:
    steady = [second for second in seconds if FROM_S <= second.at_s <= SECONDS]
    made_per_s = fmean(second.made_per_s for second in steady)
    return {
        "nodes": NODES,
        "readings_per_s": made_per_s,
        "cpu_us_per_reading": {
            name: 1e6 * fmean(second.load[name].cores for second in steady) / made_per_s
            for name in ("nodes", "broker", "receiver")
        },
        "rss_mb": {name: load.rss / 1e6 for name, load in seconds[-1].load.items()},
        "bytes_per_reading": verdict.outcome.last.bytes_per_reading,
        "live_p50_ms": verdict.outcome.latencies["live_p50_ms"],
        "live_p99_ms": verdict.outcome.latencies["live_p99_ms"],
        "account_closes": verdict.well,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
