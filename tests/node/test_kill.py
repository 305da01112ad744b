"""kill -9 at random moments of the real daemon: what a commit covered is there, once, and right."""

import itertools
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.config import load
from edgenode.demo.account import account
from edgenode.demo.evidence import Evidence, Numbered, Row, read_truth
from edgenode.demo.stage import boot_ms
from edgenode.node import parts, sensors
from edgenode.reading import Groups
from edgenode.spool import Sealed, Spool
from edgenode.wire import Batch, Birth, Rows, decode, expand, unscaled
from tests.support.daemons import NODE, Place, terminated, until

KILLS = int(os.environ.get("EDGENODE_TEST_KILLS", "25"))
COMMIT_MS = 200
FLUSH_MS = 1_500  # a busy machine's slowest


@pytest.mark.timeout(600)
def test_kills_at_random_moments_cost_at_most_the_open_commit(tmp_path: Path) -> None:
    place = Place(tmp_path, commit_s=COMMIT_MS / 1000)
    dice = random.Random(9)
    kills = []
    with place.instruments():
        for _ in range(KILLS):
            with place.daemon() as process:
                time.sleep(dice.uniform(0.0, 0.9))  # from its very start to well within its work
                process.kill()
                process.wait()
                kills.append(boot_ms())
        with place.daemon() as process:
            until(lambda: place.sampled(2), "the last life commits")
            assert terminated(process) == 0
    evidence = _evidence(place, kills)
    result = account(evidence)
    assert not result.problems
    assert result.matched > 2 * KILLS, "most lives leave readings behind"


def _evidence(place: Place, kills: list[int]) -> Evidence:
    """What the disk holds, against what the instruments said."""
    config = load(place.config)
    groups = sensors.groups(config)
    options = parts.spool_options(config)
    spool = Spool.open(options, bytes.fromhex(NODE), groups, SystemClock(1000))
    rows: list[Row] = []
    events: list[Numbered] = []
    for sealed, batch in _batches(spool):
        of_batch = list(_rows(sealed, batch, groups))
        rows += of_batch
        events += [
            Numbered(batch.spool, sealed.stream, sealed.seq, batch.r0 + len(of_batch) + n)
            for n, _ in enumerate(batch.events)
        ]
    spool.close()
    return Evidence(
        said=list(read_truth(place.truth)),
        rows=rows,
        events=events,
        losses=[],
        kills=kills,
        grace_ms=COMMIT_MS + FLUSH_MS,
        tolerance_ms=90,
        steps={c.name: 10.0**c.scale for group in groups.values() for c in group.channels},
        counters=frozenset({"loop/count"}),
        derived=frozenset({"loop/unread"}),
    )


def _batches(spool: Spool) -> Iterator[tuple[Sealed, Batch]]:
    spool.outbox.begin_session()
    while taken := spool.outbox.take(live=False, limit=64):
        for sealed in taken:
            born = spool.outbox.birth(sealed.schema)
            assert born
            birth, batch = decode(born), decode(sealed.data)
            assert isinstance(birth, Birth)
            assert isinstance(batch, Batch)
            assert not batch.losses, "nothing was lost on the disk"
            yield sealed, expand(batch, birth)


def _rows(sealed: Sealed, batch: Batch, groups: Groups) -> Iterator[Row]:
    """Number the readings of a batch: group by group, row by row, channel by channel."""
    ordinal = itertools.count(batch.r0)
    for group in batch.groups:
        assert isinstance(group, Rows)
        for n, t_ms in enumerate(group.times):
            for at, channel in enumerate(groups[group.gid].channels):
                column = group.columns[at]
                if column is not None:
                    number = unscaled(int(column[n]), channel.scale)
                    value = None if _flagged(group, at, n) else number
                    place = (batch.spool, sealed.stream, sealed.seq, next(ordinal))
                    yield Row(*place, channel.name, t_ms, value)


NO_NUMBER = frozenset({4, 5})  # fault, missing


def _flagged(group: Rows, column: int, row: int) -> bool:
    return any(
        flag.col in {column, 255}
        and flag.start <= row < flag.start + flag.length
        and flag.quality in NO_NUMBER
        for flag in group.flags
    )
