"""What a connection costs, as the kernel counts it."""

from __future__ import annotations

import socket
import struct
from types import SimpleNamespace

import pytest

from edgenode.uplink.meter import Meter, Tally, tcp_bytes


def info(sent: int, received: int, out: int, into: int, *, stamps: bool = True) -> bytes:
    """Build a struct tcp_info as Linux fills it."""
    data = bytearray(232)
    data[5] = 1 if stamps else 0
    struct.pack_into("=QII", data, 128, received, out, into)
    struct.pack_into("=Q", data, 200, sent)
    return bytes(data)


def sock(data: bytes, family: int = socket.AF_INET) -> SimpleNamespace:
    return SimpleNamespace(getsockopt=lambda *_: data, family=family)


@pytest.mark.parametrize(
    ("family", "stamps", "header"),
    [
        (socket.AF_INET, True, 52),
        (socket.AF_INET, False, 40),
        (socket.AF_INET6, True, 72),
    ],
)
def test_each_segment_costs_its_headers(family: int, header: int, *, stamps: bool) -> None:
    fake = sock(info(1_000, 300, 7, 5, stamps=stamps), family)
    assert tcp_bytes(fake) == (1_000 + 7 * header, 300 + 5 * header)


@pytest.mark.parametrize("size", [0, 104, 192, 207])
def test_a_kernel_that_tells_less_leaves_what_was_handed_over_to_be_counted(size: int) -> None:
    tally = Tally()
    meter = Meter(tally)
    fake = sock(info(1, 1, 1, 1)[:size])
    meter.handed(500)
    meter.read(fake)
    meter.read(fake)
    assert tally.take() == (552, 56)
    assert tally.take() == (0, 0)


def test_a_meter_adds_only_what_came_since_and_never_less_than_nothing() -> None:
    tally = Tally()
    meter = Meter(tally)
    for sent, received in ((100, 50), (300, 60), (200, 60)):
        meter.read(sock(info(sent, received, 0, 0)))
    assert tally.take() == (300, 60)


def test_a_connection_over_the_loopback_is_counted_by_the_kernel() -> None:
    right = socket.create_server(("127.0.0.1", 0))
    with right, socket.create_connection(right.getsockname()) as ours:
        theirs, _ = right.accept()
        with theirs:
            ours.sendall(bytes(5_000))
            got = 0
            while got < 5_000:
                got += len(theirs.recv(5_000))
            sent, received = tcp_bytes(ours) or (0, 0)
    assert 5_000 < sent < 5_000 + 10 * 52
    assert 0 < received < 10 * 52
