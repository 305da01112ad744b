"""An HTTP proxy that knows CONNECT alone (RFC 9110, §9.3.6), and wants a user and password."""

from __future__ import annotations

import select
import socket
import threading
from base64 import b64encode
from typing import Self

CREDENTIALS = "user:p@ss"


class ConnectProxy:
    """Listens on the loopback; `asked` has the heads of all requests."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.asked: list[str] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # closed
                return
            with client:
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.asked.append(head.decode())
        wanted = f"Proxy-Authorization: Basic {b64encode(CREDENTIALS.encode()).decode()}\r\n"
        if wanted not in self.asked[-1]:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        host, _, port = self.asked[-1].split()[1].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _relay(client, server)


def _relay(client: socket.socket, server: socket.socket) -> None:
    other = {client: server, server: client}
    while True:
        for ready in select.select(list(other), [], [], 5)[0]:
            data = ready.recv(65_536)
            if not data:
                return
            other[ready].sendall(data)
