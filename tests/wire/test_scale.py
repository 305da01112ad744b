"""Floats become the integers that travel by exact arithmetic, and come back with one rounding."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.errors import WireError
from edgenode.wire import scaled, unscaled

TOP = 2**50 - 1


@given(st.floats(-1e6, 1e6), st.integers(-8, 8))
def test_the_integer_is_the_exact_quotient_rounded_half_to_even(value: float, scale: int) -> None:
    assert scaled(value, scale) == round(Fraction(value) / Fraction(10) ** scale)


@given(st.integers(-TOP, TOP), st.integers(-18, 18))
def test_an_integer_of_up_to_15_digits_survives_the_way_to_a_float_and_back(
    v: int, scale: int
) -> None:
    v %= 10**15
    assert scaled(unscaled(v, scale), scale) == v


@pytest.mark.parametrize(
    ("value", "scale", "expected"),
    [
        (0.5, 0, 0),
        (1.5, 0, 2),
        (2.5, 0, 2),
        (-2.5, 0, -2),
        (0.125, -2, 12),
        (0.15, -1, 1),  # the float 0.15 is below 15/100
        (2.675, -2, 267),
        (25.0, 1, 2),
        (35.0, 1, 4),
        (-0.0, -3, 0),
    ],
)
def test_ties_go_to_even_and_floats_are_what_they_are(
    value: float, scale: int, expected: int
) -> None:
    assert scaled(value, scale) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_never_travels(value: float) -> None:
    with pytest.raises(WireError, match="flag the reading"):
        scaled(value, 0)


@pytest.mark.parametrize(("value", "scale"), [(2.0**50, 0), (-(2.0**50), 0), (1e300, -18)])
def test_what_reaches_two_to_the_fifty_never_travels(value: float, scale: int) -> None:
    with pytest.raises(WireError, match="coarser scale"):
        scaled(value, scale)


def test_the_largest_value_travels() -> None:
    assert scaled(float(TOP), 0) == TOP
    assert unscaled(TOP, -18) == TOP / 10**18
