"""How buses, and sensors on them, relate: names, places on a wire, GPIO lines, speed and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from edgenode.config.check import Mistake, near
from edgenode.config.draft import Draft, Row
from edgenode.config.lines import Place
from edgenode.config.model import BusTable
from edgenode.driver import lines_of
from edgenode.reading import SerialLine

SERIAL_ONLY = ("baud", "parity", "stop_bits")


class Use(NamedTuple):
    """Somebody who wants a GPIO line for themselves."""

    chip: str
    line: int
    place: Place


def unfit_wires(draft: Draft) -> Iterator[Mistake]:
    """Every mistake in how buses, sensors and lines relate."""
    yield from _twice("bus", "name", dict(enumerate(draft.bus_names)))
    yield from _twice("sensor", "name", dict(enumerate(draft.sensor_names)))
    paths = {index: draft.real(bus.path) for index, bus in draft.buses.items()}
    yield from _twice("bus", "path", paths)
    yield from _addresses(draft)
    yield from _lines(draft)
    for index, bus in draft.buses.items():
        yield from _bus(index, bus)
        yield from _port(bus, draft.on(bus.name))
    for index, row in draft.sensors.items():
        yield from _place(index, row, draft)
        yield from _pace(index, row)


def serial_line(bus: BusTable, asked: SerialLine | None) -> SerialLine:
    """Return the speed and framing of a port: what its table says, else what its part asks for."""
    part = asked or SerialLine()
    return SerialLine(
        bus.baud or part.baud, bus.parity or part.parity, part.data_bits, bus.stop_bits or part[3]
    )


def _twice(name: str, key: str, values: Mapping[int, object]) -> Iterator[Mistake]:
    seen: dict[object, int] = {}
    for index, value in values.items():
        if value is not None and seen.setdefault(value, index) != index:
            first = seen[value]
            yield Mistake((name, index, key), f"is the same as that of {name}[{first}]")


def _addresses(draft: Draft) -> Iterator[Mistake]:
    places = {
        index: (row.table.bus, row.options.address)
        for index, row in draft.sensors.items()
        if hasattr(row.options, "address")
    }
    yield from _twice("sensor", "address", places)


def _lines(draft: Draft) -> Iterator[Mistake]:
    """One GPIO line for two purposes, whoever wants it."""
    seen: dict[tuple[str, int], Place] = {}
    for use in chain(_bus_lines(draft), _sensor_lines(draft), _lamp_line(draft)):
        first = seen.setdefault((use.chip, use.line), use.place)
        if first != use.place:
            words = f"line {use.line} of {use.chip} already serves {_owner(first)}"
            yield Mistake(use.place, words)


def _bus_lines(draft: Draft) -> Iterator[Use]:
    for index, bus in draft.buses.items():
        if bus.clear:
            chip = draft.real(bus.clear.chip)
            yield Use(chip, bus.clear.scl, ("bus", index, "clear", "scl"))
            yield Use(chip, bus.clear.sda, ("bus", index, "clear", "sda"))
        if bus.power:
            yield Use(draft.real(bus.power.chip), bus.power.line, ("bus", index, "power", "line"))


def _sensor_lines(draft: Draft) -> Iterator[Use]:
    for index, row in draft.sensors.items():
        bus = draft.bus(row.table.bus)
        if bus and bus.kind == row.driver.wire == "gpio":
            for option, number in lines_of(row.driver, row.options).items():
                yield Use(draft.real(bus.path), number, ("sensor", index, option))


def _lamp_line(draft: Draft) -> Iterator[Use]:
    if draft.lamp:
        yield Use(draft.real(draft.lamp.chip), draft.lamp.line, ("lamp", "line"))


def _owner(place: Place) -> str:
    table = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place[:-1])
    return table.removeprefix(".")


def _bus(index: int, bus: BusTable) -> Iterator[Mistake]:
    place: Place = ("bus", index)
    for key in SERIAL_ONLY:
        if getattr(bus, key) is not None and bus.kind != "serial":
            yield Mistake((*place, key), f"is for serial buses only, this one is {bus.kind}")
    if bus.clear and bus.kind != "i2c":
        yield Mistake((*place, "clear"), f"is for i2c buses only, this one is {bus.kind}")
    for key in ("power", "usb_port"):
        if getattr(bus, key) and bus.kind == "sysfs":
            yield Mistake((*place, key), "a sysfs bus is this machine; it is not switched")


def _port(bus: BusTable, rows: Mapping[int, Row]) -> Iterator[Mistake]:
    """Parts that cannot share one serial port."""
    if bus.kind != "serial":
        return
    serial = {i: row for i, row in rows.items() if row.driver.wire == "serial"}
    lines = {i: serial_line(bus, row.driver.line) for i, row in serial.items()}
    for index, row in serial.items():
        first = next(iter(serial))
        if index != first and lines[index] != lines[first]:
            yield Mistake(
                ("sensor", index, "bus"),
                f"its part talks at {lines[index]}, that of sensor[{first}] at"
                f" {lines[first]}: set both parts alike and write baud, parity and"
                f" stop_bits into [[bus]] {bus.name!r}, or give it a port of its own",
            )
        other = next((i for i in serial if i != index), None)
        if row.driver.alone and other is not None:
            yield Mistake(
                ("sensor", index, "bus"),
                f"{row.driver.model} talks by itself, so nothing else fits on its port, where"
                f" sensor[{other}] is: give it a [[bus]] of its own",
            )


def _place(index: int, row: Row, draft: Draft) -> Iterator[Mistake]:
    place = ("sensor", index, "bus")
    bus = draft.bus(row.table.bus)
    if bus is None and row.table.bus not in draft.bus_names:
        names = [name for name in draft.bus_names if name]
        hint = near(row.table.bus, names).replace("known here", "there are")
        yield Mistake(place, f"no [[bus]] has this name; {hint if names else 'there is none'}")
    elif bus and bus.kind != row.driver.wire:
        yield Mistake(place, f"driver needs {row.driver.wire}, this bus is {bus.kind}")


def _pace(index: int, row: Row) -> Iterator[Mistake]:
    place = ("sensor", index, "every_s")
    every, driver = row.table.every_s, row.driver
    if every < driver.fastest_s:
        words = f"{driver.model} can be read every {driver.fastest_s:g} s at most, found {every:g}"
        yield Mistake(place, words)


def busy(draft: Draft) -> Iterator[Mistake]:
    """Buses whose reads may take longer than their periods: no mistake, since they seldom do.

    A budget covers the slowest speed of a part and a bus in trouble; a usual read takes a tenth.
    """
    for index, bus in draft.buses.items():
        shares: list[Any] = [
            row.driver.budget_s / row.table.every_s for row in draft.on(bus.name).values()
        ]
        if sum(shares) > 1:
            yield Mistake(
                ("bus", index),
                f"when every read takes as long as it may, the reads of {bus.name!r} need"
                f" {sum(shares):.1f} s of each second and slots are missed: raise every_s",
            )
