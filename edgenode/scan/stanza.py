"""The stanzas of what was found, ready for the file, and how they get into it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec.structs import fields

from edgenode.config import Config, Sensor, load
from edgenode.config.households import FINEST_S
from edgenode.driver import loadable
from edgenode.errors import ConfigError, NodeError
from edgenode.scan.found import Seen, Surveyed, Wire

EVERY_S: Final = 60.0
FINER: Final = '  # finer only with serves = "building" or "public": else it is a household\'s'


class Stanza(NamedTuple):
    """One [[sensor]], with the [[bus]] that it needs where the file has none for its wire."""

    sensor: str
    text: str


def stanzas(found: Sequence[Surveyed], config: Config | None, purpose: str) -> list[Stanza]:
    """Return a stanza for each part that is known and that the file does not have yet."""
    buses = {} if config is None else {_real(bus.path): bus.name for bus in config.buses}
    taken = set() if config is None else {sensor.name for sensor in config.sensors}
    had = () if config is None else config.sensors
    drivers = loadable()
    made = []
    for one in found:
        real = _real(one.wire.path)
        beside = [sensor for sensor in had if _real(sensor.bus.path) == real]
        for seen in one.seen:
            if not seen.driver or any(_is_there(seen, drivers, sensor) for sensor in beside):
                continue
            name = _free(seen, one.wire, taken)
            taken.add(name)
            driver = drivers[seen.driver]
            whole = seen._replace(options={**seen.options, **_of_this_node(driver, config)})
            made.append(Stanza(name, _text(name, whole, driver, one.wire, buses, purpose)))
    return made


def _of_this_node(driver: Any, config: Config | None) -> dict[str, str]:
    """Return where the state of the node lies, for a driver that looks at its disk."""
    usual = {field.name: field.default for field in fields(driver.options)}
    state = "" if config is None else str(config.node.state)
    return {"state": state} if state and usual.get("state", state) != state else {}


def _is_there(seen: Seen, drivers: Mapping[str, Any], sensor: Sensor) -> bool:
    """Whether a sensor of this wire is, or keeps the place of, what was seen."""
    if sensor.bus.kind == "sysfs":
        return sensor.driver is drivers[seen.driver] and all(
            getattr(sensor.options, key, None) == value
            for key, value in seen.options.items()
            if not isinstance(value, list | tuple)  # which values of a device are read
        )
    address = getattr(sensor.options, "address", None)
    return address is None or "address" not in seen.options or address == seen.options["address"]


def added(path: Path, made: Sequence[Stanza]) -> None:
    """Write the stanzas behind what the file says; the file stays as it is where that is wrong.

    Raises ConfigError with what is wrong, NodeError where it cannot be written.
    """
    load(path)
    beside = path.with_name(f".{path.name}.new")
    try:
        text = path.read_text(encoding="utf-8")
        about = path.stat()
        whole = text.rstrip("\n") + "\n\n" + "\n".join(stanza.text for stanza in made)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), about.st_mode & 0o777)
            os.fchown(file.fileno(), about.st_uid, about.st_gid)
            file.write(whole)
            file.flush()
            os.fsync(file.fileno())
        load(beside)
        beside.replace(path)
    except ConfigError as exc:
        problems = [problem.replace(str(beside), str(path)) for problem in exc.problems]
        raise ConfigError([*problems, f"{path} was left as it is"]) from exc
    except OSError as exc:
        raise NodeError(f"{path}: cannot be written: {exc.strerror}; was left as it is") from exc
    finally:
        beside.unlink(missing_ok=True)


def _text(
    name: str, seen: Seen, driver: Any, wire: Wire, buses: dict[str, str], purpose: str
) -> str:
    real = _real(wire.path)
    lines = []
    speed = _speed(seen, driver)
    if real not in buses:
        buses[real] = _bus_name(wire, set(buses.values()))
        bus = {"name": buses[real], "kind": wire.kind, "path": wire.path, **speed}
        lines += ["[[bus]]", *_keys(bus), ""]
    elif speed:
        lines.append(f"# its [[bus]] needs {', '.join(_keys(speed))}")
    every_s = FINEST_S if driver.metered else max(EVERY_S, driver.fastest_s)
    keys = {"name": name, "driver": seen.driver, "bus": buses[real]}
    lines += [f"# {seen.words}", "[[sensor]]", *_keys(keys)]
    lines += _keys(seen.options, in_hex=wire.kind == "i2c")
    lines.append(f"every_s = {_value(every_s)}{FINER if driver.metered else ''}")
    if not driver.purpose:
        why = "" if purpose else "  # say why this may be measured; without it the file is refused"
        lines.append(f"purpose = {_value(purpose)}{why}")
    return "\n".join(lines) + "\n"


def _speed(seen: Seen, driver: Any) -> dict[str, Any]:
    """Return what the [[bus]] has to say of a part that is not set as its driver expects."""
    if seen.line is None or seen.line == driver.line:
        return {}
    of, usual = seen.line._asdict(), driver.line._asdict()
    return {key: of[key] for key in ("baud", "parity", "stop_bits") if of[key] != usual[key]}


def _keys(values: Mapping[str, Any], *, in_hex: bool = False) -> Iterator[str]:
    for key, value in values.items():
        shown = f"0x{value:02x}" if key == "address" and in_hex else _value(value)
        yield f"{key} = {shown}"


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_keys(value)) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)  # a text, number or truth is the same in TOML


def _free(seen: Seen, wire: Wire, taken: set[str]) -> str:
    """Return a name that no sensor has: the driver's, with its address where it has one."""
    address = seen.options.get("address")
    shown = f"{address:02x}" if wire.kind == "i2c" and address is not None else address
    base = seen.driver if address is None else f"{seen.driver}-{shown}"
    names = [base, *(f"{base}-{n}" for n in range(2, 1000))]
    return next(name for name in names if name not in taken)


def _bus_name(wire: Wire, taken: set[str]) -> str:
    """Return a name for a [[bus]]: that of its device, or its kind where that says nothing."""
    device = Path(wire.path).name
    short = device if len(device) <= len("gpiochip10") and ":" not in wire.path else wire.kind
    base = "".join(ch for ch in short if ch.isalnum() or ch in "-._") or wire.kind
    names = [base, *(f"{base}-{n}" for n in range(2, 1000))]
    return next(name for name in names if name not in taken)


def _real(path: str) -> str:
    return os.path.realpath(path) if path.startswith("/") else path
