"""The power is cut at any moment, on a disk that forgets what no flush covered.

One recorded run gives as many power cuts as are asked for. The same harness must catch a spool
that never flushes and a store that flushes only at checkpoints, or it would prove nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.disk.child import in_child
from tests.disk.forgetful import MARK
from tests.disk.recorder import record
from tests.disk.replay import Record, cuts, images
from tests.disk.witness import Verdict, examine
from tests.support.disks import mounted

SEED = 20_260_101
CUTS_WHILE_CREATED = 25
CUTS_AT_WORK = 200
CUTS_OF_CONTROLS = 40
LIVES = (("0", "420"), ("1", "300"))  # life, seconds; the first ends like a kill -9

pytestmark = [pytest.mark.root, pytest.mark.timeout(240)]


@pytest.fixture
def room() -> Iterator[Path]:
    """Give a place in memory: an image is written for every cut."""
    with TemporaryDirectory(dir="/dev/shm", prefix="edgenode-") as path:
        yield Path(path)


def spread(records: Sequence[Record], count: int, rng: random.Random) -> list[int]:
    """Choose moments: half at any record, half just after something was promised."""
    promises = [at + 1 for at, record in enumerate(records) if record.kind == MARK]
    any_time = rng.sample(range(opened(records), len(records) + 1), count - count // 2)
    return any_time + rng.sample(promises, count // 2)


def opened(records: Sequence[Record]) -> int:
    """Find the moment at which the first spool was open."""
    return next(at for at, record in enumerate(records) if record.data.startswith(b"O"))


def verdicts(
    room: Path, records: Sequence[Record], positions: Sequence[int]
) -> list[tuple[int, Verdict]]:
    """Judge the spool that each cut leaves."""
    found = []
    image = room / "image"
    for cut in images(room / "base", records, cuts(records, positions, SEED), image):
        with mounted(image, room / "after", "loop") as directory:
            broken = in_child(partial(examine, directory, cut.marks))
            found.append((cut.at, Verdict(**broken)))
    return found


def test_no_power_cut_loses_repeats_or_contradicts_what_a_commit_covered(room: Path) -> None:
    records = record(room / "base", room, [(*life, "none") for life in LIVES])
    rng = random.Random(SEED)
    created = rng.sample(range(opened(records)), CUTS_WHILE_CREATED)
    judged = verdicts(room, records, created + spread(records, CUTS_AT_WORK, rng))
    assert len(judged) == CUTS_WHILE_CREATED + CUTS_AT_WORK
    assert [(at, verdict) for at, verdict in judged if verdict] == []


def test_a_spool_that_never_flushes_is_caught_losing(room: Path) -> None:
    records = record(room / "base", room, [(*life, "nosync") for life in LIVES])
    judged = verdicts(room, records, spread(records, CUTS_OF_CONTROLS, random.Random(SEED)))
    assert sum(bool(verdict.lost) for _, verdict in judged) > CUTS_OF_CONTROLS // 2


def test_a_store_that_flushes_only_at_checkpoints_is_caught(room: Path) -> None:
    records = record(room / "base", room, [(*life, "normal") for life in LIVES])
    judged = verdicts(room, records, spread(records, 3 * CUTS_OF_CONTROLS, random.Random(SEED)))
    assert sum(bool(verdict.lost or verdict.reused) for _, verdict in judged) > 0
