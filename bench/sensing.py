"""How late reads begin: eight virtual buses at 10 Hz, one hanging, while batches are encoded."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from drivers.bme280 import BME280, BME280Options
from edgenode.clock import SystemClock
from edgenode.reading import Channel, Group, Sample
from edgenode.sensing import BusWorker, Job, Wires
from edgenode.sensing.lateness import quantile
from edgenode.spool import Spool, SpoolOptions
from edgenode.virtual import send_command

BUSES = 8
EVERY_MS = 100
SECONDS = 20.0
SWITCH_S = 0.0005  # as the daemon sets it
NODE = bytes.fromhex("0badcafe0002")
LOAD_GID, LOAD_CHANNELS = 99, 200  # 2,000 readings/s more, so that there is much to encode
WINDOW_MS = 2_000
HANGS_AT = 10  # turns: the last bus is well at first, so that a read hangs and not an opening


def measure() -> dict[str, Any]:
    """Return `lateness_ms` (whole ms, rounded down) over the buses that do not hang."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        with TemporaryDirectory() as name, served(Path(name), instruments()) as wires:
            return _measured(Path(name), wires)
    finally:
        sys.setswitchinterval(before)


def instruments() -> str:
    """Return the tables of one virtual BME280 on each bus."""
    return "".join(
        f'[[instrument]]\nkind = "bme280"\nsensor = "s{n}"\nbus = "{n}"\nevery_ms = {EVERY_MS}\n'
        for n in range(BUSES)
    )


@contextmanager
def served(directory: Path, tables: str) -> Iterator[str]:
    """Run virtual instruments in a process of their own, until the block ends."""
    scenario, control = directory / "scenario.toml", directory / "control"
    scenario.write_text(tables, encoding="utf-8")
    words = ["--socket", f"{directory}/wires", "--truth", f"{directory}/truth"]
    words += ["--scenario", str(scenario), "--control", str(control)]
    command = [sys.executable, "-m", "edgenode.virtual", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield f"sim:{directory}/wires"
        finally:
            process.terminate()


def _measured(directory: Path, wires: str) -> dict[str, Any]:
    clock, stop, load = SystemClock(), threading.Event(), _load()
    groups = {n: _group(n) for n in range(BUSES)} | {LOAD_GID: load}
    options = SpoolOptions(directory / "spool", 64 << 20, window_ms=WINDOW_MS, pregrow=False)
    spool = Spool.open(options, NODE, groups, clock)
    workers = [
        BusWorker(str(n), [_job(groups[n], f"{wires}#{n}")], spool, clock, stop)
        for n in range(BUSES)
    ]
    keeper = threading.Thread(target=spool.run, args=(stop,), name="spool", daemon=True)
    for thread in (keeper, *workers):
        thread.start()
    spool.outbox.begin_session()  # a connected node seals each window, an offline one waits
    cpu, until = time.process_time(), time.monotonic() + SECONDS
    turn = stuck = 0
    while time.monotonic() < until:
        spool.append(LOAD_GID, clock.boot_ms(), _values(turn))
        stuck += workers[-1].check()
        turn += 1
        if turn == HANGS_AT:
            send_command(directory / "control", f"s{BUSES - 1}", "hang")
        time.sleep(EVERY_MS / 1000)
    cpu = time.process_time() - cpu
    stop.set()
    spool.wake()
    for thread in (keeper, *workers):
        if isinstance(thread, BusWorker):
            thread.wake()
        thread.join(10)
    batches = spool.stats().seals
    spool.close()
    return _figures(workers, stuck, batches, cpu)


def _figures(workers: list[BusWorker], stuck: int, batches: int, cpu_s: float) -> dict[str, Any]:
    each = [worker.lateness.counts() for worker in workers[:-1]]
    counts = [sum(column) for column in zip(*each, strict=True)]
    sensors = [worker.stats().sensors[0] for worker in workers[:-1]]
    return {
        "lateness_ms": {
            "p50": quantile(counts, 0.50),
            "p99": quantile(counts, 0.99),
            "p99.9": quantile(counts, 0.999),
        },
        "sensing": {
            "reads": sum(sensor.reads for sensor in sensors),
            "failures": sum(sensor.failures for sensor in sensors),
            "missed": sum(sensor.missed for sensor in sensors),
            "seen_stuck": stuck,  # looks at the hanging bus that found it past its budget
            "batches_encoded": batches,
            "cpu_s": round(cpu_s, 2),
        },
    }


def _group(gid: int) -> Group:
    named = (replace(channel, name=f"s{gid}/{channel.name}") for channel in BME280.channels)
    return Group(gid, tuple(named))


def _load() -> Group:
    return Group(LOAD_GID, tuple(Channel(f"load/{n}", "Cel", -2) for n in range(LOAD_CHANNELS)))


def _values(turn: int) -> Sample:
    return Sample(tuple(20.0 + (turn * 7 + n) % 13 / 100 for n in range(LOAD_CHANNELS)))


def _job(group: Group, path: str) -> Job:
    made = Wires(path).opener(BME280, BME280Options())
    phase = group.gid * EVERY_MS // BUSES
    return Job(f"s{group.gid}", group, made, EVERY_MS, stamp_ms=20, phase_ms=phase)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
