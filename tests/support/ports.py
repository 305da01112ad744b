"""Free ports of the loopback, and waiting for conditions with a deadline."""

from __future__ import annotations

import errno
import itertools
import secrets
import socket
import time
from collections.abc import Callable
from typing import Final

# Below the ports that Linux gives to clients (ip_local_port_range): one of those can be taken by
# somebody's connection while the server is away, even by that of a client to itself.
FIRST: Final = 16_384
LAST: Final = 32_767
# Some time passes until a server listens on what it was given, so nobody else here gets the same.
# Other processes begin elsewhere.
_PORTS: Final = itertools.count(secrets.randbelow(LAST - FIRST + 1))


def free_port() -> int:
    """Return a TCP port of the loopback that nobody listens on, another one each time."""
    while True:
        port = FIRST + next(_PORTS) % (LAST - FIRST + 1)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError as exc:
                if exc.errno != errno.EADDRINUSE:
                    raise
                continue
        return port


def answers(port: int) -> bool:
    """Tell whether somebody listens on a port of the loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def until(condition: Callable[[], object], what: str, seconds: float = 15.0) -> None:
    """Wait until `condition` holds; fail naming `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.01)
