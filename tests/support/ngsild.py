"""A strict NGSI-LD broker on the loopback: batch upsert and the temporal interface."""

from __future__ import annotations

import json
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support import ngsild_rules as rules
from tests.support.ngsild_rules import BAD, INVALID, Fault

UPSERT = "/ngsi-ld/v1/entityOperations/upsert"
TEMPORAL = "/ngsi-ld/v1/temporal/entities"
MAX_BODY = 1 << 20
MEDIA = ("application/json", "application/ld+json")


class Broker:
    """What the broker holds, what it refused, and how it shall misbehave next."""

    def __init__(self) -> None:
        self.entities: dict[str, dict[str, Any]] = {}
        self.evolution: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self.refusals: list[tuple[str, str]] = []  # clause, detail
        self.requests: list[tuple[str, int]] = []  # path, entities in it
        self.ills: deque[int] = deque()  # statuses to answer with, 0 to hang up
        self.after: deque[int] = deque()  # the same, once the request was carried out
        self.token = ""  # that every request must carry
        self.ends = 0  # after so many answers end the connection, without a word
        self.whole = False  # refuse the whole batch for one bad entity, as some brokers do
        self.poison: set[str] = set()  # ids that it has reasons of its own not to take
        self.chokes: set[str] = set()  # ids that it fails at
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def value(self, entity: str, attribute: str) -> Any:
        return self.entities[entity][attribute]["value"]

    def upsert(self, batch: Any, *, context: bool, update: bool) -> tuple[int, Any]:
        if not isinstance(batch, list):
            raise Fault("5.6.8.3", "a batch is an array")
        if not batch or None in batch:
            raise Fault("5.6.8.4", "the array is empty or has a null in it")
        faults: list[dict[str, Any]] = []
        good = [one for one in batch if self._good(one, faults, context=context)]
        if any(one["id"] in self.chokes for one in good):
            return 500, {"title": "Internal error"}
        if faults and (self.whole or not all(fault["entityId"] for fault in faults)):
            raise Fault(faults[0]["clause"], faults[0]["error"]["detail"])
        rules.in_order(good)
        self.requests.append((UPSERT, len(batch)))
        created = [one["id"] for one in good if one["id"] not in self.entities]
        for one in good:
            before = self.entities.get(one["id"], {}) if update else {}
            self.entities[one["id"]] = before | one
        if faults:
            return 207, {"success": [one["id"] for one in good], "errors": faults}
        return (201, created) if created else (204, None)

    def _good(self, one: Any, faults: list[dict[str, Any]], *, context: bool) -> bool:
        try:
            rules.placed_context(one, embedded=context)
            rules.entity(one)
            rules.wholesome(one["id"], self.poison)
        except Fault as fault:
            self.refusals.append((fault.clause, str(fault)))
            name = one.get("id") if isinstance(one, dict) and rules.is_uri(one.get("id")) else ""
            told = {"type": fault.kind, "title": "Bad request data", "detail": str(fault)}
            faults.append({"entityId": name, "error": told, "clause": fault.clause})
            return False
        return True

    def evolve(self, document: Any, *, context: bool) -> tuple[int, Any]:
        if not isinstance(document, dict):
            raise Fault("5.6.11.3", "one document, no array")
        rules.placed_context(document, embedded=context)
        rules.entity(document, temporal=True)
        self.requests.append((TEMPORAL, 1))
        known = document["id"] in self.evolution
        held = self.evolution.setdefault(document["id"], {})
        for name, values in document.items():
            if name not in rules.STRUCTURAL:
                held.setdefault(name, []).extend(values)
        return (204, None) if known else (201, None)


class Handler(BaseHTTPRequestHandler):
    """HTTP as clause 6.3 has it."""

    protocol_version = "HTTP/1.1"
    broker: Broker

    def do_POST(self) -> None:
        try:
            if self.broker.ills or not self._let_in():
                # Where it were left unread, the connection would be reset, and the answer with it.
                self.rfile.read(int(self.headers["Content-Length"]))
                self._ill(self.broker.ills.popleft() if self.broker.ills else 401)
                return
            status, body = self._post()
            if self.broker.after:
                self._ill(self.broker.after.popleft())
                return
            self._answer(status, body)
            if self.broker.ends:
                self.broker.ends -= 1
                self.close_connection = True
        except Fault as fault:
            self.broker.refusals.append((fault.clause, str(fault)))
            self.close_connection = True  # the body may be unread
            told = {"type": fault.kind, "title": "Refused", "detail": str(fault)}
            self._answer(fault.status, None if fault.status in {411, 415} else told)

    def do_GET(self) -> None:
        self.broker.refusals.append(("6.3.2", "method not allowed"))
        self._answer(405, None, {"Allow": "POST"})

    do_PUT = do_GET  # noqa: N815 - named by http.server

    def _let_in(self) -> bool:
        token = self.broker.token
        return not token or self.headers.get("Authorization") == f"Bearer {token}"

    def _ill(self, status: int) -> None:
        self.close_connection = True
        if status:
            self._answer(status, {"title": "ill"})

    def _post(self) -> tuple[int, Any]:
        where = urlsplit(self.path)
        if where.path not in {UPSERT, TEMPORAL}:
            raise Fault("6.2", f"no resource {where.path}", 404)
        self._preconditions()
        options = parse_qs(where.query, keep_blank_values=True)
        mode = options.pop("options", ["replace"])[-1]
        if mode not in {"replace", "update"} or options:
            raise Fault("6.15.3.1", f"parameters {where.query!r}", kind=INVALID)
        data = self.rfile.read(int(self.headers["Content-Length"]))
        context = self.headers.get_content_type() == "application/ld+json"
        if context and "Link" in self.headers:
            raise Fault("6.3.5", "a Link header beside application/ld+json")
        document = _parsed(data)
        if where.path == UPSERT:
            return self.broker.upsert(document, context=context, update=mode == "update")
        return self.broker.evolve(document, context=context)

    def _preconditions(self) -> None:
        length = self.headers.get("Content-Length")
        if length is None or not length.isdecimal():
            raise Fault("6.3.4", "no Content-Length", 411)
        if int(length) > MAX_BODY:
            raise Fault("6.3.2", f"a body of {length} bytes", 413)
        if self.headers.get_content_type() not in MEDIA or "Content-Type" not in self.headers:
            raise Fault("6.3.4", f"Content-Type {self.headers.get('Content-Type')}", 415)
        accept = self.headers.get("Accept", "application/json")
        if not any(one in accept for one in (*MEDIA, "*/*", "application/*")):
            raise Fault("6.3.2", f"Accept {accept}", 406)
        if self.headers.get("NGSILD-Tenant", "city") != "city":
            raise Fault("5.5.10", "no such tenant", 404)

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        if data:
            self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _parsed(data: bytes) -> Any:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Fault("4.6.1", "the body is not UTF-8") from None
    try:
        return json.loads(text, parse_constant=_constant)
    except ValueError as exc:
        raise Fault("5.5.4", f"no JSON: {exc}", kind=INVALID) from None


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Serve on a free port of the loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def strict_broker(tls: ssl.SSLContext | None = None) -> Iterator[Broker]:
    """Serve an empty broker."""
    broker = Broker()
    with serving(type("Bound", (Handler,), {"broker": broker}), tls) as port:
        broker.port = port
        yield broker


__all__ = ["BAD", "INVALID", "TEMPORAL", "UPSERT", "Broker", "serving", "strict_broker"]
