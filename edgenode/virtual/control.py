"""Telling instruments to misbehave: JSON lines such as `{"sensor": "air", "do": "nack"}`."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from edgenode.errors import NodeError
from edgenode.virtual.kinds import Action

LINE_MAX: Final = 4096
TIMEOUT_S: Final = 5.0


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line: what one instrument is to do, or everything that stands on one bus."""

    do: Action
    sensor: str = ""
    bus: str = ""


def command(buses: Mapping[str, str], line: bytes, act: Callable[[str, Action], None]) -> bytes:
    """Carry out one line by `act`; return the line to answer, `{"ok": …, "error": …}`.

    `buses` gives the bus of each sensor.
    """
    try:
        wanted = msgspec.json.decode(line, type=Command)
    except msgspec.DecodeError as exc:
        return _answer(str(exc))
    if bool(wanted.sensor) == bool(wanted.bus):
        return _answer('a command names either a "sensor" or a "bus"')
    if wanted.sensor and wanted.sensor not in buses:
        return _answer(f"no sensor {wanted.sensor!r}; there are {', '.join(buses)}")
    if wanted.bus and wanted.bus not in buses.values():
        known = ", ".join(sorted(set(buses.values())))
        return _answer(f"nothing stands on a bus {wanted.bus!r}; there are {known}")
    for sensor, bus in buses.items():
        if wanted.sensor == sensor or wanted.bus == bus:
            act(sensor, wanted.do)
    return _answer("")


def _answer(error: str) -> bytes:
    return json.dumps({"ok": not error, "error": error}).encode() + b"\n"


def send_command(path: Path, sensor: str, do: Action) -> None:
    """Command one instrument of a running server; raises NodeError when it refuses."""
    _send(path, {"sensor": sensor, "do": do})


def send_bus_command(path: Path, bus: str, do: Action) -> None:
    """Command everything on one bus of a running server; raises NodeError when it refuses."""
    _send(path, {"bus": bus, "do": do})


def _send(path: Path, line: dict[str, str]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT_S)
        try:
            connection.connect(str(path))
            connection.send(json.dumps(line).encode() + b"\n")
            answer = json.loads(connection.recv(LINE_MAX))
        except (OSError, ValueError) as exc:
            raise NodeError(f"{path}: no virtual instruments answer there: {exc}") from exc
    if not answer["ok"]:
        raise NodeError(f"{path}: {answer['error']}")
