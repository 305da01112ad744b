"""What is counted over days, months, restarts and boots without a clock; and what the card took."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.errors import SpoolError
from edgenode.spool import Bytes, Traffic
from edgenode.spool.wear import Wear
from tests.support.clock import FakeClock
from tests.support.spools import feed, kill, opened

DAY_MS = 86_400_000
NOVEMBER_30 = 1_795_996_800_000  # 2026-11-30T00:00:00Z
HOUR_MS = 3_600_000


def test_a_day_and_a_month_begin_with_utc() -> None:
    traffic = Traffic()
    traffic.note(100, 10, 0, NOVEMBER_30 - 1)
    traffic.note(5, 1, 1, NOVEMBER_30)
    figures = traffic.note(3, 0, 2, NOVEMBER_30 + DAY_MS - 1)
    assert (figures.today, figures.this_month) == (Bytes(8, 1), Bytes(108, 11))
    figures = traffic.note(1, 1, 3, NOVEMBER_30 + DAY_MS)
    assert (figures.today, figures.this_month, figures.ever) == (
        Bytes(1, 1),
        Bytes(1, 1),
        Bytes(109, 12),
    )


def test_bytes_without_a_clock_join_the_first_day_that_is_known() -> None:
    traffic = Traffic()
    assert traffic.note(7, 1, 0, None).today == Bytes(7, 1)
    figures = traffic.note(1, 1, 1_000, NOVEMBER_30)
    assert (figures.today, figures.this_month, figures.day) == (
        Bytes(8, 2),
        Bytes(8, 2),
        NOVEMBER_30 // DAY_MS,
    )


def test_bytes_after_a_boot_without_a_clock_join_the_day_on_which_it_is_found() -> None:
    traffic = Traffic()
    traffic.note(100, 0, 0, NOVEMBER_30)
    traffic.note(7, 0, 5, None)
    assert traffic.figures().today == Bytes(107)
    figures = traffic.note(0, 0, 10, NOVEMBER_30 + 3 * DAY_MS)
    assert (figures.today, figures.this_month) == (Bytes(7), Bytes(7))


def test_without_a_clock_a_day_is_24_hours_of_running() -> None:
    traffic = Traffic()
    for boot in range(3):
        for hour in range(10):  # ten hours up, then the power is cut
            traffic = Traffic.load(traffic.dump())
            traffic._at_ms = (hour - 1) * HOUR_MS if hour else None
            traffic.note(10, 0, hour * HOUR_MS, None)
        if boot < 2:
            assert traffic.figures().today == Bytes(100 * (boot + 1))
    assert traffic.figures().today.sent < 60
    assert traffic.figures().this_month == Bytes(300)


def test_without_a_clock_a_month_is_31_such_days() -> None:
    traffic = Traffic()
    for day in range(31):
        assert traffic.note(10, 0, day * DAY_MS, None).this_month.sent == 10 * (day + 1)
    assert traffic.note(10, 0, 31 * DAY_MS, None).this_month == Bytes(10)


def test_a_clock_that_goes_back_a_little_begins_no_day_and_by_much_forgets_nothing() -> None:
    traffic = Traffic()
    traffic.note(10, 0, 0, NOVEMBER_30)
    assert traffic.note(1, 0, 1, NOVEMBER_30 - 5_000).today == Bytes(11)
    assert traffic.note(1, 0, 2, NOVEMBER_30 + 5_000).today == Bytes(12)
    assert traffic.note(1, 0, 3, NOVEMBER_30 - 40 * DAY_MS).today == Bytes(13)
    assert traffic.note(1, 0, 4, NOVEMBER_30 - 39 * DAY_MS).today == Bytes(1)
    assert traffic.figures().this_month == Bytes(14)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1_000),
            st.integers(0, 3 * DAY_MS),
            st.none() | st.integers(0, 1 << 52),
        ),
        max_size=40,
    )
)
def test_a_record_comes_back_as_it_was_and_never_counts_more_today_than_ever(
    notes: list[tuple[int, int, int | None]],
) -> None:
    traffic = Traffic()
    for sent, at, utc in notes:
        figures = traffic.note(sent, 1, at, utc)
        assert 0 <= figures.today.sent <= figures.this_month.sent <= figures.ever.sent
    assert figures.ever.sent == sum(note[0] for note in notes) if notes else True
    assert Traffic.load(traffic.dump()).figures() == traffic.figures()


@pytest.mark.parametrize("data", [b"\xff", b"\x80", b"\x85\x01\x02\x03\x04\x05"])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(SpoolError):
        Traffic.load(data)
    with pytest.raises(SpoolError):
        Wear.load(data)


def test_counts_are_written_within_two_windows_and_survive_a_reboot(tmp_path: Path) -> None:
    clock = FakeClock()
    first = opened(tmp_path, clock)
    feed(first, clock, 10)
    first.traffic.note(1_000, 200, clock.boot_ms(), clock.utc_ms())
    first.traffic.tell(2)
    feed(first, clock, 115)
    kill(first)
    clock.reboot()
    again = opened(tmp_path, clock)
    assert again.traffic.figures()[1:] == (Bytes(1_000, 200),) * 3 + (2,)


def test_what_the_card_took_is_summed_over_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    io = tmp_path / "io"
    monkeypatch.setattr("edgenode.spool.wear._IO", io)
    io.write_text("wchar: 5\nwrite_bytes: 1000\n")
    first = opened(tmp_path / "spool", clock)
    io.write_text("wchar: 5\nwrite_bytes: 9000\n")
    feed(first, clock, 70)
    assert first.stats().lifetime_written_bytes == 9_000
    kill(first)
    io.write_text("write_bytes: 500\n")
    again = opened(tmp_path / "spool", clock)
    assert (again.stats().written_bytes, again.stats().lifetime_written_bytes) == (500, 9_500)


def test_days_of_outage_left_follow_from_the_rate_of_the_last_hours(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = opened(tmp_path, clock)
    feed(spool, clock, 500)
    assert spool.stats().outage_days_left is None
    feed(spool, clock, 700)
    stats = spool.stats()
    assert stats.sealed_bytes_per_day is not None
    assert stats.outage_days_left is not None
    assert abs(stats.sealed_bytes_per_day - stats.sealed_bytes * 86_400 / 1_200) < 0.2 * (
        stats.sealed_bytes_per_day
    )
    room = 0.9 * stats.cap_bytes - stats.used_bytes
    assert stats.outage_days_left == pytest.approx(room / stats.sealed_bytes_per_day)
