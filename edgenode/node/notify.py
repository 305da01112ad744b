"""sd_notify(3): tell systemd that we are ready, that we make progress, and how we are."""

from __future__ import annotations

import os
import socket
from array import array
from collections.abc import Mapping, Sequence

STATUS_MOST = 500  # characters; one line for `systemctl status`


class Notifier:
    """Speaks to the socket that systemd names in NOTIFY_SOCKET; without one, to nobody."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._socket: socket.socket | None = None
        self._status = ""
        self.watchdog_ms = _watchdog_ms(environment)
        path = environment.get("NOTIFY_SOCKET", "")
        if path:
            self._address = "\0" + path[1:] if path.startswith("@") else path
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)  # a manager that does not listen must not hold us

    def ready(self) -> None:
        self.send("READY=1")

    def stopping(self) -> None:
        self.send("STOPPING=1")

    def watchdog(self) -> None:
        self.send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Say in one line how we are; only a change is sent."""
        line = " ".join(text.split())[:STATUS_MOST]
        if line != self._status:
            self._status = line
            self.send(f"STATUS={line}")

    def send(self, message: str, descriptors: Sequence[int] = ()) -> bool:
        """Send one datagram, with descriptors if any; return whether the manager can get it."""
        if self._socket is None:
            return False
        try:
            # not socket.send_fds: Python 3.11 forgets the address
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))]
            self._socket.sendmsg(
                [message.encode()], rights if descriptors else [], 0, self._address
            )
        except OSError:  # the manager is restarting or full: the next one will arrive
            return False
        return True


def _watchdog_ms(environment: Mapping[str, str]) -> int | None:
    """Return how often systemd wants to hear of progress: half of what it allows."""
    allowed = environment.get("WATCHDOG_USEC", "")
    mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(allowed) // 2000 if allowed.isdigit() and mine else None
