"""HTTP to a platform: one connection, deadlines, and patience with whoever is down."""

from __future__ import annotations

import http.client
import json
import random
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from edgenode.errors import CityError, ConfigError

TIMEOUT_S: Final = 20.0  # to connect, and between two bytes
MAX_ANSWER: Final = 4 << 20
FIRST_S, LONGEST_S = 1.0, 60.0  # waits between tries, before jitter
DATA_FAULTS: Final = frozenset({400, 409, 413, 422})  # the body is at fault: the same again is vain
FAILED: Final = 500  # a platform that fails at one body, or at all of them
SUSPECTED: Final = 5  # such answers in a row before the body is looked at
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

T = TypeVar("T")
Stopped = Callable[[float], bool]  # waits so many seconds; True when it is time to stop
Report = Callable[[str], None]


class Refusal(CityError):
    """The other side does not take this body, and will not the next time."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


class Failing(CityError):
    """The other side fails at all it is given; later it may not."""


class Halted(Exception):
    """It is time to stop, or there were enough tries; nothing was committed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is the JSON value, None where there is none."""

    status: int
    body: Any
    headers: Mapping[str, str]


def taken(
    items: list[T], ask: Callable[[list[T]], Answer], refuse: Callable[[T, str], None]
) -> Iterator[tuple[list[T], Answer]]:
    """Yield the parts of `items` that `ask` is answered for, each with its answer.

    Where a body is refused one of its items is at fault: it is halved until that one stands alone,
    and `refuse` is told why. An item that the platform fails at is at fault only where it takes
    others; raises Failing where it fails at all of them.
    """
    failed: list[tuple[T, Refusal]] = []
    some = False
    for part in _halved(items, ask, failed):
        some = True
        yield part
    for item, refusal in failed:
        if refusal.status == FAILED and not some:
            raise Failing(f"the platform fails at all it is given: {refusal}; look at its log")
        refuse(item, str(refusal))


def _halved(
    items: list[T], ask: Callable[[list[T]], Answer], failed: list[tuple[T, Refusal]]
) -> Iterator[tuple[list[T], Answer]]:
    try:
        answer = ask(items)
    except Refusal as refusal:
        if len(items) == 1:
            failed.append((items[0], refusal))
            return
        half = len(items) // 2
        for part in (items[:half], items[half:]):
            yield from _halved(part, ask, failed)
    else:
        yield items, answer


@dataclass(frozen=True, slots=True)
class Target:
    """Where and as whom; `token` is sent as Bearer."""

    scheme: str
    host: str
    port: int
    path: str  # without a slash at its end
    ca: Path | None = None
    token: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}{self.path}"


def target(
    url: str, ca: Path | None = None, token_file: Path | None = None, tenant: str = ""
) -> Target:
    """Read the URL of a platform; raises ConfigError for what cannot or must not be meant."""
    parts = urlsplit(url)
    problems = []
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        problems.append(f"--to: {url!r} is not http(s)://HOST[:PORT][/PATH]")
    if parts.username or parts.password:
        problems.append("--to: no user or password in a URL; use --token-file")
    if parts.query or parts.fragment:
        problems.append("--to: no query and no fragment")
    if parts.scheme == "http" and token_file and parts.hostname not in LOOPBACK:
        problems.append("--token-file: a token is not sent without TLS; use https")
    if problems:
        raise ConfigError(problems)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    headers = {"NGSILD-Tenant": tenant} if tenant else {}
    return Target(parts.scheme, host, port, parts.path.rstrip("/"), ca, _token(token_file), headers)


def _token(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError([f"--token-file: cannot read {path}: {exc}"]) from exc


class Client:
    """Asks one platform, again and again where that can help.

    `stopped` waits and tells when to stop; with `tries` it also stops after so many in a row.
    """

    def __init__(
        self, where: Target, stopped: Stopped, report: Report, tries: int | None = None
    ) -> None:
        self._where = where
        self._stopped = stopped
        self._report = report
        self._tries = tries
        self._tls = _context(where.ca) if where.scheme == "https" else None
        self._connection: http.client.HTTPConnection | None = None
        self._trouble = ""

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        media: str = "application/json",
        suspect: bool = False,
    ) -> Answer:
        """Return the answer to a request that succeeded.

        Raises Refusal where the body is at fault, and with `suspect` where the other side fails at
        it again and again. Whatever else goes wrong (no connection, 5xx, a lack of rights, a wrong
        path) is reported once and tried again, until Halted.
        """
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        count = failures = 0
        while True:
            wait_s = None
            kept = self._connection is not None and self._connection.sock is not None
            try:
                answer = self._once(method, path, data, media)
            except (OSError, http.client.HTTPException) as exc:
                self.close()
                if kept and isinstance(exc, ConnectionError):
                    continue  # the other side had ended it while it was idle
                trouble = f"{type(exc).__name__}: {exc}"
            else:
                if answer.status < 300:
                    self._well()
                    return answer
                if answer.status in DATA_FAULTS:
                    raise Refusal(answer.status, _reason(answer.body))
                failures = failures + 1 if answer.status == FAILED else 0
                if suspect and failures >= SUSPECTED:
                    raise Refusal(answer.status, _reason(answer.body))
                trouble = f"{method} {path}: {answer.status} {_reason(answer.body)}"
                wait_s = _told(answer.headers)
            self._tell(trouble)
            count += 1
            self._wait(count, wait_s)

    def _wait(self, count: int, wait_s: float | None) -> None:
        """Wait with full jitter, so that many exporters do not come back as a herd."""
        if self._tries is not None and count >= self._tries:
            raise Halted(self._trouble)
        most = min(LONGEST_S, FIRST_S * 2 ** min(count - 1, 10))
        if self._stopped(wait_s if wait_s is not None else random.uniform(0, most)):  # noqa: S311 - no secret
            raise Halted(self._trouble)

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._report(f"{self._where}: {trouble}; trying again")
            self._trouble = trouble

    def _well(self) -> None:
        if self._trouble:
            self._report(f"{self._where}: takes readings again")
            self._trouble = ""

    def _once(self, method: str, path: str, data: bytes | None, media: str) -> Answer:
        headers = {"Accept": "application/json", **self._where.headers}
        if data is not None:
            headers["Content-Type"] = media
        if self._where.token:
            headers["Authorization"] = f"Bearer {self._where.token}"
        connection = self._connected()
        connection.request(method, f"{self._where.path}{path}", body=data, headers=headers)
        response = connection.getresponse()
        text = response.read(MAX_ANSWER + 1)
        if len(text) > MAX_ANSWER:
            self.close()  # the rest of it would be taken for the next answer
            raise http.client.HTTPException(f"an answer of more than {MAX_ANSWER} bytes")
        return Answer(response.status, _json(text), dict(response.headers.items()))

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            host, port = self._where.host, self._where.port
            self._connection = (
                http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
                if self._tls is None
                else http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=self._tls)
            )
        return self._connection


def _context(ca: Path | None) -> ssl.SSLContext:
    """Return what TLS needs, as for brokers; raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(cafile=ca)
    except OSError as exc:  # ssl.SSLError is one
        raise ConfigError([f"--ca: {ca} cannot be used: {exc}"]) from exc
    return context


def _json(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text[:500].decode(errors="replace")


def _reason(body: Any) -> str:
    """Return what an error says of itself, in one line (RFC 7807, or whatever it is)."""
    if isinstance(body, dict):
        words = [str(body[key]) for key in ("title", "detail", "message") if body.get(key)]
        if words:
            return " ".join(": ".join(words).split())[:500]
    return " ".join(str(body or "").split())[:500]


def _told(headers: Mapping[str, str]) -> float | None:
    """Return how long the other side asks to wait, within our own limit."""
    text = next((value for key, value in headers.items() if key.lower() == "retry-after"), "")
    return min(float(text), LONGEST_S) if text.isdecimal() else None
