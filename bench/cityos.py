"""How fast the city's side stores and derives: from bytes to rows in SQLite and PostgreSQL."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.intake import Incoming
from edgenode.cityos.sink import Sink
from edgenode.reading import Anchor, Channel, ClockSource
from edgenode.wire import Batch, Birth, Rows, encode, schema_of
from tests.support.postgres import Postgres

BATCHES = 200
CHANNELS = 20
ROWS = 60
TOGETHER = 20  # messages in one transaction: what Mosquitto has in flight to a subscriber
READINGS = BATCHES * CHANNELS * ROWS
START = 1_795_000_000_000


def measure() -> dict[str, float]:
    """Store and derive 200 batches of 20 channels x 60 rows, on the disk of the temporary folder.

    CPU in us per reading, rates in readings per second of wall-clock; `stored` is up to the
    commit after which a batch may be acknowledged, `derived` the rows in addition. In PostgreSQL
    the CPU is the receiver's, and the server's (its backend alone) is told beside it.
    """
    with tempfile.TemporaryDirectory() as folder, Sink.open(Path(folder) / "city.db") as sink:
        figures = {f"city_{name}": value for name, value in _measure(sink).items()}
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    figures["city_bytes_on_disk_per_reading"] = size / READINGS
    with Postgres() as server, Sink.open(server.url(server.database())) as sink:
        size = _one(sink, "SELECT pg_database_size(current_database())")
        busy = _backend_cpu(sink)
        figures |= {f"city_postgresql_{name}": value for name, value in _measure(sink).items()}
        busy = _backend_cpu(sink) - busy
        size = _one(sink, "SELECT pg_database_size(current_database())") - size
    figures["city_postgresql_server_cpu_us_per_reading"] = busy / READINGS * 1e6
    figures["city_postgresql_bytes_on_disk_per_reading"] = size / READINGS
    return figures


def _measure(sink: Sink) -> dict[str, float]:
    messages = _messages()
    city = City(sink, CityOptions())
    wall, cpu = time.perf_counter(), time.process_time()
    for i in range(0, len(messages), TOGETHER):
        city.absorb(messages[i : i + TOGETHER], 0)
    stored_wall, stored_cpu = time.perf_counter() - wall, time.process_time() - cpu
    while city.derive():
        pass
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "stored_readings_per_s": READINGS / stored_wall,
        "stored_cpu_us_per_reading": stored_cpu / READINGS * 1e6,
        "stored_batches_per_s": BATCHES / stored_wall,
        "derived_readings_per_s": READINGS / wall,
        "derived_cpu_us_per_reading": cpu / READINGS * 1e6,
    }


def _one(sink: Sink, question: str) -> int:
    return int(sink.db.execute(question).fetchone()[0])


def _backend_cpu(sink: Sink) -> float:
    """Return the seconds of CPU that the server's process for this connection has used."""
    stat = Path(f"/proc/{_one(sink, 'SELECT pg_backend_pid()')}/stat").read_text(encoding="ascii")
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


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
