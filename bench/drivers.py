"""What a read costs each driver: CPU of the driver itself, and bytes and time on its bus.

Instruments answer in memory. What they, the wire and the sleeping take is taken off, so that the
figure is the driver's own: requests made, checksums proved, numbers computed. A talker is fed
whenever its bus would wake up, and that is in the figure of the read that follows.
"""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from statistics import median
from typing import Any

import msgspec

from edgenode.driver import find
from edgenode.errors import ConfigError
from tests.drivers.proofs import all_proofs
from tests.support.beds import Bed, Period, play
from tests.support.proofs import Proof

READS = 2_000
WARM = 50  # the first reads of all know of no time before them


def measure(reads: int = READS) -> dict[str, Any]:
    """Return `driver_us` of each installed driver: µs a read and a reading, and feeds a read.

    Beside them the bytes on its wire from read to read, and the ms for which a read keeps the bus
    from others: what the part takes to answer, and its bytes at 100 kHz or the speed of the line.

    A driver that is not measured has an `error` there.
    """
    installed = {point.name for point in entry_points(group="edgenode.drivers")}
    return {"driver_us": {name: _figures(name, reads) for name in sorted(installed)}}


def _figures(name: str, reads: int) -> dict[str, Any]:
    proofs = all_proofs()
    if name not in proofs:
        return {"error": "not measured: tests/drivers/proofs has none of it"}
    try:
        driver = find(name)
    except ConfigError as exc:
        return {"error": str(exc)}
    periods = _periods(driver, proofs[name], reads)
    read = median(period.own_ns for period in periods) / 1000  # a busy machine only ever adds
    return {
        "read": round(read, 1),
        "reading": round(read / len(driver.declare(options_of(proofs[name]))), 2),
        "feeds_a_read": round(sum(period.feeds for period in periods) / reads, 1),
        "bus_bytes": round(sum(period.carried for period in periods) / reads),
        "bus_ms": round(median(period.held_ms for period in periods), 1),
    }


def _periods(driver: Any, proof: Proof, reads: int) -> list[Period]:
    bed = Bed()
    wire = proof.part(bed)
    sensor = driver(wire, options_of(proof), **{name: getattr(bed, name) for name in proof.waits})
    periods = [play(bed, wire, sensor, proof.every_ms) for _ in range(WARM + reads)]
    sensor.close()
    assert None not in periods[-1].sample.values, f"{driver.model}: not what it costs in the field"
    return periods[WARM:]


def options_of(proof: Proof) -> Any:
    """Return the least options of a driver."""
    return msgspec.convert(dict(proof.options), find(proof.driver).options)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
