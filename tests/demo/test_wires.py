"""Streams, states, and what is computed close for what may happen, and for nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from edgenode.demo.account import account
from edgenode.demo.computed import dew_point
from edgenode.demo.evidence import Evidence, Formula, Happened, Numbered, Row, Said
from edgenode.reading import EventCode, Quality

SPOOL = b"\x01" * 8
STALE = int(Quality.STALE)
DUST, SIGNAL, CHANGES = "dust/pm25", "signal/state", "signal/changes"


def evidence(said: list[Said], rows: list[Row], **more: object) -> Evidence:
    numbered = [row._replace(ordinal=n) for n, row in enumerate(rows)]
    steps = {row.channel: 1.0 for row in rows} | {s.channel: 1.0 for s in said}
    made = Evidence(
        said=said,
        rows=numbered,
        events=[],
        losses=[],
        kills=[],
        grace_ms=1500,
        tolerance_ms=100,
        steps=steps,
        periods=dict.fromkeys(steps, 2000),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def row(channel: str, t_ms: int, value: float | None, quality: int = 0) -> Row:
    return Row(SPOOL, 0, 1, 0, channel, t_ms, value, quality)


def problems(found: Evidence) -> str:
    return "\n".join(account(found).problems)


def stream(*rows: tuple[int, float | None, int]) -> Evidence:
    """Frames of 10, 20, 30 … µg/m³ at 1 s, 2 s, 3 s …, five of them."""
    said = [Said(DUST, n, 10 * n, 1000 * n, "ok") for n in range(1, 6)]
    found = evidence(said, [row(DUST, *r) for r in rows])
    return replace(found, streams=frozenset({DUST}))


def test_each_row_of_a_stream_is_its_newest_frame() -> None:
    found = account(stream((1500, 10, 0), (1700, 10, 0), (4500, 40, 11), (5900, 50, 0)))
    assert found.closes
    assert (found.streamed, found.said, found.matched) == (4, 0, 0)


def test_old_air_told_as_new_is_found_out() -> None:
    assert "the newest frame said 30" in problems(stream((3500, 20, 0)))


def test_a_value_that_no_frame_said_is_found_out() -> None:
    assert "the newest frame said 30" in problems(stream((3500, 33, 0)))
    assert "the newest frame said none" in problems(stream((500, 10, 0)))


def test_the_frame_of_the_very_moment_may_be_in_or_not() -> None:
    assert account(stream((3020, 20, 0), (3980, 40, 0))).closes


def test_a_frame_of_long_ago_is_told_as_stale_and_not_for_ever() -> None:
    assert account(stream((5000, 50, 0), (8500, 50, STALE))).closes
    assert "not told as that old" in problems(stream((8500, 50, 0)))
    assert "not told as that old" in problems(stream((15_000, 50, STALE)))


def test_a_row_of_a_stream_without_a_number_is_counted_as_such() -> None:
    found = account(stream((3500, 30, 0), (9000, None, 5)))
    assert (found.closes, found.unanswered) == (True, 1)


def test_an_instrument_that_speaks_in_vain_is_found_out() -> None:
    assert "no row has a number" in problems(stream((3500, None, 5)))


def event(t_ms: int, value: object, channel: str = SIGNAL) -> Happened:
    return Happened(channel, EventCode.STATE_CHANGED, t_ms, value)


def states(events: list[Happened], rows: list[Row] | None = None, **more: object) -> Evidence:
    """Active from 1 s, inactive from 2 s, active from 3 s, inactive from 4 s on."""
    said = [Said(SIGNAL, n, n % 2, 1000 * n, "ok") for n in range(1, 5)]
    return evidence(
        said,
        rows or [row(SIGNAL, 500, 0)],
        states=frozenset({SIGNAL}),
        happened=events,
        **more,
    )


ALL = [event(1000 * n + n % 3 - 1, [n % 2, 999]) for n in range(1, 5)]


def test_every_change_is_an_event_with_its_state_and_time() -> None:
    found = account(states(ALL))
    assert found.closes
    assert (found.changes, found.changes_told, found.states) == (4, 4, 1)


@pytest.mark.parametrize(
    ("spoil", "betrayed"),
    [
        (lambda e: e[1:], "1000 ms: changed to 1, and no event tells"),
        (lambda e: [*e, event(2500, [1, 5])], "no instrument changed then"),
        (lambda e: [*e, e[0]], "no instrument changed then"),
        (lambda e: [e[0]._replace(value=[0, 9]), *e[1:]], "the instrument said 1"),
        (lambda e: [e[0]._replace(mono=1010), *e[1:]], "no instrument changed then"),
    ],
    ids=["missing", "invented", "twice", "inverted", "late"],
)
def test_an_event_that_is_not_the_change_is_found_out(
    spoil: Callable[[list[Happened]], list[Happened]], betrayed: str
) -> None:
    assert betrayed in problems(states(spoil(ALL)))


def test_a_change_that_nobody_watched_needs_no_event_and_is_a_state_all_the_same() -> None:
    found = states(ALL[1:], [row(SIGNAL, 1500, 1)])
    said = [found.said[0]._replace(fate="nack"), *found.said[1:]]
    assert account(replace(found, said=said)).closes


def test_a_kill_may_take_the_changes_of_its_open_commit_and_no_others() -> None:
    found = account(states(ALL[:3], kills=[4500]))
    assert (found.closes, found.lost_changes) == (True, 1)
    assert "2000 ms: changed to 0" in problems(states([ALL[0], *ALL[2:]], kills=[4500]))
    assert "1000 ms: changed to 1" in problems(states(ALL[1:], kills=[4500]))


@pytest.mark.parametrize(
    ("t_ms", "state", "closes"),
    [(500, 0, True), (500, 1, False), (1500, 1, True), (1500, 0, False), (2050, 1, True),
     (2050, 0, True), (9000, 0, True), (9000, 1, False)],
)  # fmt: skip
def test_a_row_says_the_state_of_its_time(t_ms: int, state: int, closes: bool) -> None:  # noqa: FBT001 - a case
    assert account(states(ALL, [row(SIGNAL, t_ms, state)])).closes is closes


def test_the_changes_of_a_state_are_counted_like_pulses() -> None:
    said = [Said(CHANGES, n, n % 2, 1000 * n, "ok") for n in range(1, 5)]
    rows = [row(CHANGES, 1500, 1), row(CHANGES, 3500, 3)]
    found = evidence(said, rows, counters=frozenset({CHANGES}))
    assert account(found).closes
    wrong = replace(found, rows=[r._replace(value=2) for r in found.rows])
    assert "pulses are due" in problems(wrong)


def computed(value: float | None, *sources: float | None) -> Evidence:
    """A quantity that is the sum of two others."""
    names = ("a/one", "a/two")
    rows = [row(name, 1000, v) for name, v in zip(names, sources, strict=True)]
    return evidence(
        [],
        [*rows, row("a/sum", 1000, value)],
        computed={"a/sum": Formula(names, lambda one, two: one + two, 0.5)},
        derived=frozenset(names),
    )


def test_what_is_computed_follows_from_the_rows_beside_it() -> None:
    assert account(computed(3.4, 1, 2)).computed == 1
    assert account(computed(3.4, 1, 2)).closes
    assert "a/sum at 1000 ms (seq 1, ordinal 2): 3.6: 3.000 follows" in problems(
        computed(3.6, 1, 2)
    )


def test_what_lacks_a_source_has_no_number_and_what_has_them_has_one() -> None:
    assert account(computed(None, 1, None)).closes
    assert "its sources say [1, None]" in problems(computed(3, 1, None))
    assert "its sources say [1, 2]" in problems(computed(None, 1, 2))


def test_a_source_of_another_moment_is_no_source() -> None:
    found = computed(3, 1, 2)
    rows = [r._replace(mono=1001) if r.channel == "a/two" else r for r in found.rows]
    assert "its sources say [1, None]" in problems(replace(found, rows=rows))


@pytest.mark.parametrize(
    ("celsius", "percent", "due"),
    # WMO-No. 8, annex 4.B, and psychrometric tables: 20 °C and 50 % are 9.3 °C, and so on.
    [(20, 50, 9.27), (25, 60, 16.70), (0, 100, 0.0), (30, 20, 4.62), (-10, 80, -12.77)],
)
def test_the_dew_point_of_the_account_is_that_of_the_tables(
    celsius: float, percent: float, due: float
) -> None:
    assert dew_point(celsius, percent) == pytest.approx(due, abs=0.06)


def proved(*times_ms: int) -> Evidence:
    said = [Said("m/power", n, 100 + n, t_ms, "ok") for n, t_ms in enumerate(times_ms)]
    rows = [row("m/power", 1000, 101), row("m/power", 3000, 102), row("m/power", 5000, 103)]
    return evidence(said, rows, proved=frozenset({"m/power"}))


def test_a_reading_that_proved_a_part_has_no_row() -> None:
    found = account(proved(995, 1090, 3010, 5010))
    assert (found.closes, found.proofs, found.matched) == (True, 1, 3)


def test_a_reading_soon_after_the_first_one_is_of_the_next_row() -> None:
    found = proved(600, 720, 1100, 3010, 5010)
    rows = [row("m/power", 700, 101), *found.rows]
    rows = [r._replace(value=101 + n, ordinal=n) for n, r in enumerate(rows)]
    again = account(replace(found, rows=rows, late_ms=440))
    assert (again.closes, again.proofs, again.matched) == (True, 1, 4)


def test_a_first_reading_just_before_the_next_one_leaves_that_one_its_own() -> None:
    found = proved(885, 904, 1014, 3010, 5010)
    rows = [row("m/power", 900, 101), *found.rows]
    rows = [r._replace(value=101 + n, ordinal=n) for n, r in enumerate(rows)]
    again = account(replace(found, rows=rows, late_ms=440))
    assert (again.closes, again.proofs, again.matched) == (True, 1, 4)


def test_a_reading_that_came_long_before_the_next_proved_nothing() -> None:
    found = proved(1090, 1900, 3010, 5010)
    rows = [r._replace(value=[100, 102, 103][n]) for n, r in enumerate(found.rows)]
    assert problems(replace(found, rows=rows)) == (
        "m/power at 1900 ms: 101 was said and never arrived"
    )


def test_other_parts_prove_nothing_by_reading() -> None:
    found = replace(proved(995, 1090, 3010, 5010), proved=frozenset())
    assert "was said" in problems(found) or "the instrument said" in problems(found)


def test_a_lamp_that_was_never_switched_is_found_out() -> None:
    lamp = frozenset({"lamp/level"})
    said = [Said("lamp/level", 1, 1, 5, "ok")]
    assert account(evidence(said, [], outputs=lamp, steps={})).switched == 1
    assert "never switched" in problems(evidence([], [], outputs=lamp))


def test_an_event_keeps_its_number() -> None:
    found = replace(states(ALL), events=[Numbered(SPOOL, 1, 1, 0), Numbered(SPOOL, 1, 2, 2)])
    assert "missing without a loss record" in problems(found)
    assert json.loads("[1, 999]") == ALL[0].value
