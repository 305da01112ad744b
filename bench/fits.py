"""How many sensors one node reads at 1 Hz before reads begin late.

A typical node has eight parts on one I2C bus, four on serial ports of their own and eight pulse
inputs. Its sensors are multiplied until the 99th percentile of lateness passes 10 ms. Instruments
live in a process of their own; on I2C each transfer takes the time of its bytes at 100 kHz besides,
which a socket would not.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import msgspec

from bench.sensing import NODE, SWITCH_S, served
from edgenode.bus import open_i2c
from edgenode.clock import SystemClock
from edgenode.driver import Driver, find
from edgenode.reading import Group
from edgenode.sensing import BusWorker, Job, Wires, stagger
from edgenode.sensing.lateness import quantile
from edgenode.spool import Spool, SpoolOptions
from tests.support.beds import I2C_BITS, I2C_HERTZ

EVERY_MS: Final = 1_000
LATE_MS: Final = 10
SECONDS: Final = 12.0
WARM_S: Final = 4.0  # openings take seconds
TIMES: Final = (1, 2, 4, 5, 6, 8, 12)


class Part(NamedTuple):
    """One sensor of the typical node: its driver, its instrument, and where it stands."""

    driver: str
    instrument: str
    wire: str
    options: dict[str, Any]


NODE_PARTS: Final = (
    Part("bme280", 'kind = "bme280"\naddress = 0x76', "i2c", {"address": 0x76}),
    Part("sht4x", 'kind = "sht4x"\naddress = 0x44', "i2c", {}),
    Part("sps30", 'kind = "sps30"', "i2c", {}),
    Part("scd4x", 'kind = "scd4x"', "i2c", {}),
    Part("tmp117", 'kind = "tmp117"\naddress = 0x48', "i2c", {"address": 0x48}),
    Part("ina219", 'kind = "ina219"\naddress = 0x40', "i2c", {"address": 0x40}),
    Part("ina226", 'kind = "ina226"\naddress = 0x41', "i2c", {"address": 0x41}),
    Part("bmp280", 'kind = "bmp280"\naddress = 0x77', "i2c", {"address": 0x77}),
    Part("pms5003", 'kind = "pms5003"', "serial", {}),
    Part("mhz19", 'kind = "mhz19"', "serial", {}),
    Part("sdm120", 'kind = "sdm"\nmodel = "sdm120"', "serial", {}),
    Part("sps30_uart", 'kind = "sps30_uart"', "serial", {}),
    *(
        Part("pulse", f'kind = "pulse"\nline = {n}\nevery_ms = 1000\npulses = {{ offset = 3 }}',
             "gpio", {"line": n})
        for n in range(8)
    ),
)  # fmt: skip


class Paced:
    """An I2C device whose transfers take what their bytes take on a real bus."""

    def __init__(self, device: Any) -> None:
        self._device = device

    def transfer(self, data: bytes, length: int) -> bytes:
        """Write, then read."""
        count = len(data) + length + bool(data) + bool(length)
        time.sleep(count * I2C_BITS / I2C_HERTZ)
        found: bytes = self._device.transfer(data, length)
        return found

    def read(self, register: int, length: int) -> bytes:
        """Read registers."""
        return self.transfer(bytes((register,)), length)

    def write(self, register: int, data: bytes) -> None:
        """Write registers."""
        self.transfer(bytes((register, *data)), 0)

    def close(self) -> None:
        """Close."""
        self._device.close()


def measure() -> dict[str, Any]:
    """Return `fits`: the p99 of lateness for each number of sensors, and the most that fit."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    late: dict[str, Any] = {}
    most = 0
    try:
        for times in TIMES:
            figures = _measured(times)
            sensors = times * len(NODE_PARTS)
            late[f"{sensors}_sensors"] = figures
            if figures["p99_ms"] > LATE_MS or figures["failures"]:
                break
            most = sensors
    finally:
        sys.setswitchinterval(before)
    return {"fits": {"sensors_at_1_hz": most, "lateness": late}}


def _measured(times: int) -> dict[str, Any]:
    placed = [(part, copy) for copy in range(times) for part in NODE_PARTS]
    tables = [
        f'[[instrument]]\nsensor = "s{n}"\nbus = "{_bus(part, copy)}"\n{part.instrument}\n'
        for n, (part, copy) in enumerate(placed)
    ]
    with TemporaryDirectory() as name, served(Path(name), "".join(tables)) as wires:
        return _read(Path(name), wires, placed)


def _bus(part: Part, copy: int) -> str:
    """Return the name of its virtual bus; the addresses of a real one would not be enough."""
    return f"{part.wire}{copy}" if part.wire != "serial" else f"{part.driver}{copy}"


def _read(directory: Path, wires: str, placed: list[tuple[Part, int]]) -> dict[str, Any]:
    clock, stop = SystemClock(), threading.Event()
    groups = {n: _group(n, part) for n, (part, _) in enumerate(placed)}
    options = SpoolOptions(directory / "spool", 64 << 20, pregrow=False)
    spool = Spool.open(options, NODE, groups, clock)
    workers = list(_workers(wires, placed, groups, spool, stop))
    keeper = threading.Thread(target=spool.run, args=(stop,), name="spool", daemon=True)
    for thread in (keeper, *workers):
        thread.start()
    time.sleep(WARM_S)
    began = [worker.lateness.counts() for worker in workers]
    cpu = time.process_time()
    time.sleep(SECONDS)
    cpu = time.process_time() - cpu
    ended = [worker.lateness.counts() for worker in workers]
    failures = sum(s.failures for worker in workers for s in worker.stats().sensors)
    stop.set()
    spool.wake()
    for thread in (keeper, *workers):
        if isinstance(thread, BusWorker):
            thread.wake()
        thread.join(10)
    spool.close()
    counts = [sum(column) for column in zip(*ended, strict=True)]
    warm = [sum(column) for column in zip(*began, strict=True)]
    kept = [after - before for after, before in zip(counts, warm, strict=True)]
    return {
        "p50_ms": quantile(kept, 0.50),
        "p99_ms": quantile(kept, 0.99),
        "failures": failures,
        "cpu_share": round(cpu / SECONDS, 2),
    }


def _workers(
    wires: str,
    placed: list[tuple[Part, int]],
    groups: dict[int, Group],
    spool: Spool,
    stop: threading.Event,
) -> Iterator[BusWorker]:
    """Yield one worker for all I2C parts, one for all lines, and one for each serial port."""
    buses: dict[str, list[int]] = {}
    for n, (part, copy) in enumerate(placed):
        buses.setdefault(_bus(part, copy) if part.wire == "serial" else part.wire, []).append(n)
    for bus, numbers in buses.items():
        phases = stagger([EVERY_MS] * len(numbers))
        jobs = [
            Job(
                f"s{n}",
                groups[n],
                _opener(wires, *placed[n]),
                EVERY_MS,
                stamp_ms=20,
                phase_ms=phase,
            )
            for n, phase in zip(numbers, phases, strict=True)
        ]
        yield BusWorker(bus, jobs, spool, SystemClock(), stop)


def _opener(wires: str, part: Part, copy: int) -> Callable[[], Driver]:
    driver = find(part.driver)
    options = msgspec.convert(part.options, driver.options)
    path = f"{wires}#{_bus(part, copy)}"
    if part.wire != "i2c":
        return Wires(path).opener(driver, options)

    def opened() -> Driver:
        made: Driver = driver(Paced(open_i2c(path, options.address)), options)
        return made

    return opened


def _group(gid: int, part: Part) -> Group:
    channels = find(part.driver).channels
    return Group(gid, tuple(replace(one, name=f"s{gid}/{one.name}") for one in channels))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
