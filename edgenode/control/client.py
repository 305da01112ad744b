"""Asking the daemon."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

from edgenode.control.exchange import MAX_ANSWER, line_of
from edgenode.control.requests import REFUSALS, Refused
from edgenode.errors import NodeError


class NoDaemon(NodeError):
    """Nothing answers on the socket."""


def ask(path: Path, verb: str, timeout_s: float = 3.0, **arguments: object) -> dict[str, Any]:
    """Ask the daemon; raises NoDaemon when none answers in time, Refused when it will not."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(timeout_s)
            peer.connect(str(path))
            peer.sendall(json.dumps({"verb": verb, **arguments}).encode() + b"\n")
            answer = json.loads(line_of(peer, MAX_ANSWER, time.monotonic() + timeout_s))
    except PermissionError as exc:
        advice = "ask with sudo, or join the group of the socket"
        raise Refused(f"{path}: not yours to ask; {advice}") from exc
    except (OSError, ValueError) as exc:
        raise NoDaemon(f"{path}: no daemon answers: {exc}") from exc
    if not isinstance(answer, dict):
        raise NoDaemon(f"{path}: no edgenode answers here: not a JSON object")
    if "error" in answer:
        raise REFUSALS.get(str(answer.get("kind")), Refused)(str(answer["error"]))
    return answer
