"""The loop of the virtual instruments: what one handler drops, no other is called for."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from edgenode.virtual.loop import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


def test_a_connection_that_was_dropped_meanwhile_is_not_served(loop: Loop) -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    served: list[socket.socket] = []

    def handler(connection: socket.socket) -> None:
        served.append(connection)
        for ours, _ in pairs:
            loop.drop(ours)

    for ours, theirs in pairs:
        loop.add(ours, handler)
        theirs.send(b".")
    loop.wait(1)
    assert len(served) == 1
    loop.wait(0)
    for _, theirs in pairs:
        theirs.close()


def test_a_connection_handed_over_meanwhile_is_served_by_the_new_one(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    served: list[str] = []

    def first(connection: socket.socket) -> None:
        served.append("first")
        loop.hand_over(connection, second)

    def second(connection: socket.socket) -> None:
        served.append("second")
        connection.recv(1)

    loop.add(ours, first)
    theirs.send(b".")
    loop.wait(1)
    loop.wait(1)
    loop.wait(0)
    assert served == ["first", "second"]
    theirs.close()


def test_waking_ends_a_wait(loop: Loop) -> None:
    loop.wake()
    began = time.monotonic()
    loop.wait(60)
    assert time.monotonic() - began < 30
