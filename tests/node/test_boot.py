from pathlib import Path

import pytest

from edgenode.node.boot import BootCause, BootMark, StartCause, board, hardware


def mark(tmp_path: Path, boot_id: str) -> BootMark:
    return BootMark(tmp_path / "boot", boot_id, tmp_path / "bootstatus")


def test_the_first_boot_that_is_seen_is_the_first(tmp_path: Path) -> None:
    assert mark(tmp_path, "a").cause() is BootCause.FIRST


def test_a_restart_within_one_boot_is_no_boot(tmp_path: Path) -> None:
    mark(tmp_path, "a").running()
    assert mark(tmp_path, "a").cause() is None


def test_a_boot_after_the_daemon_was_stopped_is_orderly(tmp_path: Path) -> None:
    first = mark(tmp_path, "a")
    first.running()
    first.stopped()
    assert mark(tmp_path, "b").cause() is BootCause.ORDERLY


def test_a_boot_out_of_the_middle_of_work_is_sudden(tmp_path: Path) -> None:
    mark(tmp_path, "a").running()
    assert mark(tmp_path, "b").cause() is BootCause.SUDDEN


def test_a_boot_that_the_node_itself_asked_for_says_so(tmp_path: Path) -> None:
    mark(tmp_path, "a").recovering()
    assert mark(tmp_path, "b").cause() is BootCause.RECOVERY


def test_every_start_of_the_daemon_has_a_cause(tmp_path: Path) -> None:
    assert mark(tmp_path, "a").start() is StartCause.BOOT
    mark(tmp_path, "a").running()
    assert mark(tmp_path, "a").start() is StartCause.SUDDEN
    mark(tmp_path, "a").stopped()
    assert mark(tmp_path, "a").start() is StartCause.ORDERLY
    mark(tmp_path, "a").recovering()
    assert mark(tmp_path, "a").start() is StartCause.RECOVERY
    assert mark(tmp_path, "b").start() is StartCause.BOOT


@pytest.mark.parametrize(("status", "cause"), [("32", 3), ("33", 3), ("0", 2), ("", 2), ("?", 2)])
def test_the_hardware_watchdog_tells_of_its_reset(tmp_path: Path, status: str, cause: int) -> None:
    (tmp_path / "bootstatus").write_text(f"{status}\n")
    mark(tmp_path, "a").running()
    assert mark(tmp_path, "b").cause() == cause


def test_the_event_is_told_again_until_it_is_durable(tmp_path: Path) -> None:
    assert mark(tmp_path, "a").cause() is BootCause.FIRST
    assert mark(tmp_path, "a").cause() is BootCause.FIRST, "running() was not called yet"


def test_a_state_directory_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    BootMark(tmp_path / "none" / "boot", "a").running()


def test_the_board_is_read_from_the_device_tree(tmp_path: Path) -> None:
    (tmp_path / "serial-number").write_bytes(b"10000000abcdef01\0")
    (tmp_path / "model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    assert board(tmp_path) == "10000000abcdef01"
    assert hardware(tmp_path) == "Raspberry Pi 4 Model B Rev 1.4"


def test_a_machine_without_a_device_tree_has_no_serial(tmp_path: Path) -> None:
    assert board(tmp_path) == ""
    assert hardware(tmp_path)
