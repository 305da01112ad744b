"""Read the TOML file and build the Config, or list everything that is wrong with it by line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgenode.config.check import Mistake, convert, fields_of
from edgenode.config.lines import line_of
from edgenode.config.model import BusTable, Config, Sensor, SensorTable
from edgenode.config.tables import (
    MANY,
    SINGLE,
    Found,
    drivers_of,
    options_of,
    rows,
    section,
    unfit,
    wrong,
)
from edgenode.errors import ConfigError

MAX_BYTES = 1 << 20


def load(path: Path) -> Config:
    """Read and check a file; raises ConfigError listing every mistake with its line."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise ConfigError([f"{path}: cannot be read: {exc.strerror}"]) from exc
    if len(data) > MAX_BYTES:
        raise ConfigError([f"{path}: longer than {MAX_BYTES} bytes; this is no configuration"])
    try:
        return parse(data.decode(), str(path))
    except UnicodeDecodeError as exc:
        raise ConfigError([f"{path}: not UTF-8 text: {exc.reason} at byte {exc.start}"]) from exc


def parse(text: str, name: str = "edgenode.toml") -> Config:
    """Check a whole file given as text; raises ConfigError like `load`."""
    raw = _toml(text, name)
    drivers = drivers_of(raw)
    found = list(wrong(raw, drivers)) or list(unfit(raw, drivers))
    if found:
        placed = sorted((line_of(text, m.table, m.nth, m.key), _words(m)) for m in found)
        raise ConfigError([f"{name}:{line}: {words}" for line, words in placed])
    return _build(raw, drivers)


def _toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        words, _, place = str(exc).partition(" (at ")
        where = ":".join(re.findall(r"\d+", place)) or str(len(text.splitlines()))
        raise ConfigError([f"{name}:{where}: not valid TOML: {words}"]) from exc


def _words(mistake: Mistake) -> str:
    table = f"{mistake.table}[{mistake.nth}]" if mistake.table in MANY else mistake.table
    return f"{'.'.join(filter(None, (table, mistake.key)))}: {mistake.sentence}"


def _build(raw: Mapping[str, Any], drivers: Mapping[str, Found]) -> Config:
    buses = {row["name"]: row for row in rows(raw, "bus")}
    sensors = tuple(
        _sensor(row, drivers[row["driver"]].driver, buses[row["bus"]])
        for row in rows(raw, "sensor")
    )
    tables = {name: section(raw, name) for name in SINGLE}
    whole = convert({**tables, "buses": list(buses.values()), "sensors": []}, Config)
    return Config(
        whole.node, whole.site, whole.clock, whole.spool, whole.uplink, whole.buses, sensors
    )


def _sensor(row: dict[str, Any], driver: Any, bus: dict[str, Any]) -> Sensor:
    own = fields_of(SensorTable)
    table = convert({key: value for key, value in row.items() if key in own}, SensorTable)
    return Sensor(
        name=table.name,
        driver=driver,
        options=options_of(row, driver),
        bus=convert(bus, BusTable),
        every_ms=round(table.every_s * 1000),
        stamp_ms=table.stamp_ms,
        serial=table.serial,
    )
