"""What stands in a column where there is no number: rules of docs/wire-format.md, "Values"."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from edgenode.reading import Channel, Kind, Quality
from edgenode.spool.rows import sample_row
from edgenode.spool.sealer import contents


def column_of(kind: Kind, values: Sequence[float | None], quality: Quality) -> list[float]:
    """Return how the values of one channel stand in its column."""
    rows = [
        sample_row(1, at, [value], [quality if value is None else Quality.OK])
        for at, value in enumerate(values)
    ]
    (group,) = contents(rows, {1: (Channel("a/b", "V", 0, kind),)}).groups
    (column,) = group.columns
    return list(column or ())


@pytest.mark.parametrize("quality", [Quality.MISSING, Quality.FAULT])
def test_before_its_first_number_a_float_channel_repeats_zero(quality: Quality) -> None:
    assert column_of(Kind.FLOAT, [None, 1.5, None], quality) == [0.0, 1.5, 1.5]


def test_before_its_first_number_a_scaled_channel_shows_the_next() -> None:
    assert column_of(Kind.GAUGE, [None, None, 7, None], Quality.MISSING) == [7, 7, 7, 7]


def test_a_scaled_channel_without_any_number_shows_zero() -> None:
    assert column_of(Kind.GAUGE, [None, None], Quality.MISSING) == [0, 0]
