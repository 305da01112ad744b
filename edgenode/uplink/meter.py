"""How many bytes a connection really costs: asked of the kernel, which counts what it sends again.

Counted are the bytes of TCP's payload (TLS and MQTT included) with what was retransmitted, and an
IP and TCP header for each segment, acknowledgements included. Not counted: the link layer below
IP, name resolution, and connections that never came about.
"""

from __future__ import annotations

import socket
import struct
import threading
from typing import Any

# struct tcp_info of linux/tcp.h; Linux 4.19 and later fill it up to tcpi_bytes_retrans
INFO_BYTES = 256
_OPTIONS = 5  # offset of tcpi_options
_RECEIVED = struct.Struct("=Q")  # tcpi_bytes_received
_SEGMENTS = struct.Struct("=II")  # tcpi_segs_out, tcpi_segs_in
_SENT = struct.Struct("=Q")  # tcpi_bytes_sent
_RECEIVED_AT, _SEGMENTS_AT, _SENT_AT = 128, 136, 200
TIMESTAMPS = 1  # TCPI_OPT_TIMESTAMPS
IPV4, IPV6, TCP, STAMP = 20, 40, 20, 12  # bytes of headers: RFC 791, 8200, 9293, 7323
GUESSED = IPV4 + TCP + STAMP  # of a packet, where the kernel does not tell
PUBACK = 4


class Tally:
    """Bytes of all connections since they were last taken; any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent = self._received = 0

    def add(self, sent: int, received: int) -> None:
        with self._lock:
            self._sent += sent
            self._received += received

    def take(self) -> tuple[int, int]:
        """Return (sent, received), and begin at 0 again."""
        with self._lock:
            taken = self._sent, self._received
            self._sent = self._received = 0
            return taken


class Meter:
    """Reads one connection's counters, and adds what came to a tally."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._last = (0, 0)
        self._guess = (0, 0)

    def handed(self, size: int) -> None:
        """Note a message of `size` bytes: all there is to count where the kernel does not tell."""
        sent, received = self._guess
        self._guess = sent + size + GUESSED, received + PUBACK + GUESSED

    def read(self, sock: Any) -> None:
        """Ask the kernel, and add what came since the last time."""
        sent, received = tcp_bytes(sock) or self._guess
        before, self._last = self._last, (max(sent, self._last[0]), max(received, self._last[1]))
        self._tally.add(self._last[0] - before[0], self._last[1] - before[1])


def tcp_bytes(sock: Any) -> tuple[int, int] | None:
    """Return (sent, received) of a TCP socket with headers; None where the kernel does not tell."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, INFO_BYTES)
        family = sock.family
    except (OSError, AttributeError):
        return None
    if len(info) < _SENT_AT + _SENT.size:
        return None
    stamp = STAMP if info[_OPTIONS] & TIMESTAMPS else 0
    header = (IPV6 if family == socket.AF_INET6 else IPV4) + TCP + stamp
    (received,) = _RECEIVED.unpack_from(info, _RECEIVED_AT)
    (sent,) = _SENT.unpack_from(info, _SENT_AT)
    segments_out, segments_in = _SEGMENTS.unpack_from(info, _SEGMENTS_AT)
    return sent + segments_out * header, received + segments_in * header
