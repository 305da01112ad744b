"""What a read costs each driver: CPU of the driver itself, in microseconds.

Instruments answer in memory. What they, the wire and the sleeping take is taken off, so that the
figure is the driver's own: requests made, checksums proved, numbers computed. A talker is fed
whenever its bus would wake up, and that is in the figure of the read that follows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import entry_points
from statistics import median
from typing import Any, NamedTuple

from bench.wires import MS, Address, Bed, Cable, Edges, Files, States, Wire
from drivers.bme280 import BME280Options
from drivers.health import HealthOptions
from drivers.loop import LoopOptions
from drivers.pms5003 import PMS5003Options
from drivers.pulse import PulseOptions
from drivers.sdm import SDMOptions
from drivers.sht4x import SHT4xOptions
from drivers.state import StateOptions
from edgenode.driver import Options, Talker, find
from edgenode.errors import ConfigError
from edgenode.reading import Sample, SerialLine
from edgenode.virtual.bme280 import Bme280Spec, VirtualBME280
from edgenode.virtual.kinds import Hello
from edgenode.virtual.pms5003 import Pms5003Spec, VirtualPMS5003
from edgenode.virtual.pulse import PulseSpec, VirtualPulse
from edgenode.virtual.sdm import SdmSpec, VirtualSDM
from edgenode.virtual.series import Play
from edgenode.virtual.sht4x import Sht4xSpec, VirtualSHT4x
from edgenode.virtual.state import StateSpec, VirtualState

READS = 2_000
WARM = 50  # the first reads of all know of no time before them
UART = SerialLine(9600)
MINUTE_MS = 60_000

# A Raspberry Pi with an eMMC and a radio, its long files as long as there. The processor is busy.
BOARD = {
    "proc/meminfo": "MemTotal: 3884352 kB\nMemFree: 2913468 kB\nMemAvailable: 3409784 kB\n"
    + "".join(f"Other{n}: {n * 1000} kB\n" for n in range(45)),
    "proc/stat": "cpu  {ticks} 0 40412 8032420 5092 0 1234 0 0 0\n"
    + "".join(f"cpu{n} 25431 0 10103 2008105 1273 0 308 0 0 0\n" for n in range(4)),
    "proc/uptime": "20471.87 80324.20",
    "proc/net/wireless": "Inter-| sta-| Quality\n face | tus | link level noise\n"
    " wlan0: 0000   54.  -56.  -256        0      0      0      0     66        0",
    "proc/self/mountinfo": "24 1 179:2 / / rw,noatime - ext4 /dev/root rw",
    "sys/block/mmcblk0/dev": "179:0",
    "sys/block/mmcblk0/mmcblk0p2/dev": "179:2",
    "sys/block/mmcblk0/stat": "14532 5120 1203456 18233 90321 71002 2903124 401233 0 9000 419466",
    "sys/block/mmcblk0/device/life_time": "0x01 0x02",
    "sys/block/mmcblk0/device/pre_eol_info": "0x01",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": "47236",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "0",
}


class Case(NamedTuple):
    """One driver: the wire to a virtual instrument, its options, and how often it is read."""

    wire: Callable[[Bed], Wire]
    options: Options
    every_ms: int = 1_000
    waits: tuple[str, ...] = ()  # what it takes of the bed instead of the real time


class Period(NamedTuple):
    """What a driver did between two reads, the second one included."""

    own_ns: int
    feeds: int
    sample: Sample


def meter(model: Any) -> Case:
    """Return the case of an SDM meter."""

    def wire(bed: Bed) -> Wire:
        return Cable(bed, VirtualSDM(SdmSpec("s", model=model), bed.truth, bed.now_ns), UART)

    return Case(wire, SDMOptions())


def _air(bed: Bed) -> Wire:
    return Cable(bed, VirtualPMS5003(Pms5003Spec("s"), bed.truth, bed.now_ns), UART)


def _contact(bed: Bed) -> Wire:
    """Play three pulses a second: a meter of 1,000 a kWh at 11 kW."""
    spec = PulseSpec("s", every_ms=1_000, pulses=Play(offset=3))
    return Edges(bed, VirtualPulse(spec, bed.truth, bed.now_ns), Hello("gpio", edge="rising"))


def _lane(bed: Bed) -> Wire:
    """Play 900 vehicles an hour: thirty edges a read."""
    spec = PulseSpec("s", pulses=Play(offset=15), occupancy=Play(offset=20))
    return Edges(bed, VirtualPulse(spec, bed.truth, bed.now_ns), Hello("gpio", edge="both"))


def _signal(bed: Bed) -> Wire:
    """Play a signal head: three changes a read."""
    instrument = VirtualState(StateSpec("s"), bed.truth, bed.now_ns)
    return States(bed, instrument, Hello("gpio", edge="both"))


CASES = {
    "bme280": Case(
        lambda bed: Address(bed, VirtualBME280(Bme280Spec("s"), bed.truth, bed.now_ns)),
        BME280Options(),
        waits=("sleep",),
    ),
    "sht4x": Case(
        lambda bed: Address(bed, VirtualSHT4x(Sht4xSpec("s"), bed.truth, bed.now_ns)),
        SHT4xOptions(),
        waits=("sleep",),
    ),
    "pms5003": Case(_air, PMS5003Options(), every_ms=10_000, waits=("clock",)),
    "sdm120": meter("sdm120"),
    "sdm230": meter("sdm230"),
    "sdm630": meter("sdm630"),
    "pulse": Case(_contact, PulseOptions(line=0)),
    "loop": Case(_lane, LoopOptions(line=0), MINUTE_MS),
    "state": Case(_signal, StateOptions(line=0), MINUTE_MS),
    "health": Case(lambda bed: Files(bed, BOARD), HealthOptions(), MINUTE_MS),
}


def measure(reads: int = READS) -> dict[str, Any]:
    """Return `driver_us`: µs a read and a reading, and feeds a read, of each installed driver.

    A driver that is not measured has an `error` there.
    """
    installed = {point.name for point in entry_points(group="edgenode.drivers")}
    return {"driver_us": {name: _figures(name, reads) for name in sorted(installed)}}


def _figures(name: str, reads: int) -> dict[str, Any]:
    if name not in CASES:
        return {"error": "not measured: bench/drivers.py has no case for it"}
    try:
        driver = find(name)
    except ConfigError as exc:
        return {"error": str(exc)}
    periods = _periods(driver, CASES[name], reads)
    read = median(period.own_ns for period in periods) / 1000  # a busy machine only ever adds
    return {
        "read": round(read, 1),
        "reading": round(read / len(driver.channels), 2),
        "feeds_a_read": round(sum(period.feeds for period in periods) / reads, 1),
    }


def _periods(driver: Any, case: Case, reads: int) -> list[Period]:
    bed = Bed()
    wire = case.wire(bed)
    sensor = driver(wire, case.options, **{name: getattr(bed, name) for name in case.waits})
    periods = [_period(bed, wire, sensor, case.every_ms) for _ in range(WARM + reads)]
    sensor.close()
    assert None not in periods[-1].sample.values, f"{driver.model}: not what it costs in the field"
    return periods[WARM:]


def _period(bed: Bed, wire: Wire, sensor: Any, every_ms: int) -> Period:
    """Let a period pass, feed as often as something stirs, then read."""
    feeds = own_ns = 0
    until_ns = bed.now_ns + every_ms * MS
    while (due_ns := wire.next_ns()) is not None and due_ns <= until_ns:
        bed.now_ns = due_ns
        if wire.stirs() and isinstance(sensor, Talker):
            own_ns += bed.timed(lambda: sensor.feed(bed.now_ms))[1]
            feeds += 1
    bed.now_ns = until_ns
    sample, took_ns = bed.timed(lambda: sensor.read(bed.now_ms))
    return Period(own_ns + took_ns, feeds, sample)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
