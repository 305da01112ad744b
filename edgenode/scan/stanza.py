"""The stanzas of what was found, ready for the file, and how they get into it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from edgenode.config import Config, load
from edgenode.config.households import FINEST_S
from edgenode.driver import find
from edgenode.errors import ConfigError, NodeError
from edgenode.scan.found import Seen, Surveyed, Wire

EVERY_S: Final = 60.0


class Stanza(NamedTuple):
    """One [[sensor]], with the [[bus]] that it needs where the file has none for its wire."""

    sensor: str
    text: str


def stanzas(found: Sequence[Surveyed], config: Config | None, purpose: str) -> list[Stanza]:
    """Return a stanza for each part that is known and that the file does not have yet."""
    buses = {} if config is None else {_real(bus.path): bus.name for bus in config.buses}
    taken = set() if config is None else {sensor.name for sensor in config.sensors}
    have = set() if config is None else set(_places(config))
    made = []
    for one in found:
        for seen in one.seen:
            place = (_real(one.wire.path), seen.options.get("address"))
            if not seen.driver or (place in have and place[1] is not None):
                continue
            if one.wire.kind == "serial" and place[0] in {path for path, _ in have}:
                continue
            name = _free(seen, taken)
            taken.add(name)
            made.append(Stanza(name, _text(name, seen, one.wire, buses, purpose)))
    return made


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


def _text(name: str, seen: Seen, wire: Wire, buses: dict[str, str], purpose: str) -> str:
    driver = find(seen.driver)
    real = _real(wire.path)
    lines = []
    if real not in buses:
        buses[real] = _bus_name(wire, set(buses.values()))
        lines += ["[[bus]]", *_keys({"name": buses[real], "kind": wire.kind, "path": wire.path})]
        lines.append("")
    every_s = FINEST_S if driver.metered else max(EVERY_S, driver.fastest_s)
    keys = {"name": name, "driver": seen.driver, "bus": buses[real], **seen.options}
    lines += [f"# {seen.words}", "[[sensor]]", *_keys({**keys, "every_s": every_s})]
    if not driver.purpose:
        why = "" if purpose else "  # say why this may be measured; without it the file is refused"
        lines.append(f"purpose = {_value(purpose)}{why}")
    return "\n".join(lines) + "\n"


def _keys(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        shown = f"0x{value:02x}" if key == "address" and value > 9 else _value(value)
        yield f"{key} = {shown}"


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_keys(value)) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)  # a text, number or truth is the same in TOML


def _free(seen: Seen, taken: set[str]) -> str:
    """Return a name that no sensor has: the driver's, with its address where it has one."""
    address = seen.options.get("address")
    base = seen.driver if address is None else f"{seen.driver}-{address:02x}"
    names = [base, *(f"{base}-{n}" for n in range(2, 1000))]
    return next(name for name in names if name not in taken)


def _bus_name(wire: Wire, taken: set[str]) -> str:
    """Return a name for a [[bus]]: that of its device, or its kind where that says nothing."""
    device = Path(wire.path).name
    short = device if len(device) <= len("gpiochip10") and ":" not in wire.path else wire.kind
    base = "".join(ch for ch in short if ch.isalnum() or ch in "-._") or wire.kind
    names = [base, *(f"{base}-{n}" for n in range(2, 1000))]
    return next(name for name in names if name not in taken)


def _places(config: Config) -> Iterator[tuple[str, Any]]:
    for sensor in config.sensors:
        yield _real(sensor.bus.path), getattr(sensor.options, "address", None)


def _real(path: str) -> str:
    return os.path.realpath(path) if path.startswith("/") else path
