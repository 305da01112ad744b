"""Small fleets against Mosquitto and a receiver with SQLite: what each part uses per reading."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from edgenode.cityos.sink import Sink
from edgenode.fleet import Fleet, Outage, Plan
from edgenode.fleet.second import Second
from edgenode.fleet.verdict import Verdict, judge
from edgenode.uplink import Broker
from tests.support.certificates import Authority
from tests.support.mosquitto import Mosquitto

CURVE, CHANNELS = (10, 100, 400), 20
SECURE = 100  # nodes with TLS
SECONDS, WINDOW_MS, OFFLINE_WINDOW_MS = 16.0, 5_000, 1_000
RAMP_PER_S = 25.0
SETTLED_S = 2.0  # after the last node's start, when all have sent once
OUTAGE = Outage(6.0, 6.0)  # in a run of its own, so that something drains


def measure() -> dict[str, object]:
    """Run 10, 100 and 400 nodes of 20 channels at 1 Hz, 100 with TLS, and 100 with an outage.

    CPU in us per reading of nodes, broker and receiver; latency in ms from a batch's last read to
    the City OS's ack, live and of backlog; bytes on TCP connections both ways, headers included,
    with windows of 5 s.
    """
    plain = {str(nodes): _fleet(nodes) for nodes in CURVE}
    secure = _fleet(SECURE, secure=True)
    drained = _fleet(SECURE, outage=OUTAGE)
    return {"fleet": {"nodes": plain, "tls": secure, "outage": drained}}


def _fleet(nodes: int, *, secure: bool = False, outage: Outage | None = None) -> dict[str, object]:
    with TemporaryDirectory(prefix="edgenode-bench-") as name:
        directory = Path(name)
        lines, way, ca = _tls(directory) if secure else ([], ["--no-tls"], None)
        with Mosquitto(directory / "broker", lines, verbose=False) as broker:
            where = Broker("localhost", broker.port, tls=secure, ca=ca)
            with _city(directory, broker.port, way) as city:
                seconds, verdict = _run(directory, where, city, nodes, outage)
    return _figures(nodes, seconds, verdict)


def _tls(directory: Path) -> tuple[list[str], list[str], Path]:
    """Return lines for the broker, options for the receiver, and whom nodes trust."""
    authority = Authority(directory / "authority")
    pair = authority.issue("localhost", "DNS:localhost")
    lines = [f"certfile {pair.certificate}", f"keyfile {pair.key}"]
    return lines, ["--ca", str(authority.certificate)], authority.certificate


@contextmanager
def _city(directory: Path, port: int, way: Sequence[str]) -> Iterator[Path]:
    """Run a receiver in a process of its own."""
    db = directory / "city.sqlite"
    words = ["cityos", "receive", *way, "--broker", f"localhost:{port}", "--db", str(db)]
    command = [sys.executable, "-m", "edgenode", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # "ready"
        yield db
        process.terminate()


def _run(
    directory: Path, where: Broker, city: Path, nodes: int, outage: Outage | None
) -> tuple[list[Second], Verdict]:
    ramp_s = nodes / RAMP_PER_S
    plan = Plan(
        run=1,
        directory=directory / "fleet",
        brokers=(where,),
        nodes=nodes,
        channels=CHANNELS,
        seconds=ramp_s + SECONDS,
        ramp_s=ramp_s,
        window_ms=WINDOW_MS,
        offline_window_ms=OFFLINE_WINDOW_MS,
        flaps_per_h=0.0,
        processes=2,
        outage=outage,
    )
    seconds: list[Second] = []
    with Fleet(plan, city) as fleet:
        outcome = fleet.run(seconds.append)
        real = fleet.real
    with Sink.open(city, readonly=True) as sink:
        return seconds, judge(plan, real, outcome, sink)


def _figures(nodes: int, seconds: list[Second], verdict: Verdict) -> dict[str, object]:
    from_s = nodes / RAMP_PER_S + SETTLED_S
    steady = [one for one in seconds if from_s <= one.at_s and one.making]
    made_per_s = fmean(one.made_per_s for one in steady)
    latencies = verdict.outcome.latencies
    return {
        "readings_per_s": made_per_s,
        "cpu_us_per_reading": {
            name: 1e6 * fmean(one.load[name].cores for one in steady) / made_per_s
            for name in ("nodes", "broker", "receiver")
        },
        "rss_mb": {name: load.rss / 1e6 for name, load in seconds[-1].load.items()},
        "bytes_per_reading": verdict.outcome.last.bytes_per_reading,
        **{name: latencies[name] for name in latencies if not name.startswith("puback")},
        "account_closes": verdict.well,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
