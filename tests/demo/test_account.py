"""The account closes for what may happen, and does not for each thing that may not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edgenode.demo.account import account
from edgenode.demo.evidence import Evidence, Lost, Numbered, Row, Said, read_truth

SPOOL = b"\x01" * 8
GRACE = 1_500


def said(t_ms: int, value: float, channel: str = "air/temperature", fate: str = "ok") -> Said:
    return Said(channel, t_ms // 1000, value, t_ms, fate)


def row(
    t_ms: int, value: float | None, ordinal: int, seq: int = 1, channel: str = "air/temperature"
) -> Row:
    return Row(SPOOL, 0, seq, ordinal, channel, t_ms, value)


def well() -> Evidence:
    """Ten readings, one a second, in two batches; one event in stream 1."""
    return Evidence(
        said=[said(1000 * n + 12, 20 + n / 10) for n in range(10)],
        rows=[row(1000 * n, 20 + n / 10, n, 1 + n // 5) for n in range(10)],
        events=[Numbered(SPOOL, 1, 1, 0)],
        losses=[],
        kills=[],
        grace_ms=GRACE,
        tolerance_ms=250,
        steps={"air/temperature": 0.01},
    )


def problems(evidence: Evidence) -> str:
    return "\n".join(account(evidence).problems)


def test_a_run_where_everything_arrived_closes() -> None:
    result = account(well())
    assert result.closes
    assert (result.said, result.received, result.matched) == (10, 10, 10)
    assert result.lost == {}


def test_a_reading_that_never_arrived_is_told() -> None:
    evidence = well()
    rows = [r._replace(ordinal=n) for n, r in enumerate(r for r in evidence.rows if r.mono != 4000)]
    assert problems(replace(evidence, rows=rows)) == (
        "air/temperature at 4012 ms: 20.4 was said and never arrived"
    )


def test_a_batch_that_never_arrived_is_told() -> None:
    evidence = well()
    found = problems(replace(evidence, rows=[r for r in evidence.rows if r.seq != 1]))
    assert "5 ordinals from 0 are missing without a loss record" in found
    assert found.count("never arrived") == 5


def test_a_loss_that_the_node_recorded_is_explained() -> None:
    evidence = well()
    evidence = replace(
        evidence,
        rows=[r for r in evidence.rows if r.seq != 1],
        losses=[Lost(SPOOL, 0, 0, 5, "disk full")],
    )
    assert account(evidence).closes
    assert account(evidence).lost == {"disk full": 5}


def test_a_loss_record_explains_no_more_than_it_says() -> None:
    evidence = well()
    evidence = replace(
        evidence,
        rows=[r for r in evidence.rows if r.seq != 1],
        losses=[Lost(SPOOL, 0, 0, 4, "disk full")],
    )
    assert "1 ordinals from 4" in problems(evidence)
    assert problems(evidence).count("never arrived") == 1


def test_a_skipped_ordinal_is_told_although_every_reading_is_there() -> None:
    evidence = well()
    rows = [r._replace(ordinal=r.ordinal + (r.ordinal >= 5)) for r in evidence.rows]
    assert problems(replace(evidence, rows=rows)).endswith(
        "1 ordinals from 5 are missing without a loss record"
    )


def test_an_event_that_never_arrived_is_told() -> None:
    evidence = replace(well(), events=[Numbered(SPOOL, 1, 1, 0), Numbered(SPOOL, 1, 2, 2)])
    assert "stream 1" in problems(evidence)


def test_a_batch_sent_again_under_a_new_seq_is_told() -> None:
    evidence = well()
    again = [r._replace(seq=9) for r in evidence.rows if r.seq == 2]
    found = problems(replace(evidence, rows=[*evidence.rows, *again]))
    assert "ordinal 5 is in seq 2 and in seq 9" in found
    assert "air/temperature at 5000 ms is in seq 2 and in seq 9" in found
    assert "no instrument said this" in found


def test_a_reading_that_is_there_twice_under_two_ordinals_is_told() -> None:
    evidence = well()
    twin = row(9000, 20.9, 10, 3)
    assert "at 9000 ms is in seq 2 and in seq 3" in problems(
        replace(evidence, rows=[*evidence.rows, twin])
    )


def test_a_row_that_no_instrument_said_is_told() -> None:
    evidence = well()
    found = problems(replace(evidence, rows=[*evidence.rows, row(11_000, 21.0, 10, 3)]))
    assert found == "air/temperature at 11000 ms (seq 3, ordinal 10): 21.0: no instrument said this"


@pytest.mark.parametrize(
    ("off", "closes"), [(0.0, True), (0.01, True), (-0.01, True), (0.02, False)]
)
def test_a_value_may_be_off_by_one_step_and_no_more(off: float, closes: bool) -> None:  # noqa: FBT001 - a case
    evidence = well()
    rows = [r._replace(value=(r.value or 0) + off) if r.mono == 3000 else r for r in evidence.rows]
    assert account(replace(evidence, rows=rows)).closes is closes


def test_a_row_without_a_number_needs_nobody_who_said_it() -> None:
    evidence = well()
    lost = [s._replace(fate="nack") if s.t_ms == 3012 else s for s in evidence.said]
    rows = [r._replace(value=None) if r.mono == 3000 else r for r in evidence.rows]
    result = account(replace(evidence, said=lost, rows=rows))
    assert result.closes
    assert (result.said, result.unanswered, result.doubted) == (9, 1, 0)


def test_a_reading_that_the_driver_did_not_trust_is_counted_apart() -> None:
    evidence = well()
    rows = [r._replace(value=None) if r.mono == 3000 else r for r in evidence.rows]
    result = account(replace(evidence, rows=rows))
    assert result.closes
    assert (result.matched, result.doubted) == (9, 1)


def killed(rows_lost: range, kill_ms: int = 9_500) -> Evidence:
    evidence = well()
    rows = [r for r in evidence.rows if r.mono // 1000 not in rows_lost]
    rows = [r._replace(ordinal=n) for n, r in enumerate(rows)]
    return replace(evidence, rows=rows, kills=[kill_ms])


def test_the_open_commit_of_a_kill_is_the_one_loss_without_a_record() -> None:
    result = account(killed(range(8, 10)))
    assert result.closes
    assert result.lost == {"open commit": 2}


def test_a_kill_costs_no_more_than_a_commit_interval_and_a_flush() -> None:
    assert problems(killed(range(7, 10))) == (
        "air/temperature at 7012 ms: 20.7 was said and never arrived"
    )


def test_a_kill_takes_the_end_and_nothing_out_of_the_middle() -> None:
    assert "8012 ms: 20.8 was said and never arrived" in problems(killed(range(8, 9)))


def counted(totals: dict[int, int], kills: tuple[int, ...] = ()) -> Evidence:
    """A pulse every 100 ms from 50 ms to 9,950 ms; totals read at these times."""
    return Evidence(
        said=[Said("loop/count", n + 1, n + 1, 100 * n + 50, "ok") for n in range(100)],
        rows=[
            row(t, total, n, channel="loop/count") for n, (t, total) in enumerate(totals.items())
        ],
        events=[],
        losses=[],
        kills=kills,
        grace_ms=GRACE,
        tolerance_ms=0,
        steps={"loop/count": 1},
        counters=frozenset({"loop/count"}),
    )


def test_totals_that_count_every_pulse_agree() -> None:
    result = account(counted({1000: 10, 2000: 20, 9000: 90}))
    assert result.closes
    assert (result.pulses, result.totals, result.lost_pulses) == (100, 3, 0)


def test_a_pulse_that_was_not_counted_is_told() -> None:
    assert "19 counted, but 20 to 20 pulses are due" in problems(counted({1000: 10, 2000: 19}))


def test_a_pulse_counted_twice_is_told() -> None:
    assert "21 counted, but 20 to 20" in problems(counted({2000: 21}))


def test_a_kill_may_take_the_pulses_of_its_open_commit() -> None:
    result = account(counted({4000: 40, 6000: 53, 9000: 83}, kills=(5000,)))
    assert result.closes
    assert result.lost_pulses == 7


def test_a_kill_may_take_no_more_pulses_than_that() -> None:
    assert "pulses are due" in problems(counted({4000: 40, 6000: 43}, kills=(5000,)))


def test_what_a_kill_took_stays_the_same_for_the_whole_life_after_it() -> None:
    assert "pulses are due" in problems(counted({6000: 53, 9000: 82}, kills=(5000,)))


def test_a_channel_that_no_instrument_says_is_only_checked_for_its_number() -> None:
    evidence = well()
    rows = [*evidence.rows, row(1000, 0, 10, 3, "loop/unread")]
    derived = replace(evidence, rows=rows, derived=frozenset({"loop/unread"}))
    assert account(derived).closes


def test_the_log_of_truth_is_read_up_to_a_line_cut_short(tmp_path: Path) -> None:
    line = json.dumps({"channel": "a/b", "n": 1, "value": 2.5, "t": 7, "fate": "ok"})
    file = tmp_path / "truth"
    file.write_text(f"{line}\n{line[:20]}")
    assert list(read_truth(file)) == [Said("a/b", 1, 2.5, 7, "ok")]
