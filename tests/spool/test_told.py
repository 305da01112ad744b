"""Which clock is believed: the kernel's, a person's word, or a receiver on a wire."""

from __future__ import annotations

import pytest

from edgenode.clock import TOLD_MS, Timekeeper, best
from edgenode.reading import Anchor, ClockSource
from tests.support.clock import FakeClock

UTC = 1_795_000_000_000


def clock(source: ClockSource = ClockSource.NONE, err_ms: int = 0, wrong_ms: int = 0) -> FakeClock:
    """Return a clock whose boot-time is 10 s at `UTC`, which its wall clock may not know."""
    made = FakeClock(10_000, UTC + wrong_ms)
    made.source, made.err_ms = source, err_ms
    return made


def gnss(err_ms: int = 550, wrong_ms: int = 0) -> Anchor:
    return Anchor(10_000, UTC + wrong_ms, ClockSource.GNSS, err_ms)


def test_a_wall_clock_for_which_nobody_vouches_gives_way_to_a_receiver() -> None:
    node = clock(wrong_ms=-86_400_000)
    assert best(node).source == ClockSource.NONE
    node.tell(gnss())
    assert best(node) == (10_000, UTC, ClockSource.GNSS, 550)


def test_a_person_is_believed_only_where_there_is_no_receiver() -> None:
    node = clock(ClockSource.MANUAL, 100, wrong_ms=-86_400_000)
    assert best(node).source == ClockSource.MANUAL
    node.tell(gnss())
    assert best(node)[1:3] == (UTC, ClockSource.GNSS)


@pytest.mark.parametrize(
    ("ntp_err", "gnss_err", "source"),
    [(20, 550, ClockSource.NTP), (550, 550, ClockSource.NTP), (900, 550, ClockSource.GNSS)],
)
def test_of_ntp_and_a_receiver_the_surer_is_believed(
    ntp_err: int, gnss_err: int, source: ClockSource
) -> None:
    node = clock(ClockSource.NTP, ntp_err, wrong_ms=15)
    node.tell(gnss(gnss_err))
    assert best(node).source == source


@pytest.mark.parametrize(("apart", "source"), [(1_450, ClockSource.GNSS), (1_451, ClockSource.NTP)])
def test_a_receiver_that_contradicts_ntp_is_not_believed(apart: int, source: ClockSource) -> None:
    node = clock(ClockSource.NTP, 900)
    node.tell(gnss(550, wrong_ms=apart))
    assert best(node).source == source


def test_what_was_told_grows_less_sure_and_ends_after_an_hour() -> None:
    node = clock()
    node.tell(gnss())
    node.advance(1_000_000)
    assert best(node) == (1_010_000, UTC + 1_000_000, ClockSource.GNSS, 550 + 50)
    node.advance(TOLD_MS - 1_000_000)
    assert best(node).source == ClockSource.GNSS
    node.advance(1)
    assert best(node).source == ClockSource.NONE


def test_a_less_sure_word_does_not_replace_a_surer_one() -> None:
    node = clock()
    node.tell(gnss(550))
    node.advance(1_000)
    node.tell(Anchor(11_000, UTC + 1_000, ClockSource.GNSS, 18_550))
    assert best(node).err == 550
    node.tell(Anchor(11_000, UTC + 1_000, ClockSource.GNSS, 550))
    node.advance(100_000)
    assert best(node).err == 555


def test_the_first_word_of_a_receiver_is_an_anchor_and_no_step_of_the_clock() -> None:
    node = clock(wrong_ms=-86_400_000)
    keeper = Timekeeper(node)
    assert keeper.observe() == (None, 0)
    node.tell(gnss(18_550))
    assert keeper.observe() == ((10_000, UTC, ClockSource.GNSS, 18_550), 0)
    node.advance(5_000)
    assert keeper.observe() == (None, 0)
    node.tell(Anchor(15_000, UTC + 5_000, ClockSource.GNSS, 550))
    assert keeper.observe() == ((15_000, UTC + 5_000, ClockSource.GNSS, 550), 0)


def test_a_step_of_the_wall_clock_is_told_also_where_a_receiver_is_believed() -> None:
    node = clock(wrong_ms=-86_400_000)
    node.tell(gnss())
    keeper = Timekeeper(node)
    keeper.observe()
    node.step(3_600_000)
    anchor, stepped_ms = keeper.observe()
    assert stepped_ms == 3_600_000
    assert anchor is not None
    assert anchor.utc == UTC
