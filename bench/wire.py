"""Bytes and CPU per reading of the wire format over recorded series; the convention is in data/.

Run as `python -m bench.wire`. CPU is process time, so other processes hardly disturb it.
"""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from edgenode.reading import Anchor, Channel, ClockSource
from edgenode.wire import Batch, Birth, Rows, decode, expand, readings_in, scaled, schema_of
from edgenode.wire.codec import encode_batch

DATA = Path(__file__).parent / "data"
SETS = ("traffic_nab", "air_uci", "utility_power")
SHORT = frozenset({"NMHC_GT", "speed_7578"})  # series too short to be cut to
SAMPLES = (6, 60, 360)  # rows of a batch
TARGETS = {"traffic_nab": 1.24, "air_uci": 1.15, "utility_power": 0.73}  # 60 samples, packed
MAX_ROWS = 7_200
PERIOD_MS = 10_000
NODE, SPOOL = bytes.fromhex("02004c4f5801"), bytes.fromhex("5370f6f6c1d2e3f4")
BOOT_MS, UTC_MS = 86_400_000, 1_795_000_000_000
_ROUNDS = 5  # the least of so many is what the code takes without its neighbours


class Series(NamedTuple):
    """One set: its birth, and the scaled integers of each channel, all equally long."""

    birth: Birth
    columns: tuple[tuple[int, ...], ...]


def load(name: str) -> Series:
    texts: dict[str, list[str]] = {}
    with gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            if row["channel"] not in SHORT:
                texts.setdefault(row["channel"], []).append(row["value"])
    length = min(MAX_ROWS, *map(len, texts.values()))
    channels, columns = [], []
    for channel, values in texts.items():
        scale = -max(_decimals(value) for value in values[:length])
        channels.append(Channel(f"{name}/{channel}", "1", scale))
        columns.append(tuple(scaled(float(value), scale) for value in values[:length]))
    return Series(Birth(NODE, {0: tuple(channels)}), tuple(columns))


def _decimals(value: str) -> int:
    return len(value.partition(".")[2].rstrip("0"))


def batches(series: Series, samples: int) -> Iterator[Batch]:
    """Cut the series into full batches, as a node that samples on the grid would."""
    schema = schema_of(series.birth.groups)
    width = len(series.columns)
    for at in range(0, len(series.columns[0]) - samples + 1, samples):
        start = BOOT_MS + at * PERIOD_MS
        times = tuple(range(start, start + samples * PERIOD_MS, PERIOD_MS))
        yield Batch(
            node=NODE,
            epoch=12,
            seq=1 + at // samples,
            r0=at * width,
            schema=schema,
            tb=start,
            spool=SPOOL,
            anchors=(Anchor(BOOT_MS, UTC_MS, ClockSource.NTP, 12),),
            groups=(
                Rows(0, PERIOD_MS, times, tuple(c[at : at + samples] for c in series.columns)),
            ),
            held=1 + at // samples,
        )


def bytes_per_reading(series: Series, samples: int, *, plain: bool) -> float:
    size = readings = 0
    for batch in batches(series, samples):
        size += len(encode_batch(batch, series.birth, plain=plain))
        readings += readings_in(batch)
    return size / readings


def codec_us(series: Series, samples: int = 60) -> dict[str, float]:
    """Return the CPU time of encode and of decode with expand, in microseconds per reading."""
    full = list(batches(series, samples))
    readings = sum(map(readings_in, full))
    birth = Birth(NODE, series.birth.groups, schema_of(series.birth.groups))
    coded = [encode_batch(batch, birth) for batch in full]

    def encode_all() -> None:
        for batch in full:
            encode_batch(batch, birth)

    def decode_all() -> None:
        for data in coded:
            batch = decode(data)
            assert isinstance(batch, Batch)
            expand(batch, birth)

    return {
        "encode": _cpu(encode_all) / readings * 1e6,
        "decode": _cpu(decode_all) / readings * 1e6,
    }


def _cpu(work: Callable[[], None]) -> float:
    spent = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


def measure() -> dict[str, Any]:
    """Return bytes (set, samples, packed or plain) and microseconds (set, way) per reading."""
    sets = {name: load(name) for name in SETS}
    return {
        "wire_bytes_per_reading": {
            name: {
                str(samples): {
                    mode: round(bytes_per_reading(series, samples, plain=mode == "plain"), 3)
                    for mode in ("packed", "plain")
                }
                for samples in SAMPLES
            }
            for name, series in sets.items()
        },
        "codec_us_per_reading": {
            name: {way: round(us, 2) for way, us in codec_us(series).items()}
            for name, series in sets.items()
        },
    }


def main() -> None:
    figures = measure()
    print("bytes of the MQTT payload per reading (target: 60 samples, packed)")
    for name, by_samples in figures["wire_bytes_per_reading"].items():
        for samples, modes in by_samples.items():
            target = f"  target {TARGETS[name]}" if samples == "60" else ""
            print(f"  {name:14} {samples:>4} samples: {modes}{target}")
    print("CPU microseconds per reading, 60 samples")
    for name, ways in figures["codec_us_per_reading"].items():
        print(f"  {name:14} {ways}")


if __name__ == "__main__":
    main()
