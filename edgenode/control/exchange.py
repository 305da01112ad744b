"""Lines over a socket, bounded in bytes and in time. Both ends use it."""

from __future__ import annotations

import socket
import time

MAX_REQUEST = 4096
MAX_ANSWER = 1 << 20
PIECE = 65_536


def line_of(
    peer: socket.socket, limit: int, deadline: float, end: bytes = b"\n", data: bytes = b""
) -> bytes:
    """Receive until `data` and what came ends with `end`; `deadline` is of `time.monotonic`.

    Raises ValueError beyond `limit` bytes, OSError when the peer is gone or late.
    """
    while not data.endswith(end):
        peer.settimeout(max(0.001, deadline - time.monotonic()))
        piece = peer.recv(PIECE)
        data += piece
        if not piece:
            raise ConnectionResetError("the peer left in the middle of a line")
        if len(data) > limit:
            raise ValueError(f"more than {limit} bytes in one line")
    return data
