"""Small parts that everything else stands on: ranges, the ledger, the times, rows."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.errors import SpoolError
from edgenode.reading import Anchor, ClockSource
from edgenode.spool.ledger import Ledger
from edgenode.spool.ranges import Ranges
from edgenode.spool.rows import (
    Payload,
    Segment,
    decode_payload,
    decode_row,
    encode_payload,
    event_row,
    sample_row,
)
from edgenode.spool.times import CARRIED, Times
from edgenode.wire import Loss, LossReason, Previous

SPANS = st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.integers(0, 12)), max_size=30)


@given(SPANS)
def test_ranges_are_a_set_of_integers(steps: list[tuple[bool, int, int]]) -> None:
    ranges, model = Ranges(), set[int]()
    for adding, low, length in steps:
        span = range(low, low + length + 1)
        if adding:
            ranges.add(low, low + length)
            model |= set(span)
        else:
            ranges.remove(low, low + length)
            model -= set(span)
        assert {n for low, high in ranges for n in range(low, high + 1)} == model
        assert ranges.count() == len(model)
        assert ranges.covers(low, low + length) == (set(span) <= model)
        assert ranges.meets(low, low + length) == bool(set(span) & model)
    pairs = list(ranges)
    assert all(one[1] + 1 < two[0] for one, two in pairwise(pairs))


def disk_full(r0: int, n: int, seq: int, nseq: int = 1) -> Loss:
    return Loss(0, r0, n, LossReason.DISK_FULL, seq, nseq)


def losses(ledger: Ledger) -> list[Loss]:
    return [entry.loss for entry in ledger]


def test_adjacent_losses_of_one_reason_merge() -> None:
    ledger = Ledger()
    for n in range(5):
        ledger.add(disk_full(n * 10, 10, n + 1))
    ledger.add(Loss(0, 50, 5, LossReason.RING_OVERFLOW, 0, 0))
    assert losses(ledger) == [
        disk_full(0, 50, 1, 5),
        Loss(0, 50, 5, LossReason.RING_OVERFLOW, 0, 0),
    ]


def test_more_than_64_losses_are_coarsened_where_that_claims_least() -> None:
    ledger = Ledger()
    for n in range(64):
        ledger.add(disk_full(n * 100, 10, 2 * n + 1))
    ledger.add(disk_full(6_312, 10, 129))
    assert len(losses(ledger)) == 64
    assert losses(ledger)[-1] == disk_full(6_300, 22, 127, 3)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 20)), max_size=120))
def test_a_ledger_never_forgets_an_ordinal(spans: list[tuple[int, int]]) -> None:
    ledger, lost = Ledger(), set[int]()
    for r0, n in spans:
        ledger.add(Loss(0, r0, n, LossReason.CORRUPT, 0, 0))
        lost |= set(range(r0, r0 + n))
    told = {o for loss in losses(ledger) for o in range(loss.r0, loss.r0 + loss.n)}
    assert lost <= told
    assert len(losses(ledger)) <= 64
    assert losses(Ledger.load(ledger.dump())) == losses(ledger)


def test_a_loss_is_repeated_until_a_batch_that_carried_it_has_arrived() -> None:
    ledger = Ledger()
    ledger.add(disk_full(0, 10, 1))
    assert ledger.carry(0, 7) == (disk_full(0, 10, 1),)
    ledger.add(disk_full(30, 10, 4))
    assert len(ledger.carry(0, 8)) == 2
    ledger.confirm(0, 6)
    assert len(losses(ledger)) == 2
    ledger.confirm(0, 7)
    assert losses(ledger) == [disk_full(30, 10, 4)]
    assert ledger.carry(1, 9) == ()


def test_a_batch_carries_the_newest_anchor_and_those_the_city_may_not_know() -> None:
    times = Times()
    times.begin(5, None)
    anchors = [Anchor(n, 1_000 + n, ClockSource.NTP, 3) for n in range(1, 7)]
    for anchor in anchors:
        times.note(5, anchor)
    assert times.carry(5, 0, 1)[0] == tuple(anchors[-CARRIED:])
    times.confirm(0, 1, 1)
    assert times.carry(5, 0, 2)[0] == (anchors[-1],)
    times.note(5, Anchor(9, 1_009, ClockSource.NTP, 3))
    assert [anchor.mono for anchor in times.carry(5, 0, 3)[0]] == [9]


def test_the_end_of_the_epoch_before_is_told_until_it_has_arrived() -> None:
    times = Times()
    times.begin(5, None)
    times.note(5, Anchor(100, 9_000, ClockSource.NTP, 3))
    times.begin(6, None)
    ended = Previous(5, 100, 9_000, 3)
    assert times.carry(6, 0, 1) == ((), ended)
    times.confirm(1, 1, 50)
    assert Times.load(times.dump()).carry(6, 0, 2) == ((), ended)
    times.confirm(0, 1, 1)
    assert times.carry(6, 0, 3) == ((), None)


def test_an_estimate_without_an_anchor_is_a_lower_bound_that_nothing_vouches_for() -> None:
    times = Times()
    times.begin(6, Previous(5, 100, 9_000, 3))
    assert times.estimate(50) == (9_050, 0, ClockSource.NONE)
    times.note(6, Anchor(60, 20_000, ClockSource.GNSS, 1))
    assert times.estimate(100_060) == (120_000, 6, ClockSource.GNSS)


def test_what_an_epoch_without_any_time_knew_of_an_earlier_end_still_holds() -> None:
    times = Times()
    times.begin(6, Previous(5, 100, 9_000, 3))
    times.begin(7, None)
    assert times.carry(7, 0, 1) == ((), Previous(5, 100, 9_000, 3))


VALUES = st.lists(st.integers(-(2**49), 2**49), min_size=1, max_size=255)


@given(VALUES, st.integers(0, 65_535), st.integers(0, 2**53 - 1))
def test_a_payload_gives_back_its_rows(values: list[int], gid: int, t: int) -> None:
    flagged = sample_row(gid, t, [None, *values][:255], [5] * len([None, *values][:255]))
    rows = (sample_row(gid, t, values, None), flagged)
    events = (event_row(t, None, 3, [1, 2], 0),)
    segments = (Segment(0, 0, 7, rows), Segment(1, 4, 9, events), Segment(2, 3, 3, ()))
    payload = Payload(12, b"schema--", segments)
    assert decode_payload(encode_payload(payload)) == payload
    assert decode_row(rows[0].data) == [gid, t, *values]


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x05\x00abc", b"\x01\x00\x00", b"\x00" * 40])
def test_bytes_that_are_no_payload_are_refused(data: bytes) -> None:
    with pytest.raises(SpoolError, match="not readable"):
        decode_payload(data)


@pytest.mark.parametrize("load", [Ledger.load, Times.load])
@pytest.mark.parametrize("data", [b"", b"\xff", b"\x81\x01", b"\xa1\x01\x02", b"\x81\x82\x01\x02"])
def test_what_the_store_cannot_mean_is_refused(load: object, data: bytes) -> None:
    with pytest.raises(SpoolError, match="not readable"):
        load(data)  # type: ignore[operator]
