"""Lines in the descriptor store: put, taken by the next process, dropped, and sorted out."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.bus import Kept, line_name
from edgenode.node.lines import BARRIER_S, SystemdLines
from edgenode.node.notify import Notifier
from tests.support.service_manager import ServiceManager, service_manager

LINE = line_name("/dev/gpiochip0", 17, "rising", "as-is", 0)
ELSE = line_name("/dev/gpiochip0", 17, "both", "as-is", 0)
OTHER = line_name("/dev/gpiochip0", 18, "rising", "as-is", 0)
FIRST = 400  # stands for SD_LISTEN_FDS_START: 3 belongs to the test runner


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    with service_manager(tmp_path) as running:
        yield running


@pytest.fixture
def descriptor() -> Iterator[int]:
    made = os.open("/dev/null", os.O_RDONLY)
    yield made
    os.close(made)


def process(manager: ServiceManager) -> SystemdLines:
    """Begin as a process to which systemd passes what it keeps."""
    names = [name for name, _ in manager.stored]
    for index, (_, kept) in enumerate(manager.stored):
        os.dup2(kept, FIRST + index)
    environ = {
        "NOTIFY_SOCKET": manager.path,
        "LISTEN_PID": str(os.getpid()),
        "LISTEN_FDS": str(len(names)),
        "LISTEN_FDNAMES": ":".join(names),
    }
    return SystemdLines(environ, Notifier(environ).send)


@pytest.fixture(autouse=True)
def _passed_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgenode.node.lines.FIRST", FIRST)


def synced(lines: SystemdLines) -> None:
    """Wait until the manager has worked off everything."""
    lines._barrier()


def test_what_one_process_puts_the_next_one_takes_once(
    manager: ServiceManager, descriptor: int
) -> None:
    first = process(manager)
    first.put(LINE, (descriptor,), 4_711)
    synced(first)
    second = process(manager)
    kept = second.take(LINE)
    assert kept == Kept((FIRST,), 4_711)
    assert os.path.sameopenfile(FIRST, descriptor)
    assert second.take(LINE) is None
    os.close(FIRST)


def test_what_was_taken_is_there_for_the_process_after_it_too(
    manager: ServiceManager, descriptor: int
) -> None:
    first = process(manager)
    first.put(LINE, (descriptor,), 7)
    synced(first)
    for _ in range(3):
        assert process(manager).take(LINE) == Kept((FIRST,), 7)
        os.close(FIRST)


def test_the_descriptors_of_a_line_come_back_in_their_order(
    manager: ServiceManager, descriptor: int
) -> None:
    other = os.open("/dev/zero", os.O_RDONLY)
    first = process(manager)
    first.put(LINE, (descriptor, other), 0)
    synced(first)
    kept = process(manager).take(LINE)
    assert kept is not None
    for taken, put in zip(kept.descriptors, (descriptor, other), strict=True):
        assert os.path.sameopenfile(taken, put)
    for taken in (other, *kept.descriptors):
        os.close(taken)


def test_what_was_taken_is_not_passed_on_to_children(
    manager: ServiceManager, descriptor: int
) -> None:
    first = process(manager)
    first.put(LINE, (descriptor,), 0)
    synced(first)
    process(manager).take(LINE)
    assert fcntl.fcntl(FIRST, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    os.close(FIRST)


def test_a_line_that_was_taken_can_be_dropped_and_asked_for_anew(
    manager: ServiceManager, descriptor: int
) -> None:
    first = process(manager)
    first.put(LINE, (descriptor,), 0)
    synced(first)
    second = process(manager)
    second.take(LINE)
    os.close(FIRST)
    second.drop(LINE)
    assert manager.stored == []  # before `drop` returns: the chip would answer "busy"


def test_dropping_what_is_not_there_asks_nobody(manager: ServiceManager) -> None:
    lines = process(manager)
    lines.drop(LINE)
    synced(lines)
    assert manager.heard == ["BARRIER=1"]


def test_a_line_that_is_asked_for_in_another_way_lets_go_of_the_old(
    manager: ServiceManager, descriptor: int
) -> None:
    first = process(manager)
    first.put(ELSE, (descriptor,), 5)
    synced(first)
    second = process(manager)
    assert second.take(LINE) is None
    assert manager.stored == []
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(FIRST)


def test_putting_a_line_again_replaces_its_total(manager: ServiceManager, descriptor: int) -> None:
    lines = process(manager)
    lines.put(LINE, (descriptor,), 1)
    lines.put(LINE, (descriptor,), 1 + (1 << 32))
    synced(lines)
    assert manager.names == [f"{LINE}.{1 + (1 << 32)}.0.1"]


def test_only_the_lines_that_are_still_wanted_are_retained(
    manager: ServiceManager, descriptor: int
) -> None:
    first = process(manager)
    first.put(LINE, (descriptor,), 1)
    first.put(OTHER, (descriptor,), 2)
    synced(first)
    process(manager).retain({OTHER})
    assert manager.names == [f"{OTHER}.2.0.1"]
    for left in (FIRST, FIRST + 1):
        if Path(f"/proc/self/fd/{left}").exists():
            os.close(left)


@pytest.mark.parametrize(
    "name", ["stored", "unknown", "a socket", f"{LINE}.7.1.2", f"{LINE}.-1.0.1", f"{LINE}.1.1.1"]
)
def test_what_is_not_ours_or_not_whole_is_closed_and_removed(
    manager: ServiceManager, descriptor: int, name: str
) -> None:
    manager.stored.append((name, os.dup(descriptor)))
    lines = process(manager)
    assert lines.take(LINE) is None
    synced(lines)
    assert manager.stored == []
    assert not Path(f"/proc/self/fd/{FIRST}").exists()


def test_two_totals_under_one_line_are_trusted_by_nobody(
    manager: ServiceManager, descriptor: int
) -> None:
    manager.stored += [(f"{LINE}.{total}.0.1", os.dup(descriptor)) for total in (1, 2)]
    lines = process(manager)
    kept = lines.take(LINE)
    synced(lines)
    assert kept is not None
    assert len(manager.stored) == 1
    assert manager.names == [f"{LINE}.{kept.total}.0.1"]
    os.close(kept.descriptors[0])


def test_descriptors_for_another_process_are_left_alone(manager: ServiceManager) -> None:
    environ = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": f"{LINE}.0.0.1"}
    assert SystemdLines(environ, Notifier({}).send).take(LINE) is None


def test_without_systemd_nothing_is_kept_and_nothing_fails(descriptor: int) -> None:
    lines = SystemdLines({}, Notifier({}).send)
    assert lines.take(LINE) is None
    lines.put(LINE, (descriptor,), 0)
    lines.drop(LINE)
    lines.retain(())


def test_a_manager_that_never_answers_holds_nobody_for_long(
    tmp_path: Path, descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenode.node.lines.BARRIER_S", 0.05)
    assert BARRIER_S <= 1
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        lines = SystemdLines({}, Notifier({"NOTIFY_SOCKET": str(tmp_path / "deaf")}).send)
        lines.put(LINE, (descriptor,), 0)
        began = time.monotonic()
        lines.drop(LINE)
        assert time.monotonic() - began < 5


def test_names_are_ones_that_systemd_takes() -> None:
    name = f"{LINE}.{(1 << 64) - 1}.0.1"
    assert len(name) <= 255
    assert name.isascii()
    assert ":" not in name
