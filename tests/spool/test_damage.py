"""A spool on a damaged card always starts, loses no more than the damage, and accounts for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from edgenode.reading import Event, EventCode
from edgenode.spool.block import BLOCK, decode_block
from edgenode.spool.database import PAGE
from edgenode.spool.journal import RING, STRIDE
from tests.support.clock import FakeClock
from tests.support.spools import Account, account, feed, kill, opened

SECONDS = 150
SEALED = 120  # seconds of samples that are in batches; the rest waits in the journal
Spoil = Callable[[Path], None]


@pytest.fixture(scope="module")
def worn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spool that was killed with two batches in its store and a half-open window."""
    directory = tmp_path_factory.mktemp("live")
    clock = FakeClock()
    spool = opened(directory, clock)
    spool.outbox.begin_session()
    feed(spool, clock, SECONDS)
    spool.event(clock.boot_ms(), 1, Event(EventCode.SENSOR_LOST, value=1))
    spool.step()
    worn = tmp_path_factory.mktemp("worn") / "spool"
    shutil.copytree(directory, worn)  # as it is now: a store that is closed has no log any more
    kill(spool)
    return worn


def reopened(worn: Path, room: Path, spoil: Spoil) -> Account:
    """Spoil a copy of the directory and start on it after a reboot."""
    shutil.rmtree(room, ignore_errors=True)
    shutil.copytree(worn, room)
    (path,) = room.iterdir()
    spoil(path)
    clock = FakeClock()
    clock.advance(SECONDS * 1000)
    clock.reboot()
    spool = opened(room, clock)
    spool.step()
    result = account(spool)
    kill(spool)
    assert max(result.samples.values(), default=1) == 1
    return result


def untouched(path: Path) -> None:
    assert path.exists()


def flip(name: str, at: int, path: Path) -> None:
    with (path / name).open("r+b") as handle:
        handle.seek(at)
        byte = handle.read(1)[0]
        handle.seek(at)
        handle.write(bytes([byte ^ 0x10]))


def zero(name: str, at: int, size: int, path: Path) -> None:
    with (path / name).open("r+b") as handle:
        handle.seek(at)
        handle.write(bytes(size))


def cut(name: str, size: int, path: Path) -> None:
    os.truncate(path / name, size)


def test_an_undamaged_spool_gives_everything_back(worn: Path, tmp_path: Path) -> None:
    result = reopened(worn, tmp_path / "room", untouched)
    assert len(result.samples) == SECONDS
    assert not result.lost


def test_a_bit_flip_in_any_block_costs_at_most_the_newest_commit(
    worn: Path, tmp_path: Path
) -> None:
    for block in range(RING):
        spoil = partial(flip, "journal", block * BLOCK + 300)
        result = reopened(worn, tmp_path / "room", spoil)
        assert len(result.samples) >= SECONDS - 5, block
        assert not result.unaccounted(), block


def test_a_journal_cut_off_at_any_block_leaves_what_is_sealed(worn: Path, tmp_path: Path) -> None:
    for block in range(0, RING, 4):
        spoil = partial(cut, "journal", block * BLOCK + 100)
        result = reopened(worn, tmp_path / "room", spoil)
        assert len(result.samples) >= SEALED, block
        assert not result.unaccounted(), block


@pytest.mark.parametrize("neighbours", [3, 8])
def test_blocks_lost_beside_each_other_cost_at_most_the_newest_commit(
    worn: Path, tmp_path: Path, neighbours: int
) -> None:
    for first in range(0, RING - neighbours, neighbours):
        spoil = partial(zero, "journal", first * BLOCK, neighbours * BLOCK)
        result = reopened(worn, tmp_path / "room", spoil)
        assert len(result.samples) >= SECONDS - 5, first
        assert not result.unaccounted(), first


def test_a_torn_flash_page_around_the_block_in_flight_costs_nothing_that_was_acknowledged(
    worn: Path, tmp_path: Path
) -> None:
    def spoil(path: Path) -> None:
        data = (path / "journal").read_bytes()
        blocks = [decode_block(data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)]
        slot = (max(b.number for b in blocks if b) + 1) * STRIDE % RING
        zero("journal", slot // 4 * 4 * BLOCK, 4 * BLOCK, path)

    assert len(reopened(worn, tmp_path / "room", spoil).samples) == SECONDS


@pytest.mark.parametrize("name", ["store.db", "store.db-wal"])
def test_a_bit_flip_in_any_page_of_the_store_is_accounted_for(
    worn: Path, tmp_path: Path, name: str
) -> None:
    (path,) = worn.iterdir()
    size = (path / name).stat().st_size
    for at in range(0, size, PAGE):
        for offset in (3, 700):
            spoil = partial(flip, name, min(at + offset, size - 1))
            result = reopened(worn, tmp_path / "room", spoil)
            assert not result.unaccounted(), (at, offset)
            assert len(result.samples) >= SECONDS - 60, (at, offset)


def test_a_store_cut_off_at_any_page_is_accounted_for(worn: Path, tmp_path: Path) -> None:
    (path,) = worn.iterdir()
    for at in range(0, (path / "store.db").stat().st_size, PAGE):
        result = reopened(worn, tmp_path / "room", partial(cut, "store.db", at))
        assert not result.unaccounted(), at
