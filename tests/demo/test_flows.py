"""A radar's sums close for the vehicles that passed, and for no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from edgenode.demo.account import account
from edgenode.demo.evidence import Evidence, Row, Said

SPOOL = b"\x01" * 8
COUNT, SPEED = "radar/vehicles_toward", "radar/speed_toward"
STEP = {COUNT: 1.0, SPEED: 0.1}


def road(*sums: tuple[int, float | None, float | None], kills: tuple[int, ...] = ()) -> Evidence:
    """A vehicle each second from 0 s to 39 s at 40 and 60 km/h in turn; rows of count and mean."""
    said = [Said(COUNT, n, 1, 1000 * n, "ok") for n in range(40)]
    said += [Said(SPEED, n, 40 + n % 2 * 20, 1000 * n, "ok") for n in range(40)]
    rows = [row for at, count, mean in sums for row in ((COUNT, at, count), (SPEED, at, mean))]
    return Evidence(
        said=said,
        rows=[Row(SPOOL, 0, 1, n, name, at, v) for n, (name, at, v) in enumerate(rows)],
        events=[],
        losses=[],
        kills=kills,
        grace_ms=1500,
        tolerance_ms=200,
        steps=STEP,
        flows={COUNT: SPEED},
    )


def problems(found: Evidence) -> str:
    return "\n".join(account(found).problems)


def test_sums_of_what_passed_agree_and_nothing_is_told_of_the_time_before_the_opening() -> None:
    found = account(road((500, None, None), (10_500, 10, 50.0), (20_500, 10, 50.0)))
    assert found.closes
    assert (found.vehicles, found.flows, found.unanswered, found.said) == (40, 4, 2, 0)


@pytest.mark.parametrize(("count", "closes"), [(8, False), (9, True), (11, True), (12, False)])
def test_a_vehicle_at_the_edge_may_be_in_or_not_and_no_others(count: int, closes: bool) -> None:  # noqa: FBT001 - a case
    evidence = road((500, None, None), (10_500, count, None))
    assert account(evidence).closes is closes
    assert closes or f"{count}: 9 to 11 vehicles passed" in problems(evidence)


@pytest.mark.parametrize(("mean", "closes"), [(49.7, False), (50.1, True), (54.5, False)])
def test_a_mean_is_one_that_such_vehicles_can_have(mean: float, closes: bool) -> None:  # noqa: FBT001 - a case
    evidence = road((500, None, None), (10_500, 10, mean))
    assert account(evidence).closes is closes
    assert closes or "the vehicles had 49.9 to 50.1 km/h" in problems(evidence)


def test_what_was_held_back_is_told_with_the_next_row() -> None:
    held = ((500, None, None), (10_500, None, None), (20_500, 20, 50.0))
    assert account(road(*held)).closes
    assert account(road(*held[:2], (20_500, 10, 50.0))).closes, "or it was not held back, but lost"
    assert "passed" in problems(road(*held[:2], (20_500, 24, 50.0)))


def test_a_new_life_of_the_daemon_counts_from_its_start() -> None:
    rows = ((500, None, None), (10_500, 10, 50.0), (20_500, None, None), (30_500, 10, 50.0))
    assert account(road(*rows, kills=(15_000,))).closes
    twice = (*rows[:2], (20_500, 17, 50.0))
    assert "passed" in problems(road(*twice, kills=(15_000,)))


def test_a_radar_that_is_never_told_of_is_found_out() -> None:
    silent = ((500, None, None), (10_500, None, None))
    assert problems(road(*silent)) == f"{COUNT}: vehicles pass, and no row has a number"
    assert account(road(silent[0])).closes, "no interval was over yet"


def test_a_vehicle_whose_time_nobody_logged_is_no_vehicle() -> None:
    evidence = road((500, None, None), (10_500, 10, 50.0))
    fates: Mapping[str, str] = {COUNT: "nack", SPEED: "nack"}
    said = [s._replace(fate=fates[s.channel]) for s in evidence.said]
    assert "0 to 0 vehicles passed" in problems(replace(evidence, said=said))
