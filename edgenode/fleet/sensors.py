"""What simulated nodes sense: sensors of up to four channels that play recorded series."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from edgenode.reading import Channel, Group, Sample
from edgenode.virtual.series import load

TOGETHER = 4  # channels of one sensor
SHIFT = 37  # rows from one node to the next, so that no two play the same at one time
# What is played, in the unit of the series: their README beside them names the sources.
PLAYED = (
    ("air_uci:T", "temperature", "Cel"),
    ("air_uci:RH", "humidity", "%RH"),
    ("air_uci:NO2_GT", "no2", "ug/m3"),
    ("air_uci:CO_GT", "co", "mg/m3"),
    ("traffic_nab:speed_6005", "speed", "[mi_i]/h"),
    ("traffic_nab:occupancy_6005", "occupancy", "%"),
    ("traffic_nab:speed_t4013", "speed", "[mi_i]/h"),
    ("traffic_nab:occupancy_t4013", "occupancy", "%"),
    ("utility_power:U", "voltage", "V"),
    ("utility_power:I", "current", "A"),
    ("utility_power:P", "power", "kW"),
    ("utility_power:Q", "reactive_power", "kvar"),
)


class Made(NamedTuple):
    """One read of one sensor, and its values as they stand in the ledger."""

    sample: Sample
    text: str


class Sensor(NamedTuple):
    """One sensor: its group, and what it says row by row, again and again."""

    name: str
    group: Group
    rows: tuple[Made, ...]


@cache
def sensors(channels: int, every_ms: int) -> tuple[Sensor, ...]:
    """Return the sensors of every node of a fleet; they differ by where they begin."""
    wanted = [PLAYED[n % len(PLAYED)] for n in range(channels)]
    return tuple(
        _sensor(n // TOGETHER + 1, wanted[n : n + TOGETHER], every_ms)
        for n in range(0, channels, TOGETHER)
    )


def _sensor(gid: int, played: list[tuple[str, str, str]], every_ms: int) -> Sensor:
    name = f"s{gid}"
    tracks = [load(series) for series, _, _ in played]
    channels = tuple(
        Channel(f"{name}/{quantity}_{n}", unit, -decimals(track), period_ms=every_ms)
        for n, ((_, quantity, unit), track) in enumerate(zip(played, tracks, strict=True))
    )
    rows = tuple(
        Made(Sample(values), " ".join(map(repr, values)))
        for values in zip(*tracks, strict=False)  # the shortest series sets the length
    )
    return Sensor(name, Group(gid, channels), rows)


def decimals(track: tuple[float, ...]) -> int:
    """Return how many decimals the values of a series have at most."""
    return max(len(repr(value).partition(".")[2].rstrip("0")) for value in track)
