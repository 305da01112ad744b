"""Whose latency is a live one: what went as it came, and never had to wait for a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenode.fleet.custody import Tally, Watched
from edgenode.reading import Stream
from edgenode.spool import Spool
from edgenode.wire import Ack
from tests.support.clock import FakeClock
from tests.support.spools import NODE, drained, feed, opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def spool(tmp_path: Path, clock: FakeClock) -> Spool:
    return opened(tmp_path, clock, window_ms=2_000, offline_window_ms=2_000)


def sent_live(spool: Spool, clock: FakeClock) -> tuple[Watched, Tally, int]:
    """Seal batches in a session, and take them as they come; return the last one's seq."""
    tally = Tally()
    watched = Watched(spool.outbox, clock, 1000, 2, tally, city=True)
    watched.begin_session()
    feed(spool, clock, 6)
    taken = [one for one in drained(watched, live=True) if one.stream == Stream.TELEMETRY]  # type: ignore[arg-type]
    assert taken, "nothing was sealed"
    return watched, tally, taken[-1].seq


def confirm(watched: Watched, spool: Spool, seq: int) -> None:
    watched.city_acked(Ack(NODE, spool.id, {Stream.TELEMETRY: ((1, seq),)}))


def test_what_the_city_confirms_in_the_session_it_was_made_in_is_live(
    spool: Spool, clock: FakeClock
) -> None:
    watched, tally, seq = sent_live(spool, clock)
    confirm(watched, spool, seq)
    assert tally.live.counts
    assert not tally.late.counts


def test_what_was_cut_off_on_its_way_and_goes_again_is_backlog(
    spool: Spool, clock: FakeClock
) -> None:
    watched, tally, seq = sent_live(spool, clock)
    watched.begin_session()
    clock.advance(120_000)
    again = drained(watched)  # type: ignore[arg-type]
    assert seq in {one.seq for one in again}
    confirm(watched, spool, seq)
    assert not tally.live.counts, "two minutes without a broker are no latency of live data"
    assert tally.late.counts
