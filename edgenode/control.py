"""The Unix socket that the command line talks to: one JSON line asked, one JSON line answered.

Requests are `{"verb": "status"}`; the answer is the verb's object, or `{"error": "..."}`.
Clients are served one after another, each bounded in bytes and in time, on a thread of its own:
nothing that a client does can delay sampling.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edgenode.errors import NodeError

MAX_REQUEST = 4096
MAX_ANSWER = 1 << 20
CLIENT_S = 1.0  # a whole exchange; a client slower than this is dropped
BACKLOG = 64  # clients that may wait; beyond them connecting fails
MODE = 0o660  # the owner and the group of the daemon, nobody else

Answer = Callable[[], Mapping[str, Any]]


class NoDaemon(NodeError):
    """Nothing answers on the socket."""


class Control(threading.Thread):
    """Serves `verbs` on the socket `path` until `close`."""

    def __init__(self, path: Path, verbs: Mapping[str, Answer]) -> None:
        """Bind the socket; raises NodeError when it cannot be had."""
        super().__init__(name="control", daemon=True)
        self._path = path
        self._verbs = verbs
        self._listener = _bind(path)
        self._closed = threading.Event()

    def run(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed, or out of descriptors: those are for the rooms to get back
                self._closed.wait(0.1)
                continue
            with client:
                self._serve(client)

    def close(self) -> None:
        """Stop serving and remove the socket; does not wait for the client being served."""
        self._closed.set()
        self._path.unlink(missing_ok=True)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        try:
            line = _line(client, MAX_REQUEST, time.monotonic() + CLIENT_S)
            client.sendall(json.dumps(self._answer(line)).encode() + b"\n")
        except (OSError, ValueError):  # slow, oversized or gone: its loss alone
            return

    def _answer(self, line: bytes) -> Mapping[str, Any]:
        try:
            request = json.loads(line)
        except ValueError:
            return {"error": 'not JSON; ask {"verb": "status"}'}
        verb = request.get("verb") if isinstance(request, dict) else None
        answer = self._verbs.get(verb) if isinstance(verb, str) else None
        if answer is None:
            return {"error": f"no such verb; known: {', '.join(self._verbs)}"}
        return answer()


def _bind(path: Path) -> socket.socket:
    if _answers(path):
        raise NodeError(f"{path}: another edgenode answers here; stop it first")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)  # left behind by a daemon that was killed
        os.fchmod(listener.fileno(), MODE)  # so that bind never makes it wider than this
        listener.bind(str(path))
        path.chmod(MODE)  # bind took the umask off
        listener.listen(BACKLOG)
    except OSError as exc:
        listener.close()
        advice = "create its directory, or set node.socket"
        raise NodeError(f"{path}: no control socket here: {exc}; {advice}") from exc
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(CLIENT_S)
        return probe.connect_ex(str(path)) == 0


def _line(peer: socket.socket, limit: int, deadline: float) -> bytes:
    """Receive up to a newline; raises ValueError beyond `limit`, OSError when gone or late."""
    data = b""
    while not data.endswith(b"\n"):
        peer.settimeout(max(0.001, deadline - time.monotonic()))
        piece = peer.recv(65_536)
        data += piece
        if not piece:
            raise ConnectionResetError("the peer left in the middle of a line")
        if len(data) > limit:
            raise ValueError(f"more than {limit} bytes in one line")
    return data


def ask(path: Path, verb: str, timeout_s: float = 3.0) -> dict[str, Any]:
    """Ask the daemon; raises NoDaemon when none answers within `timeout_s`."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(timeout_s)
            peer.connect(str(path))
            peer.sendall(json.dumps({"verb": verb}).encode() + b"\n")
            answer = json.loads(_line(peer, MAX_ANSWER, time.monotonic() + timeout_s))
    except (OSError, ValueError) as exc:
        raise NoDaemon(f"{path}: no daemon answers: {exc}") from exc
    if "error" in answer:
        raise NodeError(f"{path}: {answer['error']}")
    return dict(answer)
