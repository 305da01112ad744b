"""Telling instruments to misbehave: JSON lines such as `{"sensor": "air", "do": "nack"}`."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from edgenode.errors import NodeError
from edgenode.virtual.kinds import Action, Instrument

LINE_MAX: Final = 4096
TIMEOUT_S: Final = 5.0


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line."""

    sensor: str
    do: Action


def command(instruments: Mapping[str, Instrument], line: bytes, now_ns: int) -> bytes:
    """Carry out one line; return the line to answer, `{"ok": …, "error": …}`."""
    try:
        wanted = msgspec.json.decode(line, type=Command)
    except msgspec.DecodeError as exc:
        return _answer(str(exc))
    if wanted.sensor not in instruments:
        return _answer(f"no sensor {wanted.sensor!r}; there are {', '.join(instruments)}")
    instruments[wanted.sensor].act(wanted.do, now_ns)
    return _answer("")


def _answer(error: str) -> bytes:
    return json.dumps({"ok": not error, "error": error}).encode() + b"\n"


def send_command(path: Path, sensor: str, do: Action) -> None:
    """Command a running server through its control socket; raises NodeError when it refuses."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT_S)
        try:
            connection.connect(str(path))
            connection.send(json.dumps({"sensor": sensor, "do": do}).encode() + b"\n")
            answer = json.loads(connection.recv(LINE_MAX))
        except (OSError, ValueError) as exc:
            raise NodeError(f"{path}: no virtual instruments answer there: {exc}") from exc
    if not answer["ok"]:
        raise NodeError(f"{path}: {answer['error']}")
