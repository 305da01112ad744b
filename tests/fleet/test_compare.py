"""The ledger against the city's table: what is missing, alien or there twice is counted."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edgenode.fleet.account import reckon
from edgenode.fleet.compare import Comparison, Row, compare
from edgenode.fleet.ledger import Killed, Ledger, read_kills, read_rows
from edgenode.fleet.sensors import sensors

NODE = "f1ee00000001"


def row(mono: int = 1_000, value: Any = 20.1, channel: str = "s1/temperature_0") -> Row:
    return Row(NODE, 7, channel, mono, value)


def test_tables_with_the_same_rows_in_any_order_are_equal() -> None:
    rows = [row(n) for n in range(100)]
    found = compare(iter(rows), reversed(rows))
    assert found == Comparison(made=100, held=100, missing=0, alien=0, repeated=0)
    assert found.equal


@pytest.mark.parametrize("value", [20.1, Decimal("20.100000"), 20.1 + 1e-12], ids=type)
def test_a_value_is_the_same_out_of_any_database(value: Any) -> None:
    assert compare([row(value=20.1)], [row(value=value)]).equal


def test_what_was_made_and_is_not_held_is_missing() -> None:
    found = compare([row(1), row(2)], [row(1)])
    assert (found.missing, found.alien, found.repeated) == (1, 0, 0)
    assert found.rows == (row(2),)
    assert not found.equal


def test_what_was_never_made_is_alien() -> None:
    found = compare([row(1)], [row(1), row(2)])
    assert (found.missing, found.alien, found.repeated) == (0, 1, 0)


def test_what_is_held_twice_is_counted_although_except_does_not_see_it() -> None:
    found = compare([row(1)], [row(1), row(1), row(1)])
    assert (found.missing, found.alien, found.repeated) == (0, 0, 2)
    assert not found.equal


@pytest.mark.parametrize(
    "other",
    [
        row(mono=1_001), row(value=20.2), row(channel="s1/humidity_1"),
        row()._replace(epoch=8), row()._replace(node="f1ee00000002"),
    ],
)  # fmt: skip
def test_a_row_that_differs_anywhere_is_another_row(other: Row) -> None:
    found = compare([row()], [other])
    assert (found.missing, found.alien) == (1, 1)


def test_a_kill_explains_what_one_commit_interval_before_it_held_and_nothing_else() -> None:
    kill = Killed(NODE, 7, 60_000)
    made = [row(n * 1_000) for n in range(70)]
    held = [one for one in made if not 56_000 <= one.mono <= 60_000]
    told = reckon(made, held, [kill], commit_ms=5_000)
    assert (told.killed, told.unexplained, told.closes) == (5, 0, True)
    told = reckon(made, held, [], commit_ms=5_000)
    assert (told.killed, told.unexplained, told.closes) == (0, 5, False)
    earlier = [one for one in held if one.mono != 40_000]
    assert reckon(made, earlier, [kill], commit_ms=5_000).unexplained == 1
    stranger = kill._replace(node="f1ee00000002")
    assert reckon(made, held, [stranger], commit_ms=5_000).unexplained == 5


def test_a_ledger_of_several_writers_is_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    head = Ledger(path)
    head.sensors(sensors(5, 1_000))
    head.close()
    writers = [Ledger(path), Ledger(path)]
    for n, writer in enumerate(writers * 500):
        writer.made(NODE, 7, n, 1_795_000_000_000 + n, "s1", "20.1 44.0 113.0 2.6")
        writer.made(NODE, 7, n, 1_795_000_000_000 + n, "s2", "61.5")
    writers[0].killed(NODE, 7, 12)
    for writer in writers:
        writer.close()
    rows = list(read_rows(path))
    assert len(rows) == 5_000
    assert len(set(rows)) == 5_000
    assert Row(NODE, 7, "s1/no2_2", 3, 113.0) in rows
    assert Row(NODE, 7, "s2/speed_0", 3, 61.5) in rows
    assert read_kills(path) == [Killed(NODE, 7, 12)]
