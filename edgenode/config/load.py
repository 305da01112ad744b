"""Read the TOML file and build the Config, or list everything that is wrong with it by line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from edgenode.config.check import Mistake, convert
from edgenode.config.draft import Draft, Real, draft, drivers_of, wrong
from edgenode.config.households import is_household
from edgenode.config.lines import Lines
from edgenode.config.model import Config, FileTable, Sensor
from edgenode.config.relations import doubtful, unfit
from edgenode.errors import ConfigError

# How the words of tomllib begin where an installer's slip is likely, and what that slip is.
SLIPS = {
    "Cannot overwrite a value": "it is there already; several of one kind are written [[name]]",
    "Cannot declare": "it is there already; several of one kind are written [[name]]",
    "Invalid value": "text stands in quotes, true and false in small letters",
    "Expected newline or end of document": "one key a line; numbers have a point, not a comma",
    "Expected '=' after a key": "write key = value",
    "Illegal character '\\n'": "the text before it lacks its closing quote",
    "Unterminated string": "the text lacks its closing quote",
}
MAX_BYTES = 1 << 20
MAX_TOLD = 100  # mistakes; a file with more is of another kind


def load(path: Path) -> Config:
    """Read and check a file; raises ConfigError listing every mistake with its line.

    Of the machine it asks only where links lead, since one device may have several names.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise ConfigError([f"{path}: cannot be read: {exc.strerror}"]) from exc
    if len(data) > MAX_BYTES:
        raise ConfigError([f"{path}: longer than {MAX_BYTES} bytes; this is no configuration"])
    try:
        return parse(data.decode("utf-8-sig"), str(path), _resolved)
    except UnicodeDecodeError as exc:
        raise ConfigError([f"{path}: not UTF-8 text: {exc.reason} at byte {exc.start}"]) from exc


def _resolved(path: str) -> str:
    return os.path.realpath(path) if path.startswith("/") else path


def _spelt(path: str) -> str:
    return os.path.normpath(path) if path.startswith("/") else path


def parse(text: str, name: str = "edgenode.toml", real: Real = _spelt) -> Config:
    """Check a whole file given as text; raises ConfigError like `load`.

    Pure as long as `real` is, which gives a path with its links resolved.
    """
    raw = _toml(text, name)
    drivers = drivers_of(raw)
    found = list(wrong(raw, drivers))
    drawn = draft(raw, drivers, found, real)
    found += unfit(drawn)
    if found:
        problems = _placed(text, name, found)
        more = len(problems) - MAX_TOLD
        told = [*problems[:MAX_TOLD], f"{name}: and {more} more mistakes"]
        raise ConfigError(told if more > 0 else problems)
    config = _build(raw, drawn)
    warnings = tuple(_placed(text, name, doubtful(drawn, config)))
    return msgspec.structs.replace(config, warnings=warnings)


def _placed(text: str, name: str, found: Iterable[Mistake]) -> list[str]:
    """Return mistakes in the order of the file, each with its line."""
    mistakes = list(found)
    if not mistakes:
        return []
    lines = Lines(text)
    placed = sorted((lines.of(m.place), str(m)) for m in mistakes)
    return [f"{name}:{line}: {words}" for line, words in placed]


def _toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        words, _, place = str(exc).partition(" (at ")
        where = ":".join(re.findall(r"\d+", place)) or str(max(1, text.count("\n") + 1))
        slip = next((f"; {slip}" for head, slip in SLIPS.items() if words.startswith(head)), "")
        raise ConfigError([f"{name}:{where}: not valid TOML: {words}{slip}"]) from exc
    except (ValueError, RecursionError) as exc:  # a number of 5,000 digits, 500 nested lists
        raise ConfigError([f"{name}:1: not to be understood as TOML: {exc}"]) from exc


def _build(raw: Mapping[str, Any], drawn: Draft) -> Config:
    tables = {key: value for key, value in raw.items() if key != "sensor"}
    whole = convert(tables, FileTable)
    buses = {bus.name: bus for bus in whole.bus}
    sensors = tuple(
        Sensor(
            name=row.table.name,
            driver=row.driver,
            options=row.options,
            bus=buses[row.table.bus],
            every_ms=round(row.table.every_s * 1000),
            stamp_ms=row.table.stamp_ms,
            serial=row.table.serial,
            installed=row.table.installed,
            purpose=row.table.purpose,
            household=is_household(row),
            derived=row.table.derived,
            sources=row.table.sources,
            channel=row.table.channel,
        )
        for row in drawn.sensors.values()
    )
    return Config(
        node=whole.node,
        site=whole.site,
        clock=whole.clock,
        spool=whole.spool,
        uplink=whole.uplink,
        buses=whole.bus,
        sensors=sensors,
        budget=whole.budget,
        recovery=whole.recovery,
        lamp=whole.lamp,
    )
