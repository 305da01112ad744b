"""Lines in the descriptor store: put, taken by the next process, dropped, and sorted out."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.bus import line_name, open_line
from edgenode.node.lines import BARRIER_S, SystemdLines
from edgenode.node.notify import Notifier
from tests.support.descriptors import open_descriptors
from tests.support.fake_chip import FakeChip
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


def taken(lines: SystemdLines, name: str = LINE) -> int | None:
    """Take a line and give its descriptors back; return its total."""
    kept = lines.take(name)
    for descriptor in kept.descriptors if kept else ():
        os.close(descriptor)
    return kept.total if kept else None


def test_what_one_process_puts_the_next_one_takes(manager: ServiceManager, descriptor: int) -> None:
    first = process(manager)
    first.put(LINE, (descriptor,), 4_711)
    synced(first)
    second = process(manager)
    kept = second.take(LINE)
    assert kept is not None
    assert kept.total == 4_711
    assert os.path.sameopenfile(kept.descriptors[0], descriptor)
    os.close(kept.descriptors[0])


def test_what_was_taken_is_there_for_the_process_after_it_too(
    manager: ServiceManager, descriptor: int
) -> None:
    first = process(manager)
    first.put(LINE, (descriptor,), 7)
    synced(first)
    for _ in range(3):
        life = process(manager)
        assert taken(life) == 7
        life.close()


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
    kept = process(manager).take(LINE)
    assert kept is not None
    for received in (FIRST, *kept.descriptors):
        assert fcntl.fcntl(received, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    os.close(kept.descriptors[0])


def test_a_line_that_was_taken_can_be_dropped_and_asked_for_anew(
    manager: ServiceManager, descriptor: int
) -> None:
    first = process(manager)
    first.put(LINE, (descriptor,), 0)
    synced(first)
    second = process(manager)
    assert taken(second) == 0
    second.drop(LINE)
    assert second.take(LINE) is None
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
    second = process(manager)
    second.retain({OTHER})
    assert (second.take(LINE), taken(second, OTHER)) == (None, 2)
    assert manager.names == [f"{OTHER}.2.0.1"]


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
    total = taken(lines)
    synced(lines)
    assert manager.names == [f"{LINE}.{total}.0.1"]


def test_descriptors_for_another_process_are_left_alone(manager: ServiceManager) -> None:
    environ = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": f"{LINE}.0.0.1"}
    assert SystemdLines(environ, Notifier({}).send).take(LINE) is None


def test_without_systemd_a_line_is_kept_for_the_drivers_of_this_process(descriptor: int) -> None:
    before = open_descriptors()
    lines = SystemdLines({}, Notifier({}).send)
    assert lines.take(LINE) is None
    lines.put(LINE, (descriptor,), 3)
    assert [taken(lines), taken(lines)] == [3, 3]
    lines.put(OTHER, (descriptor,), 4)
    lines.drop(LINE)
    assert lines.take(LINE) is None
    lines.close()
    lines.close()
    assert open_descriptors() == before


def test_a_line_whose_other_end_is_gone_is_taken_by_nobody(manager: ServiceManager) -> None:
    reader, writer = os.pipe()
    lines = process(manager)
    lines.put(LINE, (reader,), 3)
    assert taken(lines) == 3
    os.close(writer)
    assert lines.take(LINE) is None
    lines.drop(LINE)
    assert manager.stored == []
    os.close(reader)


def test_closing_leaves_to_systemd_what_it_holds(manager: ServiceManager, descriptor: int) -> None:
    lines = process(manager)
    lines.put(LINE, (descriptor,), 3)
    synced(lines)
    lines.close()
    synced(lines)
    assert manager.names == [f"{LINE}.3.0.1"]


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


def test_a_driver_that_is_opened_anew_goes_on_with_its_line_and_misses_no_edge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chip = FakeChip(tmp_path)
    monkeypatch.setattr(fcntl, "ioctl", chip.ioctl)
    lines = SystemdLines({}, Notifier({}).send)
    first = open_line(chip.path, 17, store=lines)
    assert first.inherited is None
    first.keep(40)
    chip.edge(17, 1)
    first.events()
    first.close()
    chip.edge(17, 1)
    second = open_line(chip.path, 17, store=lines)
    assert (second.inherited, [event.line_seqno for event in second.events()]) == (40, [2])
    assert len(chip.requests) == 1
    second.close()
    chip.vanish()
    chip.refusal = None
    third = open_line(chip.path, 17, store=lines)
    assert third.inherited is None
    assert len(chip.requests) == 2
    third.close()
    lines.close()
