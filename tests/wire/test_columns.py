"""Packed columns are as short as the format allows, and are read to the last bit."""

from __future__ import annotations

import random

import pytest

from edgenode.errors import WireError
from edgenode.wire.columns import pack, unpack
from tests.wire.vectors.raw import bits

FIVE = "000100 1010"


@pytest.mark.parametrize(
    ("values", "digits"),
    [
        ((0,), "000 000000"),
        ((5,), f"000 {FIVE}"),
        ((-3,), "000 000011 101"),
        ((5, 5, 5), f"000 {FIVE}"),
        ((0, 1, 2, 4), "010 000000 00001 0 0 1 0 0"),
        ((0, 8) * 3, "001 000000 00100 10 0000 0 0000 10 0000 0 0000 10 0000"),
        ((5, 6, 5, 6, 5), f"001 {FIVE} 00000 110 0 110 0"),
        ((0, 3, 6, 9, 12, 15, 18), "011 000000 00000 1111110 0 0 0 0 0"),
        ((0,) * 40 + (9,) * 2, None),
    ],
)
def test_the_shortest_mode_is_chosen(values: tuple[int, ...], digits: str | None) -> None:
    packed = pack([values])
    assert unpack(packed, len(values), 1) == (list(values),)
    if digits is not None:
        assert len(packed) <= len(bits(digits))


def test_columns_follow_each_other_without_padding() -> None:
    assert pack([None, (0,), None]) == bits("111 000 000000 111")
    assert pack([]) == b""


def test_the_end_is_padded_with_ones() -> None:
    assert pack([(0,)]) == bytes([0b00000000, 0b01111111])


def test_a_value_of_two_to_the_fifty_is_refused() -> None:
    for value in (2**50, -(2**50)):
        with pytest.raises(WireError, match="coarser scale"):
            pack([(0, value)])


def reference_bits(values: list[int], order: int, k: int) -> int:
    """Length of mode 1 + order by the words of the format, written apart from the codec."""
    residuals = [b - values[0] for b in values[1:]]
    if order:
        residuals = [values[at] - values[at - 1] for at in range(1, len(values))]
    if order == 2:
        residuals = residuals[:1] + [b - a for a, b in zip(residuals, residuals[1:], strict=False)]  # noqa: RUF007 - spelt out on purpose
    total = 3 + 6 + (2 * abs(values[0]) - (values[0] < 0)).bit_length() + 5
    for x in residuals:
        u = 2 * x if x >= 0 else -2 * x - 1
        quotient = u // 2**k
        total += quotient + 1 + k if quotient < 16 else 16 + 7 + u.bit_length()
    return total


def test_no_rice_mode_would_have_been_shorter() -> None:
    rng = random.Random(7)
    for _ in range(150):
        spread = rng.choice([1, 3, 20, 400, 10**5])
        values = [rng.randrange(spread) + rng.choice([0, 0, 0, 7 * spread]) for _ in range(40)]
        best = min(reference_bits(values, order, k) for order in range(3) for k in range(32))
        assert len(pack([values])) <= (best + 7) // 8


def test_long_runs_of_still_values_cost_next_to_nothing() -> None:
    assert len(pack([(7,) * 500 + (9,) * 500])) <= 8


@pytest.mark.parametrize("size", [1, 2, 4096])
def test_any_number_of_rows_comes_back(size: int) -> None:
    values = [at * at % 977 for at in range(size)]
    assert unpack(pack([values, None, values]), size, 3) == (values, None, values)
