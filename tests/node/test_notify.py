import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.node.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The end of the socket where systemd listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        yield listener


def heard(manager: socket.socket) -> list[str]:
    manager.setblocking(False)
    found = []
    while True:
        try:
            found.append(manager.recv(4096).decode())
        except BlockingIOError:
            return found


def test_every_message_is_one_datagram_of_the_protocol(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    notifier.status("opening")
    notifier.ready()
    notifier.watchdog()
    notifier.stopping()
    assert heard(manager) == ["STATUS=opening", "READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_a_status_is_one_line_and_sent_only_when_it_changed(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    for _ in range(3):
        notifier.status("well:\n all\tgood")
    notifier.status("x" * 4000)
    assert heard(manager) == ["STATUS=well: all good", "STATUS=" + "x" * 500]


def test_an_abstract_socket_is_understood() -> None:
    name = f"edgenode-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name)
        Notifier({"NOTIFY_SOCKET": "@" + name}).ready()
        assert heard(listener) == ["READY=1"]


def test_a_manager_that_does_not_listen_holds_nobody(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    for n in range(2000):  # more than its buffer takes
        notifier.status(f"line {n}")
    Path(manager.getsockname()).unlink()
    notifier.ready()


def test_without_systemd_nothing_is_said_and_nothing_fails() -> None:
    notifier = Notifier({})
    notifier.ready()
    assert notifier.watchdog_ms is None


def test_the_watchdog_is_only_for_the_process_that_systemd_means() -> None:
    mine = str(os.getpid())
    assert Notifier({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": mine}).watchdog_ms == 30_000
    assert Notifier({"WATCHDOG_USEC": "60000000"}).watchdog_ms == 30_000
    assert Notifier({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}).watchdog_ms is None
