"""A TCP proxy that can misbehave: reset, swallow, delay, or refuse a version of MQTT."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Self

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close sends RST


class Instead(NamedTuple):
    """What the proxy does instead of passing a piece on: answer, and perhaps close."""

    answer: bytes = b""
    close: bool = True


class Proxy:
    """Forwards 127.0.0.1:`port` to `target`, in a thread of its own.

    `blackhole` swallows what either side sends while the connection stays open; `meddle` sees
    each piece of the client's bytes and returns None to let it pass.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.blackhole = False
        self.delay_s = 0.0
        self.refuse = False
        self.meddle: Callable[[bytes], Instead | None] | None = None
        self.accepted = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._clients: set[socket.socket] = set()
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self.cut()
        self._listener.close()
        self._selector.close()

    def cut(self, *, reset: bool = False) -> None:
        """Close all connections, with RST when `reset`."""
        with self._lock:
            while self._pairs:
                self._close(next(iter(self._pairs)), reset=reset)

    def _run(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.05):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                with self._lock:
                    if sock is self._listener:
                        self._accept()
                    elif sock in self._pairs:
                        self._pass_on(sock)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        self.accepted += 1
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=2)
        except OSError:
            client.close()
            return
        if self.refuse:
            client.close()
            server.close()
            return
        self._clients.add(client)
        for sock, peer in ((client, server), (server, client)):
            self._pairs[sock] = peer
            self._selector.register(sock, selectors.EVENT_READ)

    def _pass_on(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(65_536)
        except OSError:
            data = b""
        if not data:
            if not self.blackhole:
                self._close(sock)
            else:
                self._selector.unregister(sock)
            return
        if self.blackhole:
            return
        instead = self.meddle(data) if self.meddle and sock in self._clients else None
        if instead is not None:
            sock.sendall(instead.answer)
            if instead.close:
                self._close(sock)
            return
        if self.delay_s:
            time.sleep(self.delay_s)
        try:
            self._pairs[sock].sendall(data)
        except OSError:
            self._close(sock)

    def _close(self, sock: socket.socket, *, reset: bool = False) -> None:
        peer = self._pairs.pop(sock, None)
        ends = [sock] if peer is None else [sock, peer]
        for end in ends:
            self._pairs.pop(end, None)
            self._clients.discard(end)
            if end in self._selector.get_map():
                self._selector.unregister(end)
            if reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.close()
