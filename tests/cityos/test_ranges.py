from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edgenode.cityos.ranges import Range, holes, minus, size, union

parts = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda x: (min(x), max(x))))


def numbers(ranges: list[Range]) -> set[int]:
    return {n for first, last in ranges for n in range(first, last + 1)}


@given(parts)
def test_a_union_holds_the_same_numbers_in_ranges_that_do_not_touch(ranges: list[Range]) -> None:
    joined = union(ranges)
    assert numbers(joined) == numbers(ranges)
    assert all(a[1] + 1 < b[0] for a, b in pairwise(joined))
    assert size(joined) == len(numbers(ranges))


@given(parts, parts)
def test_minus_takes_out_exactly_what_is_gone(wanted: list[Range], gone: list[Range]) -> None:
    assert numbers(minus(wanted, gone)) == numbers(wanted) - numbers(gone)


@given(parts, st.integers(0, 50))
def test_holes_are_what_is_missing_below_the_highest(held: list[Range], lowest: int) -> None:
    top = max(numbers(held), default=lowest - 1)
    assert numbers(holes(held, lowest)) == set(range(lowest, top + 1)) - numbers(held)


def test_empty_ranges_are_nothing() -> None:
    assert union([(5, 4)]) == []
