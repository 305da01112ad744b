"""The limits a session keeps: of the socket, of the broker, and of what it believes."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgenode.uplink import UplinkOptions
from edgenode.uplink.session import V5, V311, Session, Will
from tests.support.city import City
from tests.support.clock import FakeClock
from tests.support.mosquitto import Mosquitto
from tests.support.outbox import NODE, MemoryOutbox
from tests.support.ports import until
from tests.support.proxy import Proxy
from tests.uplink.rig import Node, plain

WILL = Will(f"edgenode/v1/{NODE.hex()}/state", b"gone")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


def _session(port: int, version: int = V5) -> Session:
    (at,) = plain(port)
    options = UplinkOptions(node=NODE, brokers=(at,))
    return Session(at, V5 if version == V5 else V311, options, WILL, FakeClock())


def test_a_dead_link_can_swallow_little_and_is_noticed_by_the_kernel(broker: Mosquitto) -> None:
    session = _session(broker.port)
    session.open()
    with socket.socket(fileno=os.dup(session.fileno())) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * 65_536  # as Linux counts
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
    session.drop("done")


def test_the_connect_says_clean_session_keepalive_and_will(broker: Mosquitto) -> None:
    seen: list[bytes] = []
    with Proxy(broker.port) as proxy:
        proxy.meddle = seen.append
        sessions = [_session(proxy.port, version) for version in (V5, V311)]
        for session in sessions:
            session.open()
        until(lambda: len(seen) == 2, "both CONNECTs")
        for session in sessions:
            session.drop("done")
    for data in seen:
        start = data.index(b"\x00\x04MQTT") + 6
        assert data[start] in {4, 5}
        flags = data[start + 1]
        assert flags & 0x02  # clean
        assert flags & 0x3C == 0x2C  # will, QoS 1, retained
        assert int.from_bytes(data[start + 2 : start + 4], "big") == 30
        assert b"\x00\x0c" + NODE.hex().encode() in data  # client id


@pytest.mark.parametrize(("spare", "aside"), [(0, []), (-1, [(0, 1)])])
def test_the_brokers_packet_limit_is_kept_to_the_byte(
    tmp_path: Path, spare: int, aside: list[tuple[int, int]]
) -> None:
    box = MemoryOutbox()
    box.seal(rows=2_000)
    box.seal(2)
    large = _session(1).packet_size(f"edgenode/v1/{NODE.hex()}/batch/0", box.sealed(0, 1).data)
    with (
        Mosquitto(tmp_path / "small", [f"max_packet_size {large + spare}"]) as small,
        City(small.port) as city,
        Node(plain(small.port), box) as node,
    ):
        until(lambda: city.has(3 - len(aside)), "what fits")
        until(lambda: box.held() == set(aside), "custody of it")
        assert [(stream, seq) for stream, seq, _ in box.aside] == aside
        assert node.uplink.stats().reconnects == 0


KINDS = (0x00, 0x20, 0x30, 0x32, 0x34, 0x40, 0x50, 0x62, 0x70, 0x90, 0xB0, 0xD0, 0xE0, 0xF0)
RESTS = ("00", "0100", "020000", "030001ff", "0400010199", "02ffff", "ffffffffff")
GARBAGE = [bytes([kind]) + bytes.fromhex(rest) for kind in KINDS for rest in RESTS]


def test_a_broker_that_talks_rubbish_ends_the_session_and_not_the_daemon() -> None:
    """CONNACK, then each piece of rubbish on a connection of its own."""
    for piece in GARBAGE:
        with _server(b"\x20\x03\x00\x00\x00" + piece) as port:
            session = _session(port)
            session.open()
            _pump(session)
            session.drop("done")
            assert session.ended is not None


def _pump(session: Session) -> None:
    poll = select.poll()
    fd = session.fileno()
    poll.register(fd, select.POLLIN)
    deadline = time.monotonic() + 2
    while session.ended is None and time.monotonic() < deadline:
        events = dict(poll.poll(200))
        session.pump(events.get(fd, 0))


@contextmanager
def _server(answer: bytes) -> Iterator[int]:
    """Answer one connection with fixed bytes, then close it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(4_096)
                peer.sendall(answer)
                peer.shutdown(socket.SHUT_WR)
                peer.settimeout(5)
                while peer.recv(4_096):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)
