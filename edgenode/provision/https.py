"""HTTPS for who must not wait for ever: directly or through a proxy, over after a given time."""

from __future__ import annotations

import socket
import ssl
import threading
from base64 import b64encode
from contextlib import suppress
from http.client import HTTPConnection
from typing import Final, Self
from urllib.parse import unquote, urlsplit

PORT: Final = 443
PROXY_PORT: Final = 8080
SILENCE_S: Final = 20.0  # longest wait for the next byte


class Connection(HTTPConnection):
    """A connection that is cut `whole_s` after it began, whoever is slow, and wherever.

    HTTPSConnection of http.client has nothing to cut meanwhile: its socket has no descriptor during
    the handshake, and is forgotten where the server says that it will hang up.
    """

    default_port = PORT

    def __init__(self, url: str, proxy: str, trust: ssl.SSLContext, whole_s: float) -> None:
        to, by = urlsplit(url), urlsplit(proxy)
        self._name = to.hostname or ""
        self._trust = trust
        self._wire: socket.socket | None = None
        self.over = False
        if proxy:
            super().__init__(by.hostname or "", by.port or PROXY_PORT, timeout=SILENCE_S)
            self.set_tunnel(self._name, to.port or PORT, _credentials(by.username, by.password))
        else:
            super().__init__(self._name, to.port or PORT, timeout=SILENCE_S)
        self._watchdog = threading.Timer(whole_s, self._cut)
        self._watchdog.daemon = True

    def __enter__(self) -> Self:
        self._watchdog.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._watchdog.cancel()
        self.close()
        if self._wire is not None:
            self._wire.close()

    def connect(self) -> None:
        """Connect, and verify who is there; raises OSError."""
        super().connect()
        self._wire = self.sock.dup()
        if self.over:
            raise TimeoutError("no connection in time")
        self.sock = self._trust.wrap_socket(self.sock, server_hostname=self._name)

    def _cut(self) -> None:
        self.over = True
        held = self._wire or self.sock
        if held is not None:
            with suppress(OSError):  # it has just been closed
                held.shutdown(socket.SHUT_RDWR)


def _credentials(user: str | None, password: str | None) -> dict[str, str]:
    """Return what a proxy is told that asks who is there (RFC 9110, §11.7.2)."""
    if user is None:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {b64encode(pair).decode()}"}
