"""Maintenance begins when somebody says so, outlives a restart, and ends by itself."""

from pathlib import Path

import pytest

from edgenode.node.visit import Visits
from tests.support.clock import FakeClock

MINUTE = 60_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def visits(path: Path, clock: FakeClock) -> Visits:
    return Visits(path / "maintenance", clock)


def test_it_ends_by_itself(tmp_path: Path, clock: FakeClock) -> None:
    made = visits(tmp_path, clock)
    assert made.now() is None
    made.begin(5, "a new mast")
    clock.advance(5 * MINUTE - 1)
    assert made.now() is not None
    clock.advance(1)
    assert made.now() is None


def test_it_outlives_a_restart_of_the_daemon_with_its_end(tmp_path: Path, clock: FakeClock) -> None:
    visits(tmp_path, clock).begin(5, "a new mast")
    clock.advance(MINUTE)
    again = visits(tmp_path, clock)
    visit = again.now()
    assert visit is not None
    assert (visit.why, visit.until_ms - clock.boot_ms()) == ("a new mast", 4 * MINUTE)


def test_a_reboot_ends_it(tmp_path: Path, clock: FakeClock) -> None:
    visits(tmp_path, clock).begin(5, "")
    clock.reboot()
    assert visits(tmp_path, clock).now() is None


def test_what_is_ended_stays_ended(tmp_path: Path, clock: FakeClock) -> None:
    made = visits(tmp_path, clock)
    made.begin(5, "")
    made.end()
    assert made.now() is None
    assert visits(tmp_path, clock).now() is None


def test_going_on_keeps_the_beginning(tmp_path: Path, clock: FakeClock) -> None:
    made = visits(tmp_path, clock)
    began = made.begin(5, "one").began_ms
    clock.advance(MINUTE)
    visit = made.begin(10, "two")
    assert (visit.began_ms, visit.until_ms) == (began, clock.boot_ms() + 10 * MINUTE)


def test_a_disk_that_takes_no_writes_is_no_reason_not_to_work(
    tmp_path: Path, clock: FakeClock
) -> None:
    made = Visits(tmp_path / "none" / "maintenance", clock)
    made.begin(5, "")
    assert made.now() is not None


@pytest.mark.parametrize("text", ["nonsense", "[1, 2]", '["boot-0", "x", 2, ""]', "7"])
def test_a_file_that_is_none_of_ours_is_no_maintenance(
    tmp_path: Path, clock: FakeClock, text: str
) -> None:
    (tmp_path / "maintenance").write_text(text)
    assert visits(tmp_path, clock).now() is None
