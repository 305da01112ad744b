"""The rules of time, against a true clock that only the test can see."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from edgenode.cityos.timing import Span, Time, Timeline, influence, usable
from edgenode.reading import Anchor, ClockSource

YEAR = 365 * 86_400_000
START = 1_795_000_000_000
STRONG = st.sampled_from([ClockSource.NTP, ClockSource.PTP, ClockSource.GNSS])
HONEST = st.sampled_from([c for c in ClockSource if c is not ClockSource.NONE])
MONO = st.integers(0, 5 * 86_400_000)


class Boot(NamedTuple):
    """True UTC of boot-time t is start + t * rate; the rate is within 50 ppm of 1."""

    start: int
    rate: Fraction

    def truth(self, t: int) -> Fraction:
        return self.start + t * self.rate


boots = st.builds(
    Boot,
    st.integers(START, START + YEAR),
    st.integers(-50_000, 50_000).map(lambda ppb: 1 + Fraction(ppb, 10**9)),
)


@st.composite
def honest_anchors(
    draw: st.DrawFn,
    boot: Boot,
    sources: st.SearchStrategy[ClockSource],
    least: int = 1,
    after: int = 0,
) -> list[Anchor]:
    """Draw anchors that are within their stated error of the truth."""
    found = []
    for mono in draw(st.lists(MONO.map(lambda t: t + after), min_size=least, unique=True)):
        err = draw(st.integers(1, 2_000))
        low, high = boot.truth(mono) - err, boot.truth(mono) + err
        utc = draw(st.integers(-(-low.numerator // low.denominator), int(high)))
        found.append(Anchor(mono, utc, draw(sources), err))
    return found


def within(time: Time, truth: Fraction) -> bool:
    assert time.utc is not None
    assert time.err is not None
    assert (time.earliest, time.latest) == (time.utc - time.err, time.utc + time.err)
    return abs(time.utc - truth) <= time.err


@given(st.data(), boots, st.lists(MONO, min_size=1))
def test_every_time_is_within_its_stated_error_at_up_to_50_ppm_of_drift(
    data: st.DataObject, boot: Boot, times: list[int]
) -> None:
    timeline = Timeline(data.draw(honest_anchors(boot, HONEST)))
    assert all(within(timeline.at(t), boot.truth(t)) for t in times)


@given(st.data(), boots, st.lists(st.integers(0, 3_600_000), min_size=1))
def test_a_boot_without_time_is_timed_when_ntp_comes_later(
    data: st.DataObject, boot: Boot, times: list[int]
) -> None:
    timeline = Timeline(data.draw(honest_anchors(boot, STRONG, after=3_600_000)))
    assert all(within(timeline.at(t), boot.truth(t)) for t in times)


@given(st.data(), boots, st.lists(MONO, min_size=1), st.sampled_from([-YEAR, YEAR]))
def test_a_wall_clock_a_year_off_that_nothing_vouches_for_changes_nothing(
    data: st.DataObject, boot: Boot, times: list[int], off: int
) -> None:
    anchors = data.draw(honest_anchors(boot, STRONG))
    noise = [
        Anchor(t + 1, int(boot.truth(t + 1)) + off, ClockSource.NONE, 0)
        for t in data.draw(st.lists(MONO))
    ]
    alone, beside = Timeline(anchors), Timeline([*anchors, *noise])
    assert [beside.at(t) for t in times] == [alone.at(t) for t in times]


@given(st.data(), boots, MONO, st.sampled_from([-YEAR, YEAR]), st.lists(MONO, min_size=1))
def test_a_vouched_step_of_a_year_is_never_interpolated_across(
    data: st.DataObject, boot: Boot, mono: int, off: int, times: list[int]
) -> None:
    honest = data.draw(honest_anchors(boot, STRONG, least=2))
    liar = Anchor(mono, int(boot.truth(mono)) + off, ClockSource.NTP, 5)
    timeline = Timeline([*honest, liar])
    for t in times:
        time = timeline.at(t)
        told = boot.truth(t)
        assert within(time, told) or within(time, told + off)


@given(st.data(), boots, MONO, st.sampled_from([-YEAR, YEAR]), st.lists(MONO, min_size=1))
def test_an_anchor_that_lies_but_is_unsure_of_itself_deceives_nobody(
    data: st.DataObject, boot: Boot, mono: int, off: int, times: list[int]
) -> None:
    honest = data.draw(honest_anchors(boot, STRONG))
    liar = Anchor(mono, int(boot.truth(mono)) + off, ClockSource.NTP, 100_000)
    timeline = Timeline([*honest, liar])
    assert all(within(timeline.at(t), boot.truth(t)) for t in times)


ANY = st.builds(
    Anchor,
    st.integers(0, 1_000),
    st.integers(START, START + 1_000),
    st.sampled_from(list(ClockSource)),
    st.integers(0, 40),
)
# Anchors that mostly agree, at distances where 50 ppm is many ms, some of them lying.
FAR = st.builds(
    lambda step, off, source, err: Anchor(
        step * 400_000, START + step * 400_000 + off, source, err
    ),
    st.integers(0, 12),
    st.sampled_from([0, 0, 1, -3, 90_000]),
    st.sampled_from([*ClockSource, ClockSource.NTP, ClockSource.NTP]),
    st.integers(0, 60),
)


@given(st.lists(ANY | FAR, max_size=7), st.lists(ANY | FAR, min_size=1, max_size=3))
def test_beyond_the_influence_of_new_anchors_no_time_changes(
    old: list[Anchor], new: list[Anchor]
) -> None:
    before, after = Timeline(old), Timeline([*old, *new])
    fresh = [a for a in usable(new) if a not in old]
    ranges = [influence(usable([*old, *new]), a) for a in fresh]
    moments = {a.mono + d for a in [*old, *new] for d in (-1, 0, 1, 7, 150_000, 200_000)}
    for t in moments:
        if any((low is None or t >= low) and (high is None or t <= high) for low, high in ranges):
            continue
        assert after.at(t) == before.at(t)


def test_between_agreeing_anchors_time_is_interpolated_in_integers() -> None:
    a = Anchor(1_000, START, ClockSource.NTP, 5)
    b = Anchor(101_000, START + 100_010, ClockSource.GNSS, 7)
    timeline = Timeline([b, a])
    # 30,000 ms on: 100,010 * 30,000 // 100,000 = 30,003; err = 7 + 50 ppm of 30 s rounded up.
    assert timeline.at(31_000) == Time(
        START + 30_003, 9, START + 29_994, START + 30_012, ClockSource.NTP
    )
    assert timeline.at(99_000).clock == ClockSource.GNSS
    assert timeline.at(1_000) == Time(START, 7, START - 7, START + 7, ClockSource.NTP)


def test_anchors_that_disagree_are_extended_at_slope_one_from_the_better() -> None:
    a = Anchor(0, START, ClockSource.NTP, 20)
    b = Anchor(1_000_000, START + 1_000_500, ClockSource.NTP, 30)  # 500 ms off; 250 would do
    timeline = Timeline([a, b])
    assert timeline.at(400_000) == Time(
        START + 400_000, 40, START + 399_960, START + 400_040, ClockSource.NTP
    )
    assert timeline.at(900_000).utc == START + 900_500
    agreeing = Timeline([a, b._replace(utc=START + 1_000_250)])
    assert agreeing.at(400_000).utc == START + 400_100


def test_a_weak_source_is_never_interpolated() -> None:
    a = Anchor(0, START, ClockSource.RTC, 20)
    b = Anchor(1_000_000, START + 1_000_100, ClockSource.RTC, 20)
    assert Timeline([a, b]).at(400_000).utc == START + 400_000


def test_a_weak_anchor_between_two_strong_ones_does_not_part_them() -> None:
    a = Anchor(0, START, ClockSource.NTP, 5)
    b = Anchor(1_000_000, START + 1_000_100, ClockSource.NTP, 5)
    weak = Anchor(500_000, START, ClockSource.NTP_UNSYNCED, 0)
    assert Timeline([a, b, weak]).at(500_000).utc == START + 500_050


def test_an_epoch_without_anchors_says_only_between_what_it_lies() -> None:
    assert Timeline([], Span(5, 9)).at(1) == Time(None, None, 5, 9, ClockSource.NONE)
    ignored = Anchor(0, START, ClockSource.NONE, 5)
    unknown = Anchor(0, START, 99, 5)
    assert Timeline([ignored, unknown]).at(1) == Time(None, None, None, None, ClockSource.NONE)
