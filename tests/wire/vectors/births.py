"""The births that the vectors use."""

from __future__ import annotations

from edgenode.reading import Channel, Kind, Privacy
from edgenode.wire import Birth, schema_of

NODE = bytes.fromhex("02004c4f5801")
SPOOL = bytes.fromhex("5370f6f6c1d2e3f4")

AIR = (
    Channel(
        "roof/temperature",
        "Cel",
        -2,
        observed="WeatherObserved/temperature",
        low=-40.0,
        high=85.0,
        period_ms=1000,
        model="BME280",
        serial="7f0043",
        calibration=("2026-03-01", "lab 12"),
        uncertainty=50,
        stamp_ms=50,
    ),
    Channel("roof/humidity", "%RH", -1, low=0.0, high=100.0),
    Channel("roof/pressure", "Pa", 0),
)
METER = (
    Channel("meter/energy", "Wh", 0, Kind.COUNTER, modulus=1 << 32),
    Channel("meter/power", "W", 1, privacy=Privacy.INTERNAL),
)
RAW = (Channel("probe/voltage", "V", 0, Kind.FLOAT), Channel("probe/door", "1", 0, Kind.STATE))
WIDE = tuple(Channel(f"wide/c{at}", "1") for at in range(255))

CITY = Birth(NODE, {0: AIR, 1: METER, 7: RAW})
ONE = Birth(NODE, {0: (Channel("a/b", "1"),)})
THREE = Birth(NODE, {0: tuple(Channel(f"a/{at}", "1") for at in range(3))})
BROAD = Birth(NODE, {0: WIDE, 65535: (Channel("last/gid", "1"),)})
SCHEMA = schema_of(CITY.groups)
