"""The newest measurement of a part that is asked for it: how it ages, and when it is lost."""

from __future__ import annotations

import pytest

from edgenode.bus.held import Held, Rhythm, aged
from edgenode.errors import BusTimeout
from edgenode.reading import Quality, Sample

FRESH = Sample((1.0, None), (Quality.OK, Quality.FAULT))


@pytest.fixture
def held() -> Held:
    return Held(Rhythm("X1", late_ms=10, silent_ms=40, if_silent="is it on?"), 2)


def test_before_the_first_measurement_there_is_no_number(held: Held) -> None:
    assert held.newest(1_000, None) == Sample((None, None), (Quality.SETTLING,) * 2)
    assert held.newest(1_040, None).values == (None, None)


def test_a_part_that_never_measures_is_lost_as_late_as_one_that_stops(held: Held) -> None:
    held.newest(1_000, None)
    with pytest.raises(BusTimeout, match=r"X1: measured nothing .* is it on"):
        held.newest(1_041, None)


def test_a_measurement_is_given_again_until_it_is_late_and_stale_until_it_is_lost(
    held: Held,
) -> None:
    assert held.newest(1_000, FRESH) is FRESH
    assert held.newest(1_010, None) is FRESH
    assert held.newest(1_011, None).quality == (Quality.STALE, Quality.FAULT)
    assert held.newest(1_040, None).values == FRESH.values
    with pytest.raises(BusTimeout):
        held.newest(1_041, None)


def test_a_fresh_measurement_begins_anew(held: Held) -> None:
    held.newest(1_000, FRESH)
    held.newest(1_030, Sample((2.0, 3.0)))
    assert held.newest(1_040, None) == Sample((2.0, 3.0))


def test_what_is_no_number_does_not_become_stale() -> None:
    assert aged(FRESH).quality == (Quality.STALE, Quality.FAULT)
    assert aged(Sample((1.0,))).quality == (Quality.STALE,)
