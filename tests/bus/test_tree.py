"""The kernel's files: what is there is read, what is not is None, and nothing leaves the root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgenode.bus import open_tree
from edgenode.bus.tree import TEXT_MAX
from edgenode.errors import BusError


def test_a_file_is_its_text_without_the_blanks_around_it(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/uptime").write_text("7.00 1.00\n")
    tree = open_tree(str(tmp_path))
    assert tree.text("proc/uptime") == "7.00 1.00"
    assert tree.text("/proc/uptime") == "7.00 1.00"
    tree.close()
    tree.close()


@pytest.mark.parametrize("path", ["nothing", "proc", "odd\0name", "proc/uptime/deeper"])
def test_what_cannot_be_read_is_none(tmp_path: Path, path: str) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/uptime").write_text("7")
    assert open_tree(str(tmp_path)).text(path) is None


def test_bytes_that_are_no_text_are_no_failure(tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(b"\xff4")
    assert open_tree(str(tmp_path)).text("odd") == "\ufffd4"


def test_a_file_without_end_is_cut(tmp_path: Path) -> None:
    (tmp_path / "long").write_text("x" * (TEXT_MAX + 1))
    assert len(open_tree(str(tmp_path)).text("long") or "") == TEXT_MAX


def test_a_pipe_that_nobody_writes_to_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert open_tree(str(tmp_path)).text("pipe") == ""


def test_names_are_sorted_and_none_where_there_is_no_directory(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / "sys" / name).mkdir(parents=True)
    tree = open_tree(str(tmp_path))
    assert tree.names("sys") == ["a", "b"]
    assert tree.names("/sys/a/none") == []


def test_the_room_is_that_of_the_file_system_of_a_path(tmp_path: Path) -> None:
    found = os.statvfs(tmp_path)
    free = open_tree(str(tmp_path)).free_bytes("/")
    assert free == pytest.approx(found.f_bavail * found.f_frsize, rel=0.05)
    assert open_tree(str(tmp_path)).free_bytes("/nothing") is None


def test_the_error_of_the_clock_is_the_kernels_or_none(tmp_path: Path) -> None:
    error = open_tree(str(tmp_path)).clock_error_ms()
    assert error is None or 0 < error < 86_400_000


def test_a_root_that_is_not_there_says_what_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(BusError, match="the path of a sysfs bus is /"):
        open_tree(str(tmp_path / "nothing"))
