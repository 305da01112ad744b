import json
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.control import CLIENT_S, Control, NoDaemon, ask, verbs_of
from edgenode.control.exchange import MAX_REQUEST
from edgenode.errors import NodeError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture
def control(path: Path) -> Iterator[Control]:
    server = Control(path, verbs_of({"status": lambda _: {"well": True}}))
    server.start()
    yield server
    server.close()
    server.join(5)
    assert not server.is_alive()


def connect(path: Path) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.settimeout(10)
    peer.connect(str(path))
    return peer


def test_a_verb_is_answered_with_its_object(control: Control, path: Path) -> None:
    assert ask(path, "status") == {"well": True}


def test_an_unknown_verb_is_refused_with_those_that_are_known(control: Control, path: Path) -> None:
    with pytest.raises(NodeError, match="known: status"):
        ask(path, "reboot")


@pytest.mark.parametrize("line", [b"hello\n", b"[1]\n", b'{"verb": 3}\n', b"\xff\xfe\n", b"\n"])
def test_nonsense_is_answered_with_an_error(control: Control, path: Path, line: bytes) -> None:
    with connect(path) as peer:
        peer.sendall(line)
        assert "error" in json.loads(peer.makefile("rb").readline())


def test_only_owner_and_group_may_connect(control: Control, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_an_endless_request_is_dropped(control: Control, path: Path) -> None:
    with connect(path) as peer:
        peer.sendall(b"x" * (MAX_REQUEST + 1))
        assert _ended(peer)
    assert ask(path, "status") == {"well": True}


def _ended(peer: socket.socket) -> bool:
    try:
        return peer.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_silent_client_is_dropped_after_its_time_and_the_next_one_served(
    control: Control, path: Path
) -> None:
    with connect(path) as silent:
        started = time.monotonic()
        assert ask(path, "status", timeout_s=10) == {"well": True}
        assert time.monotonic() - started < 3 * CLIENT_S
        assert _ended(silent)


def test_a_client_that_leaves_at_once_harms_nobody(control: Control, path: Path) -> None:
    for _ in range(20):
        connect(path).close()
    assert ask(path, "status", timeout_s=10) == {"well": True}


def test_clients_at_the_same_time_are_all_served(control: Control, path: Path) -> None:
    answers: list[dict[str, bool]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(ask(path, "status", timeout_s=10)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == [{"well": True}] * 6


def test_nobody_there_is_told_as_such(path: Path) -> None:
    with pytest.raises(NoDaemon, match="no daemon answers"):
        ask(path, "status")


def test_the_socket_of_a_killed_daemon_is_taken_over(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    server = Control(path, verbs_of({"status": lambda _: {"well": True}}))
    server.start()
    assert ask(path, "status") == {"well": True}
    server.close()
    assert not path.exists()


def test_a_living_daemon_is_not_displaced(control: Control, path: Path) -> None:
    with pytest.raises(NodeError, match="another edgenode"):
        Control(path, {})
    assert ask(path, "status") == {"well": True}


def test_a_directory_that_is_missing_is_named_with_advice(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match=r"set node\.socket"):
        Control(tmp_path / "none" / "control.sock", {})
