"""A control socket that serves what a test gives it, and asking it in bytes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

Serve = Callable[..., Path]


def raw(path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(10)
        peer.connect(str(path))
        peer.sendall(request)
        return peer.makefile("rb").read()
