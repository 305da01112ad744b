"""Walk the tables of a parsed file and yield every mistake in them, and in how they relate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from edgenode.config.check import Mistake, convert, fields_of, mistakes, near
from edgenode.config.model import (
    SCHEMA,
    BrokerTable,
    BusTable,
    ClockTable,
    NodeTable,
    SensorTable,
    SiteTable,
    SpoolTable,
    UplinkTable,
)
from edgenode.driver import find
from edgenode.errors import ConfigError

SINGLE: dict[str, type[msgspec.Struct]] = {
    "node": NodeTable,
    "site": SiteTable,
    "clock": ClockTable,
    "spool": SpoolTable,
    "uplink": UplinkTable,
}
KNOWN = ("schema", *SINGLE, "bus", "sensor")
MANY = frozenset({"bus", "sensor", "uplink.broker"})
MAX_TOTALS = 64  # durable totals that every commit can carry
UNSHARED = ("address", "line")  # options that no two sensors of one bus may have in common


class Found(NamedTuple):
    """A driver class, or the sentence that says why there is none."""

    driver: Any
    problem: str


def drivers_of(raw: Mapping[str, Any]) -> dict[str, Found]:
    """Look up the drivers that the sensors name, each once."""
    names = {row.get("driver") for row in rows(raw, "sensor")}
    return {name: _find(name) for name in names if isinstance(name, str)}


def _find(name: str) -> Found:
    try:
        return Found(find(name), "")
    except ConfigError as exc:
        return Found(None, str(exc))


def rows(table: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the tables of [[key]]; none where something else stands there."""
    value = table.get(key, [])
    whole = isinstance(value, list) and all(isinstance(row, dict) for row in value)
    return value if whole else []


def section(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the table [key]; empty where something else stands there."""
    value = raw.get(key, {})
    return value if isinstance(value, dict) else {}


def wrong(raw: Mapping[str, Any], drivers: Mapping[str, Found]) -> Iterator[Mistake]:
    """Every mistake that can be seen in one table alone."""
    yield from _top(raw)
    uplink = section(raw, "uplink")
    for name, cls in SINGLE.items():
        table = {key: value for key, value in section(raw, name).items() if key != "broker"}
        fields = fields_of(cls)
        fields.pop("broker", None)
        yield from mistakes(fields, table, name)
    if not rows(uplink, "broker"):
        yield Mistake("uplink", 0, "broker", "write at least one [[uplink.broker]] table")
    for index, row in enumerate(rows(uplink, "broker")):
        yield from mistakes(fields_of(BrokerTable), row, "uplink.broker", index)
    for index, row in enumerate(rows(raw, "bus")):
        yield from mistakes(fields_of(BusTable), row, "bus", index)
    for index, row in enumerate(rows(raw, "sensor")):
        yield from _sensor(row, index, drivers)


def _top(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    if raw.get("schema") != SCHEMA:
        yield Mistake("", 0, "schema", f"write `schema = {SCHEMA}`; this edgenode reads no other")
    for key, value in raw.items():
        if key not in KNOWN:
            yield Mistake("", 0, key, f"unknown key; {near(key, KNOWN)}")
        elif key in SINGLE and not isinstance(value, dict):
            yield Mistake("", 0, key, f"expected a table, [{key}]")
        elif key in MANY and value and not rows(raw, key):
            yield Mistake("", 0, key, f"expected tables, [[{key}]]")


def _sensor(row: dict[str, Any], index: int, drivers: Mapping[str, Found]) -> Iterator[Mistake]:
    found = drivers.get(str(row.get("driver")), Found(None, ""))
    own = fields_of(SensorTable)
    if found.driver:
        yield from mistakes({**fields_of(found.driver.options), **own}, row, "sensor", index)
        return
    if found.problem:
        yield Mistake("sensor", index, "driver", found.problem)
    yield from mistakes(own, {key: row[key] for key in row if key in own}, "sensor", index)


def unfit(raw: Mapping[str, Any], drivers: Mapping[str, Found]) -> Iterator[Mistake]:
    """Every mistake in how tables relate to each other; each table alone is right by now."""
    buses, sensors = rows(raw, "bus"), rows(raw, "sensor")
    yield from _twice("bus", "name", [row["name"] for row in buses])
    yield from _twice("bus", "path", [row["path"] for row in buses])
    yield from _twice("sensor", "name", [row["name"] for row in sensors])
    yield from _shared(sensors, drivers)
    yield from _misplaced(sensors, drivers, {row["name"]: row["kind"] for row in buses})
    for index, row in enumerate(rows(section(raw, "uplink"), "broker")):
        if ("cert" in row) != ("key" in row):
            yield Mistake("uplink.broker", index, "", "give cert and key together or not at all")


def _shared(sensors: list[dict[str, Any]], drivers: Mapping[str, Found]) -> Iterator[Mistake]:
    """Two sensors at one place of a wire, defaults included."""
    options = [options_of(row, drivers[row["driver"]].driver) for row in sensors]
    for key in UNSHARED:
        places = [
            (row["bus"], getattr(own, key)) if hasattr(own, key) else None
            for row, own in zip(sensors, options, strict=True)
        ]
        yield from _twice("sensor", key, places)


def _misplaced(
    sensors: list[dict[str, Any]], drivers: Mapping[str, Found], kinds: Mapping[str, str]
) -> Iterator[Mistake]:
    """Sensors on no bus or on the wrong one, and more counters than can be kept."""
    totals = 0
    for index, row in enumerate(sensors):
        driver, kind = drivers[row["driver"]].driver, kinds.get(row["bus"])
        if kind is None:
            names = ", ".join(kinds) or "none"
            yield Mistake("sensor", index, "bus", f"no [[bus]] has this name; there are: {names}")
        elif kind != driver.wire:
            yield Mistake("sensor", index, "bus", f"driver needs {driver.wire}, this bus is {kind}")
        totals += len(driver.since_open)
        if totals > MAX_TOTALS:
            words = f"more than {MAX_TOTALS} counters; put the rest on another node"
            yield Mistake("sensor", index, "", words)


def options_of(row: Mapping[str, Any], driver: Any) -> Any:
    """Return the driver's own options out of a [[sensor]] table."""
    own = fields_of(SensorTable)
    return convert({key: value for key, value in row.items() if key not in own}, driver.options)


def _twice(name: str, key: str, values: Sequence[object]) -> Iterator[Mistake]:
    for index, value in enumerate(values):
        first = values.index(value)
        if value is not None and first < index:
            yield Mistake(name, index, key, f"is the same as that of {name}[{first}]")
