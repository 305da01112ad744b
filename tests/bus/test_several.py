"""Several lines as one wire: opened together, merged by their stamps, closed together."""

from __future__ import annotations

import pytest

from edgenode.bus import NamedChange
from edgenode.bus.several import LineGroup
from edgenode.errors import BusError
from tests.support.fake_line import FakeState


def test_changes_of_all_lines_come_in_the_order_of_their_stamps() -> None:
    lines = [FakeState(), FakeState(active=True)]
    group = LineGroup({"red": 0, "green": 1}, lambda number: lines[number])
    assert group.states() == {"red": False, "green": True}
    lines[0].change(10, 30)
    lines[1].change(20)
    changes, missed = group.changes()
    assert changes == [
        NamedChange(10, "red", active=True),
        NamedChange(20, "green", active=False),
        NamedChange(30, "red", active=False),
    ]
    assert missed == {}
    assert group.states() == {"red": False, "green": False}
    group.close()


def test_two_changes_of_one_line_in_one_ms_keep_their_order() -> None:
    line = FakeState()
    group = LineGroup({"red": 0}, lambda _: line)
    line.change(10, 10)
    assert [change.active for change in group.changes()[0]] == [True, False]
    group.close()


def test_it_says_of_which_line_changes_were_missed() -> None:
    lines = [FakeState(queue=1), FakeState()]
    group = LineGroup({"red": 0, "green": 1}, lambda number: lines[number])
    lines[0].change(10, 20, 30)
    assert group.changes()[1] == {"red": 2}
    group.close()


def test_a_line_that_cannot_be_had_leaves_none_open() -> None:
    first = FakeState()

    def opened(number: int) -> FakeState:
        if number:
            raise BusError("fake: another program holds this line")
        return first

    with pytest.raises(BusError, match="another program"):
        LineGroup({"red": 0, "green": 1}, opened)
    assert first.closed == 1
