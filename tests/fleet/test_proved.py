"""What sensors of a daemon said, followed row by row."""

from __future__ import annotations

from edgenode.cityos.sink import ReadingRow
from edgenode.demo.evidence import Said
from edgenode.fleet.proved import follow

NAME = "r0-1/temperature_0"


def said(*values: float) -> list[Said]:
    return [Said(NAME, n, value, n * 1_000, "ok") for n, value in enumerate(values)]


def row(n: int, value: float) -> ReadingRow:
    return ReadingRow(
        b"spool", 0, 1, n, 1, n * 1_000, NAME, value, 0, None, None, None, None, 0, "Cel"
    )


def test_rows_in_order_are_found_and_what_only_proved_a_part_is_passed_over() -> None:
    rows = [row(n, value) for n, value in ((1, 20.1), (2, 20.2), (3, 20.3))]
    assert follow(said(20.1, 20.1, 20.2, 20.3), rows, 0.1) == (3, [])


def test_a_row_that_nobody_said_is_a_problem_and_the_next_is_found_all_the_same() -> None:
    found, problems = follow(
        said(20.1, 20.2, 20.3), [row(0, 20.1), row(1, 20.4), row(2, 20.3)], 0.1
    )
    assert found == 2
    assert problems == [f"{NAME} at 1000 ms: 20.4: no sensor said this"]


def test_what_was_said_once_is_not_found_twice() -> None:
    assert follow(said(20.1), [row(0, 20.1), row(1, 20.1)], 0.1)[0] == 1


def test_what_was_said_at_another_time_is_not_the_row() -> None:
    assert follow(said(20.1), [row(60, 20.1)], 0.1)[0] == 0
