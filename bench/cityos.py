"""How fast the city's side stores, derives and acknowledges: from bytes to rows in SQLite."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.intake import Incoming
from edgenode.cityos.sink import Sink
from edgenode.reading import Anchor, Channel, ClockSource
from edgenode.wire import Batch, Birth, Rows, encode, schema_of

BATCHES = 200
CHANNELS = 20
ROWS = 60
TOGETHER = 20  # messages in one transaction: what Mosquitto has in flight to a subscriber
START = 1_795_000_000_000


def measure() -> dict[str, float]:
    """Store and derive 200 batches of 20 channels x 60 rows, on the disk of the temporary folder.

    CPU in us per reading, rates in readings per second of wall-clock; `stored` is up to the
    commit after which a batch may be acknowledged, `derived` the rows in addition.
    """
    messages = _messages()
    readings = BATCHES * CHANNELS * ROWS
    with tempfile.TemporaryDirectory() as folder, Sink.open(Path(folder) / "city.db") as sink:
        city = City(sink, CityOptions())
        wall, cpu = time.perf_counter(), time.process_time()
        for i in range(0, len(messages), TOGETHER):
            city.absorb(messages[i : i + TOGETHER], 0)
        stored_wall, stored_cpu = time.perf_counter() - wall, time.process_time() - cpu
        while city.derive():
            pass
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    return {
        "city_stored_readings_per_s": readings / stored_wall,
        "city_stored_cpu_us_per_reading": stored_cpu / readings * 1e6,
        "city_stored_batches_per_s": BATCHES / stored_wall,
        "city_derived_readings_per_s": readings / wall,
        "city_derived_cpu_us_per_reading": cpu / readings * 1e6,
        "city_bytes_on_disk_per_reading": size / readings,
    }


def _messages() -> list[Incoming]:
    node, spool = bytes.fromhex("a1b2c3d4e5f6"), b"spool--1"
    channels = tuple(Channel(f"sensor-{i}/temperature", "Cel", -2) for i in range(CHANNELS))
    birth = Birth(node, {1: channels})
    schema = schema_of(birth.groups)
    base = f"edgenode/v1/{node.hex()}"
    messages = [Incoming(f"{base}/birth/{schema.hex()}", encode(birth), START)]
    for n in range(BATCHES):
        tb = n * ROWS * 1_000
        columns = tuple(
            [2_000 + (i * 7 + j + n) % 90 for i in range(ROWS)] for j in range(CHANNELS)
        )
        rows = Rows(1, 1_000, [tb + i * 1_000 for i in range(ROWS)], columns)
        anchors = tuple(Anchor(t, START + t, ClockSource.NTP, 5) for t in range(0, tb + 1, 600_000))
        batch = Batch(
            node, 1, n + 1, n * ROWS * CHANNELS, schema, tb, spool,
            anchors=anchors, groups=(rows,), held=1,
        )  # fmt: skip
        messages.append(Incoming(f"{base}/batch/0", encode(batch, birth), START + tb))
    return messages


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
