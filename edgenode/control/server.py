"""Serving the socket: one client after another, each bounded, on a thread of its own.

Nothing that a client does can delay sampling. What may take seconds is answered on threads of
their own, two at a time, so that `status` never waits for a sensor.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgenode.control import scrape
from edgenode.control.exchange import MAX_ANSWER, MAX_REQUEST, line_of
from edgenode.control.requests import Busy, Denied, Refused, Verb, parsed
from edgenode.errors import NodeError

LOG = logging.getLogger(__name__)

CLIENT_S = 1.0  # to ask, and to take the answer; a client slower than this is dropped
SLOW_S = 10.0  # for the answer to a slow verb: more than the budget of any sensor
SLOW_MOST = 2  # of them at a time
BACKLOG = 64  # clients that may wait; beyond them connecting fails
MODE = 0o660  # the owner and the group of the daemon, nobody else
ROOT = 0
OVERFLOW = 65_534  # whom a user namespace does not know (user_namespaces(7)); trusted by nobody
UCRED = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid


class Control(threading.Thread):
    """Serves `verbs` on the socket `path` until `close`."""

    def __init__(self, path: Path, verbs: Mapping[str, Verb]) -> None:
        """Bind the socket; raises NodeError when it cannot be had."""
        super().__init__(name="control", daemon=True)
        self._path = path
        self._verbs = verbs
        self._listener = _bind(path)
        self._closed = threading.Event()
        self._slots = threading.Semaphore(SLOW_MOST)

    def run(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed, or out of descriptors: those are for the rooms to get back
                self._closed.wait(0.1)
                continue
            self._serve(client)

    def close(self) -> None:
        """Stop serving and remove the socket; does not wait for clients being served."""
        self._closed.set()
        self._path.unlink(missing_ok=True)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        """Answer one client, or hand it over where that may take long."""
        deadline = time.monotonic() + CLIENT_S
        try:
            line = line_of(client, MAX_REQUEST, deadline)
            if scrape.is_http(line):
                _send(client, self._scraped(client, line, deadline))
                return
            verb, arguments = parsed(line, self._verbs)
            if verb.request.changes and not may_change(peer_uid(client), os.geteuid()):
                raise Denied("this changes the node; ask as root (sudo edgenode …)")
            if verb.request.slow:
                self._hand_over(client, verb, arguments)
            else:
                _send(client, packed(answered(verb, arguments)))
        except Refused as exc:
            _send(client, packed(_error(exc)))
        except (OSError, ValueError):  # slow, oversized or gone: its loss alone
            client.close()

    def _scraped(self, client: socket.socket, line: bytes, deadline: float) -> bytes:
        line = line_of(client, MAX_REQUEST, deadline, scrape.END, line)
        metrics = self._verbs.get("metrics")
        if metrics is None or not scrape.wants_metrics(line):
            return scrape.response(None)
        return scrape.response(answered(metrics, {}).get("text"))

    def _hand_over(self, client: socket.socket, verb: Verb, arguments: dict[str, Any]) -> None:
        if not self._slots.acquire(blocking=False):
            raise Busy(f"{SLOW_MOST} slow requests are being served; try again in a few seconds")
        waiter = threading.Thread(
            target=self._wait, args=(client, verb, arguments), name="control-wait", daemon=True
        )
        try:
            waiter.start()
        except RuntimeError:  # no thread is to be had
            self._slots.release()
            raise Busy("the daemon has no thread to spare; try again in a few seconds") from None

    def _wait(self, client: socket.socket, verb: Verb, arguments: dict[str, Any]) -> None:
        """Answer a slow verb in time; the place is free again once the work itself has ended."""
        answers: list[Mapping[str, Any]] = []

        def work() -> None:
            try:
                answers.append(answered(verb, arguments))
            finally:
                self._slots.release()

        worker = threading.Thread(target=work, name="control-work", daemon=True)
        try:
            worker.start()
        except RuntimeError:
            self._slots.release()
            client.close()
            return
        worker.join(SLOW_S)
        late = Refused(f"no answer within {SLOW_S:.0f} s; the rest of the node works on")
        _send(client, packed(answers[0] if answers else _error(late)))


def answered(verb: Verb, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer, or the error in its place; a defect costs this answer alone."""
    try:
        return verb.answer(arguments)
    except NodeError as exc:
        return _error(exc)
    except Exception as exc:
        LOG.exception("an answer on the control socket failed")
        defect = f"a defect of edgenode: {type(exc).__name__}; `journalctl -u edgenode` has it"
        return _error(Refused(defect))


def packed(answer: Mapping[str, Any]) -> bytes:
    """Return the line that travels."""
    try:
        line = json.dumps(answer).encode() + b"\n"
    except (TypeError, ValueError):
        LOG.exception("an answer on the control socket is not JSON")
        return packed(_error(Refused("a defect of edgenode; `journalctl -u edgenode` has it")))
    if len(line) > MAX_ANSWER:
        return packed(_error(Refused(f"the answer has more than {MAX_ANSWER >> 20} MiB")))
    return line


def _error(exc: NodeError) -> Mapping[str, Any]:
    return {"error": str(exc), "kind": getattr(exc, "kind", Refused.kind)}


def _send(client: socket.socket, data: bytes) -> None:
    with client:
        try:
            client.settimeout(CLIENT_S)
            client.sendall(data)
        except OSError:  # slow or gone: its loss alone
            return


def peer_uid(client: socket.socket) -> int:
    """Return the user at the other end, as the kernel saw it connect."""
    ucred = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)
    return int(UCRED.unpack(ucred)[1])


def may_change(uid: int, own: int) -> bool:
    """Return whether user `uid` may change a node that runs as user `own`."""
    return uid == ROOT or (uid == own and uid != OVERFLOW)


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
