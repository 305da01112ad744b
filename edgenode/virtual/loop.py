"""Sockets and who is called when one of them has something to say; one thread."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Callable
from pathlib import Path

Handler = Callable[[socket.socket], None]


class Loop:
    """Waits for all sockets at once. `wake` may be called by any thread or signal handler."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._selector.register(self._wake, selectors.EVENT_READ)

    def listen(self, path: Path, kind: socket.SocketKind, greet: Handler) -> None:
        """Accept connections at `path`; `greet` gets what each says first. Raises OSError."""
        listener = socket.socket(socket.AF_UNIX, kind | socket.SOCK_CLOEXEC)
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        listener.listen(64)
        listener.setblocking(False)

        def accept(_: socket.socket) -> None:
            connection, _address = listener.accept()
            connection.setblocking(False)
            self.add(connection, greet)

        self.add(listener, accept)

    def add(self, connection: socket.socket, handler: Handler) -> None:
        """Call `handler` whenever something has arrived on the connection."""
        self._selector.register(connection, selectors.EVENT_READ, handler)

    def hand_over(self, connection: socket.socket, handler: Handler) -> None:
        """Call `handler` from now on instead of who was called before."""
        self._selector.modify(connection, selectors.EVENT_READ, handler)

    def packet(self, connection: socket.socket, size: int) -> bytes:
        """Return what arrived; an empty answer means that the other side is gone."""
        try:
            return connection.recv(size)
        except OSError:
            return b""

    def remove(self, connection: socket.socket) -> None:
        """Forget a socket without closing it."""
        self._selector.unregister(connection)

    def drop(self, connection: socket.socket) -> None:
        """Close a connection."""
        self.remove(connection)
        connection.close()

    def wait(self, seconds: float) -> None:
        """Call the handlers of everything that arrives, once; wait `seconds` at most."""
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                os.eventfd_read(self._wake)
            elif self._selector.get_map().get(key.fd) == key:  # nobody before has dropped it
                key.data(key.fileobj)

    def wake(self) -> None:
        """End a `wait`."""
        os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Close every connection."""
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()
        os.close(self._wake)
