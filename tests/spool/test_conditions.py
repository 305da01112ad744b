"""The condition log: what was wrong, from when to when, over restarts, bounded, gentle."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.errors import SpoolError
from edgenode.spool import Condition, Moment, Spool
from edgenode.spool.conditions import MAX_BYTES, MAX_ENTRIES, Conditions
from edgenode.spool.database import Database
from edgenode.spool.store import SPARE_PAGES
from tests.support.clock import FakeClock
from tests.support.spools import feed, kill, opened, spool_path

LOST = {"sensor air": "sensor air on bus i2c1 is lost: no acknowledge"}


def look(spool: Spool, clock: FakeClock, held: dict[str, str], seconds: int = 1) -> None:
    """Look each second, as a node does, and let the spool thread do its work."""
    for _ in range(seconds):
        clock.advance(1_000)
        spool.conditions.observe(held, clock.boot_ms())
        spool.step()


def transactions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with every transaction of the store from here on."""
    made: list[int] = []
    attempt = Database._attempt

    def counted(database: Database, work: Callable[[], Any]) -> Any:
        made.append(1)
        return attempt(database, work)

    monkeypatch.setattr(Database, "_attempt", counted)
    return made


def log(**held: str) -> Conditions:
    conditions = Conditions()
    conditions.begin(7, 0, None)
    conditions.observe(held, 1_000)
    return conditions


def test_what_begins_and_ends_is_one_entry_with_both_moments(
    tmp_path: Path, clock: FakeClock
) -> None:
    spool = opened(tmp_path, clock)
    look(spool, clock, LOST, 10)
    began = clock.boot_ms() - 9_000
    look(spool, clock, {})
    (entry,) = spool.conditions.history()
    assert (entry.key, entry.what, entry.times) == (*next(iter(LOST.items())), 1)
    assert entry.begin == Moment(spool.epoch, began, began + clock.offset)
    assert entry.end == Moment(spool.epoch, began + 10_000, began + 10_000 + clock.offset)


def test_the_words_are_those_of_the_beginning_and_new_words_are_no_change() -> None:
    conditions = log(spool="81 % full")
    conditions.dump()
    conditions.settled()
    conditions.observe({"spool": "82 % full"}, 2_000)
    assert not conditions.changed
    assert conditions.history()[0].what == "81 % full"


def test_an_instant_begins_and_ends_at_once(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    spool.step()
    spool.conditions.note("restart", "the daemon was started: orderly", clock.boot_ms())
    (entry,) = spool.conditions.history()
    assert entry.end == entry.begin


def test_what_comes_back_within_ten_minutes_is_the_same_entry() -> None:
    conditions = log(bus="stuck")
    for n in range(1, 6):
        conditions.observe({}, 1_000 + 500_000 * n)
        conditions.observe({"bus": "stuck again"}, 1_000 + 500_000 * n + 100_000)
    (entry,) = conditions.history()
    assert (entry.times, entry.end, entry.begin.t_ms) == (6, None, 1_000)
    conditions.observe({}, 3_000_000)
    conditions.observe({"bus": "stuck"}, 3_600_000)
    assert [entry.times for entry in conditions.history()] == [6, 1]


def test_instants_are_counted_as_one_only_with_the_same_words() -> None:
    conditions = log()
    for at, why in ((0, "sudden"), (1, "sudden"), (2, "watchdog"), (3, "watchdog")):
        conditions.note("restart", why, at * 60_000)
    assert [(entry.what, entry.times) for entry in conditions.history()] == [
        ("sudden", 2),
        ("watchdog", 2),
    ]


def test_what_still_holds_after_a_reboot_goes_on_since_its_beginning(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock)
    look(first, clock, LOST, 15)
    before = first.conditions.history()
    kill(first)
    clock.reboot()
    again = opened(tmp_path, clock)
    look(again, clock, {}, 50)  # the node has not found out yet
    look(again, clock, LOST, 30)
    assert again.conditions.history() == before
    look(again, clock, {})
    (entry,) = again.conditions.history()
    assert entry.end is not None
    assert entry.end.epoch == first.epoch + 1


def test_what_is_gone_after_a_reboot_ended_when_it_was_last_known_to_hold(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock)
    feed(first, clock, 6)
    look(first, clock, LOST, 31)
    last = clock.boot_ms()
    kill(first)
    clock.reboot()
    again = opened(tmp_path, clock)
    look(again, clock, {}, 59)
    assert again.conditions.history()[0].end is None
    look(again, clock, {}, 2)
    end = again.conditions.history()[0].end
    assert end is not None
    assert end.epoch == first.epoch
    assert last - 31_000 <= end.t_ms <= last
    assert end.utc_ms is not None


def test_an_entry_without_a_clock_gets_its_time_when_one_is_known(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.source = 0
    spool = opened(tmp_path, clock)
    look(spool, clock, LOST, 10)
    assert spool.conditions.history()[0].begin.utc_ms is None
    began = clock.boot_ms() - 9_000 + clock.offset
    clock.source = 3
    look(spool, clock, LOST, 6)
    assert spool.conditions.history()[0].begin.utc_ms == began


def test_a_time_is_filled_in_also_for_an_epoch_that_is_over(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.source = 0
    first = opened(tmp_path, clock)
    look(first, clock, LOST, 12)  # has its own transaction by now
    began = clock.boot_ms() - 11_000 + clock.offset
    clock.source = 3
    feed(first, clock, 10)  # the journal knows an anchor, the log does not
    clock.reboot()
    shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-copy"))
    kill(first)
    again = opened(tmp_path.with_name(f"{tmp_path.name}-copy"), clock)
    look(again, clock, LOST, 6)
    assert again.conditions.history()[0].begin.utc_ms == began


def test_a_change_is_durable_within_ten_seconds_though_nothing_is_sealed(
    tmp_path: Path, clock: FakeClock
) -> None:
    spool = opened(tmp_path, clock)
    feed(spool, clock, 10)
    look(spool, clock, LOST, 12)
    copy = tmp_path.with_name(f"{tmp_path.name}-copy")
    shutil.copytree(tmp_path, copy)
    assert [entry.key for entry in opened(copy, clock).conditions.history()] == ["sensor air"]


def test_a_change_has_a_transaction_of_its_own_at_most_each_ten_seconds(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = opened(tmp_path, clock, window_ms=600_000)
    feed(spool, clock, 10)
    made = transactions(monkeypatch)
    for n in range(100):
        look(spool, clock, {f"sensor {n}": "is lost"})
    assert 5 <= len(made) <= 11
    made.clear()
    look(spool, clock, {"sensor 99": "is lost"}, 12)
    made.clear()
    look(spool, clock, {"sensor 99": "is lost"}, 100)
    assert not made


def test_a_loose_contact_does_not_wear_the_card(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = opened(tmp_path, clock, window_ms=600_000)
    feed(spool, clock, 10)
    for _ in range(3):
        look(spool, clock, LOST, 15)
        look(spool, clock, {}, 15)
    made = transactions(monkeypatch)
    for _ in range(10):
        look(spool, clock, LOST, 15)
        look(spool, clock, {}, 15)
    assert not made
    assert spool.conditions.history()[0].times == 13


def test_the_oldest_that_ended_goes_first_and_what_lasts_stays() -> None:
    conditions = log(clock="nothing vouches for the clock")
    for n in range(400):
        conditions.note(f"note {n}", "x", 2_000 + n)
    entries = conditions.history()
    assert len(entries) == MAX_ENTRIES
    assert entries[0].key == "clock"
    assert (entries[1].key, entries[-1].key) == ("note 145", "note 399")


def test_what_the_bound_took_is_not_begun_again_each_second() -> None:
    held = {f"sensor {n}": "is lost" for n in range(MAX_ENTRIES + 10)}
    conditions = log(**held)
    before = conditions.history()
    conditions.observe(held, 5_000)
    assert conditions.history() == before
    conditions.observe({}, 6_000)
    assert all(entry.end for entry in conditions.history())


@given(st.lists(st.tuples(st.text(max_size=300), st.text(max_size=600)), max_size=60))
def test_the_log_always_fits_its_row_and_comes_back_as_it_was(
    notes: list[tuple[str, str]],
) -> None:
    conditions = log()
    for n, (key, what) in enumerate(notes):
        conditions.note(key, what, n * 3_600_000)
    data = conditions.dump()
    assert len(data) <= MAX_BYTES < (SPARE_PAGES - 20) * 1024
    assert Conditions.load(data).history() == conditions.history()


def test_a_log_that_left_something_out_says_since_when_it_is_complete() -> None:
    conditions = log()
    for n in range(MAX_ENTRIES - 1):
        conditions.note(f"note {n}", "x", n * 3_600_000)
    assert conditions.kept_from() is None
    for n in range(MAX_ENTRIES - 1, MAX_ENTRIES + 9):
        conditions.note(f"note {n}", "x", n * 3_600_000)
    assert conditions.kept_from() == conditions.history()[0].begin
    assert conditions.history()[0].key == "note 9"


def test_long_words_push_out_older_ones() -> None:
    conditions = log()
    for n in range(MAX_ENTRIES):
        conditions.note(f"note {n}", "\N{SNOWMAN}" * 300, n * 3_600_000)
    assert len(conditions.dump()) <= MAX_BYTES
    assert conditions.history()[-1].what == "\N{SNOWMAN}" * 200


@pytest.mark.parametrize("data", [b"\xff", b"\x81\x85\x03\x18\xff\x01\x02\x03", b"\x81\x80"])
def test_what_is_no_log_is_refused(data: bytes) -> None:
    with pytest.raises(SpoolError):
        Conditions.load(data)


def test_the_log_survives_a_salvage_of_the_store(tmp_path: Path, clock: FakeClock) -> None:
    first = opened(tmp_path, clock)
    feed(first, clock, 70)
    look(first, clock, LOST, 12)
    spool = spool_path(first)
    kill(first)
    with (spool / "store.db").open("r+b") as file:
        file.write(bytes(1024))  # page 1
    again = opened(tmp_path, clock)
    assert "salvage" not in again.degraded
    assert again.stats().quarantined
    assert [entry.key for entry in again.conditions.history()] == ["sensor air"]


def test_a_moment_is_never_before_its_beginning() -> None:
    conditions = Conditions([Condition("a", "b", Moment(3, 5_000), None)])
    conditions.begin(4, 0, Moment(3, 4_000))
    conditions.observe({}, 60_000)
    assert conditions.history()[0].end == Moment(3, 5_000)
