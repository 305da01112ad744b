"""What goes through the door of the spool is a number, or says that it is none."""

from __future__ import annotations

import pytest

from edgenode.cityos.unfold import NUMBERED
from edgenode.reading import Quality, Sample
from edgenode.spool.door import Door
from edgenode.spool.rows import decode_row
from tests.support.spools import METER


def came_through(value: float | None, quality: Quality) -> tuple[float | None, int]:
    width = len(METER.channels)
    sample = Sample((value,) * width, (quality,) * width)
    _, _, values, qualities = decode_row(Door(METER).row(0, sample).data)
    return values[0], qualities[0]


@pytest.mark.parametrize("quality", sorted(set(Quality) - {Quality.OK}))
def test_what_has_no_number_has_a_quality_beside_which_there_is_none(quality: Quality) -> None:
    value, how = came_through(None, quality)
    assert value is None
    assert how not in NUMBERED, "else the number of another row is taken for it"
    assert how == (Quality.MISSING if quality in NUMBERED else quality)


@pytest.mark.parametrize("quality", sorted(NUMBERED - {Quality.OK}))
def test_a_number_keeps_its_quality(quality: Quality) -> None:
    value, how = came_through(1.0, quality)
    assert value is not None
    assert how == quality
