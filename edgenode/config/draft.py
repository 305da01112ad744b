"""What of a file is right by itself, so that its relations can be checked beside other mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from msgspec import ValidationError

from edgenode.config.check import Mistake, convert, fields_of, mistakes
from edgenode.config.lines import Place
from edgenode.config.model import (
    MAX_SENSORS,
    SCHEMA,
    BrokerTable,
    BudgetTable,
    BusTable,
    FileTable,
    PinTable,
    SensorTable,
    SiteTable,
)
from edgenode.driver import find_all
from edgenode.errors import ConfigError

OWN = fields_of(SensorTable)
Real = Callable[[str], str]  # a path with its links resolved


class Found(NamedTuple):
    """A driver class, or the sentence that says why there is none."""

    driver: Any
    problem: str


class Row(NamedTuple):
    """A [[sensor]] that is right by itself."""

    table: SensorTable
    driver: Any
    options: Any


@dataclass(frozen=True, slots=True)
class Draft:
    """The tables that are right by themselves, under their places in the file."""

    bus_names: tuple[str | None, ...]  # of all, also of those that are not right
    sensor_names: tuple[str | None, ...]
    buses: dict[int, BusTable]
    sensors: dict[int, Row]
    brokers: dict[int, BrokerTable]
    budget: BudgetTable | None
    lamp: PinTable | None
    real: Real
    site: SiteTable | None = None

    def bus(self, name: str) -> BusTable | None:
        """Return the first bus of this name, if it is right by itself."""
        return next((bus for bus in self.buses.values() if bus.name == name), None)

    def on(self, name: str) -> dict[int, Row]:
        """Return the sensors of a bus."""
        return {index: row for index, row in self.sensors.items() if row.table.bus == name}


def rows(table: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the tables of [[key]]; none where something else stands there."""
    value = table.get(key, [])
    whole = isinstance(value, list) and all(isinstance(row, dict) for row in value)
    return value if whole else []


def drivers_of(raw: Mapping[str, Any]) -> dict[str, Found]:
    """Look up the drivers that the sensors name, each once."""
    written = (row.get("driver") for row in rows(raw, "sensor"))
    names = dict.fromkeys(name for name in written if isinstance(name, str))
    return {
        name: Found(None, str(made)) if isinstance(made, ConfigError) else Found(made, "")
        for name, made in find_all(names).items()
    }


def wrong(raw: Mapping[str, Any], drivers: Mapping[str, Found]) -> Iterator[Mistake]:
    """Every mistake that can be seen in one table alone."""
    if raw.get("schema") != SCHEMA or isinstance(raw["schema"], (bool, float)):
        yield Mistake(("schema",), f"write `schema = {SCHEMA}`; this edgenode reads no other")
    sensors = rows(raw, "sensor")
    if len(sensors) > MAX_SENSORS:
        yield Mistake(("sensor",), f"{len(sensors)} sensors; at most {MAX_SENSORS} are possible")
    others = {key: value for key, value in raw.items() if key != "sensor" or not sensors}
    yield from mistakes(fields_of(FileTable), others | {"schema": SCHEMA})
    for index, row in enumerate(sensors):
        yield from _sensor(row, ("sensor", index), drivers)


def _sensor(row: dict[str, Any], place: Place, drivers: Mapping[str, Found]) -> Iterator[Mistake]:
    found = drivers.get(str(row.get("driver")), Found(None, ""))
    if found.driver:
        own = list(mistakes(fields_of(found.driver.options) | OWN, row, place))
        yield from own or _at_odds(row, place, found.driver)
        return
    if found.problem:
        yield Mistake((*place, "driver"), found.problem)
    yield from mistakes(OWN, {key: row[key] for key in row if key in OWN}, place)


def _at_odds(row: dict[str, Any], place: Place, driver: Any) -> Iterator[Mistake]:
    """Yield how options that are each right by itself do not go together."""
    try:
        options_of(row, driver)
    except ValidationError as exc:
        yield Mistake(place, str(exc))


def draft(
    raw: Mapping[str, Any],
    drivers: Mapping[str, Found],
    found: Sequence[Mistake],
    real: Real,
) -> Draft:
    """Build what of the file is right by itself; `found` is everything that is `wrong`."""
    uplink = raw.get("uplink")
    return Draft(
        bus_names=_names(raw, "bus"),
        sensor_names=_names(raw, "sensor"),
        buses=_whole(rows(raw, "bus"), ("bus",), found, BusTable),
        sensors={
            index: Row(
                convert({key: row[key] for key in row if key in OWN}, SensorTable),
                drivers[row["driver"]].driver,
                options_of(row, drivers[row["driver"]].driver),
            )
            for index, row in enumerate(rows(raw, "sensor"))
            if _right(("sensor", index), found)
        },
        brokers=_whole(
            rows(uplink, "broker") if isinstance(uplink, dict) else [],
            ("uplink", "broker"),
            found,
            BrokerTable,
        ),
        budget=convert(raw["budget"], BudgetTable) if _given(raw, "budget", found) else None,
        lamp=convert(raw["lamp"], PinTable) if _given(raw, "lamp", found) else None,
        real=real,
        site=convert(raw.get("site", {}), SiteTable) if _right(("site",), found) else None,
    )


def options_of(row: Mapping[str, Any], driver: Any) -> Any:
    """Return the driver's own options out of a [[sensor]] table."""
    return convert({key: value for key, value in row.items() if key not in OWN}, driver.options)


def _names(raw: Mapping[str, Any], key: str) -> tuple[str | None, ...]:
    names = [row.get("name") for row in rows(raw, key)]
    return tuple(name if isinstance(name, str) else None for name in names)


def _whole(
    tables: list[dict[str, Any]], place: Place, found: Sequence[Mistake], cls: Any
) -> dict[int, Any]:
    return {
        index: convert(row, cls)
        for index, row in enumerate(tables)
        if _right((*place, index), found)
    }


def _given(raw: Mapping[str, Any], key: str, found: Sequence[Mistake]) -> bool:
    return key in raw and _right((key,), found)


def _right(place: Place, found: Sequence[Mistake]) -> bool:
    return not any(mistake.place[: len(place)] == place for mistake in found)
