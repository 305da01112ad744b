"""A network namespace at the end of a cable of its own, which can be cut without a sound."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path
from typing import Self

CLONE_NEWNET = 0x40000000  # linux/sched.h
OUTSIDE, INSIDE = "198.18.77.1", "198.18.77.2"  # RFC 2544: no network of the world


class Namespace:
    """Needs root. Outside, `OUTSIDE` is this machine; a thread that `enter`s is at `INSIDE`."""

    def __init__(self) -> None:
        self._name = f"edgenode-{os.getpid()}"
        self._near, self._far = f"en{os.getpid() % 100_000}a", f"en{os.getpid() % 100_000}b"

    def __enter__(self) -> Self:
        _ip("netns", "add", self._name)
        _ip("link", "add", self._near, "type", "veth", "peer", "name", self._far)
        _ip("link", "set", self._far, "netns", self._name)
        _ip("addr", "add", f"{OUTSIDE}/30", "dev", self._near)
        _ip("link", "set", self._near, "up")
        _ip("-n", self._name, "addr", "add", f"{INSIDE}/30", "dev", self._far)
        _ip("-n", self._name, "link", "set", self._far, "up")
        return self

    def __exit__(self, *exc: object) -> None:
        _ip("netns", "del", self._name)  # takes the cable with it

    def enter(self) -> None:
        """Move the calling thread, and those it starts, to the far end."""
        libc = ctypes.CDLL(None, use_errno=True)
        with Path(f"/run/netns/{self._name}").open("rb") as file:
            if libc.setns(file.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")

    def cut(self) -> None:
        """Lose the near end: no packet passes, and no connection learns of it."""
        _ip("link", "set", self._near, "down")

    def mend(self) -> None:
        """Bring the near end back."""
        _ip("link", "set", self._near, "up")


def _ip(*args: str) -> None:
    done = subprocess.run(["ip", *args], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(args)}: {done.stderr} (apt install iproute2)"
