"""The last rungs: only for a read that does not return, and three times a day at most."""

from pathlib import Path

import pytest

from edgenode.config import RecoveryTable
from edgenode.node.lastresort import A_DAY_MOST, PATIENCE_MS, LastResort, Stuck, Why
from edgenode.reading import Rung
from tests.support.clock import FakeClock

HOUR = 3_600_000
STUCK = [Stuck("wire", PATIENCE_MS)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def resort(
    path: Path, clock: FakeClock, *, restart: bool = True, reboot: bool = True
) -> LastResort:
    return LastResort(path / "recovery", clock, RecoveryTable(restart=restart, reboot=reboot))


def life(path: Path, clock: FakeClock) -> Rung | None:
    """One life of the daemon in which a bus hangs: what it does about it."""
    last = resort(path, clock)
    clock.advance(PATIENCE_MS)
    rung = last.wanted(STUCK)
    if rung is not None:
        assert last.take(rung, Why.BUS)
    if rung is Rung.REBOOT:
        clock.reboot()
    return rung


def test_a_bus_that_works_or_has_hung_for_a_moment_is_left_alone(
    tmp_path: Path, clock: FakeClock
) -> None:
    last = resort(tmp_path, clock)
    assert last.wanted([]) is None
    assert last.wanted([Stuck("wire", PATIENCE_MS - 1)]) is None


def test_the_daemon_is_restarted_first_and_the_machine_only_where_that_did_not_help(
    tmp_path: Path, clock: FakeClock
) -> None:
    assert [life(tmp_path, clock) for _ in range(3)] == [
        Rung.RESTART,
        Rung.REBOOT,
        Rung.RESTART,
    ]


def test_a_bus_that_never_comes_back_costs_three_restarts_and_three_reboots_a_day(
    tmp_path: Path, clock: FakeClock
) -> None:
    taken = [life(tmp_path, clock) for _ in range(20)]
    assert taken.count(Rung.RESTART) == A_DAY_MOST
    assert taken.count(Rung.REBOOT) == A_DAY_MOST
    assert taken[-14:] == [None] * 14
    assert resort(tmp_path, clock).used() == {"restart": 3, "reboot": 3}


def test_a_restart_for_the_sake_of_the_disk_is_none_for_a_bus(
    tmp_path: Path, clock: FakeClock
) -> None:
    assert resort(tmp_path, clock).take(Rung.RESTART, Why.DISK)
    assert life(tmp_path, clock) is Rung.RESTART, "the bus has not been given one yet"
    assert resort(tmp_path, clock).used()["restart"] == 2, "but both count"


def test_what_is_used_up_is_not_taken(tmp_path: Path, clock: FakeClock) -> None:
    last = resort(tmp_path, clock)
    taken = [last.take(Rung.RESTART, Why.DISK) for _ in range(A_DAY_MOST + 1)]
    assert taken == [True] * A_DAY_MOST + [False]


def test_a_day_later_it_may_try_again(tmp_path: Path, clock: FakeClock) -> None:
    for _ in range(7):
        life(tmp_path, clock)
    clock.advance(24 * HOUR)
    assert life(tmp_path, clock) is Rung.RESTART
    assert resort(tmp_path, clock).used() == {"restart": 1, "reboot": 0}


def test_a_wall_clock_that_was_set_back_does_not_forget(tmp_path: Path, clock: FakeClock) -> None:
    for _ in range(6):
        life(tmp_path, clock)
    clock.reboot()
    clock.step(-400 * 24 * HOUR)
    assert life(tmp_path, clock) is None


def test_an_operator_may_forbid_either(tmp_path: Path, clock: FakeClock) -> None:
    assert resort(tmp_path, clock, restart=False).wanted(STUCK) is Rung.REBOOT
    assert resort(tmp_path, clock, restart=False, reboot=False).wanted(STUCK) is None
    last = resort(tmp_path, clock, reboot=False)
    assert last.take(Rung.RESTART, Why.BUS)
    assert last.wanted(STUCK) is None


def test_what_cannot_be_counted_is_not_done(tmp_path: Path, clock: FakeClock) -> None:
    assert not resort(tmp_path / "none", clock).take(Rung.RESTART, Why.BUS)


@pytest.mark.parametrize("text", ["", "nonsense", "{}", "[1]", '[["a", 1, 2, 3]]', "[[5, 1]]"])
def test_a_file_that_is_none_of_ours_remembers_nothing(
    tmp_path: Path, clock: FakeClock, text: str
) -> None:
    (tmp_path / "recovery").write_text(text)
    assert resort(tmp_path, clock).wanted(STUCK) is Rung.RESTART
