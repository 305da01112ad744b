"""The ring: pieces, repeats, and which blocks may be rewritten."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.reading import Total
from edgenode.spool.block import (
    BLOCK,
    FORMAT,
    MAX_TOTALS,
    Mark,
    Piece,
    Status,
    decode_block,
    encode_block,
)
from edgenode.spool.journal import MAX_PAYLOAD, RING, STRIDE, Commit, Journal

TOTALS = {bytes([n]) * 8: Total(n, 1, 2) for n in range(MAX_TOTALS)}


def status(**totals: Total) -> Status:
    marks = tuple(Mark(n + 1, n, n, 1, 0) for n in range(4))
    keyed = {name.encode().ljust(8): total for name, total in totals.items()}
    return Status(b"spool-id", b"board-id", b"boot-id-", 3, 1000, -5, 7, 3, marks, keyed)


def slot_of(block: int) -> int:
    return block * STRIDE % RING


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=6), st.integers(0, 2**40))
def test_a_block_gives_back_what_it_was_given(pieces: list[bytes], number: int) -> None:
    told = [Piece(number, 5, i, len(pieces), data) for i, data in enumerate(pieces)]
    data = encode_block(number, status(a=Total(-3, 1, 9)), told, FORMAT)
    assert len(data) == BLOCK
    block = decode_block(data)
    assert block is not None
    assert (block.number, list(block.pieces)) == (number, told)
    assert block.status == status(a=Total(-3, 1, 9))


@given(st.integers(0, BLOCK * 8 - 1))
def test_a_block_with_any_bit_flipped_is_no_block(bit: int) -> None:
    data = bytearray(encode_block(1, status(), [Piece(1, 1, 0, 1, b"x" * 100)], FORMAT))
    data[bit // 8] ^= 1 << bit % 8
    assert decode_block(bytes(data)) is None


def test_consecutive_blocks_are_at_least_eight_apart_either_way_round() -> None:
    assert sorted(slot_of(block) for block in range(RING)) == list(range(RING))
    for block in range(RING):
        apart = abs(slot_of(block) - slot_of(block + 1))
        assert min(apart, RING - apart) >= 8


def test_the_ring_is_written_with_zeros_once_and_never_grows(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    assert (tmp_path / "journal").stat().st_blocks * 512 >= RING * BLOCK
    for n in range(600):
        journal.commit(bytes([n % 256]) * 900, status())
    assert (tmp_path / "journal").stat().st_size == RING * BLOCK


@pytest.mark.parametrize("totals", [{}, TOTALS])
@pytest.mark.parametrize("size", [10, 300, 900, 1_900, 5_000, MAX_PAYLOAD])
def test_each_commit_but_the_newest_survives_the_loss_of_its_own_blocks(
    tmp_path: Path, size: int, totals: dict[bytes, Total]
) -> None:
    journal = Journal.open(tmp_path / "journal")
    told = status()._replace(totals=totals)
    payloads = [bytes([n]) * size for n in range(1, 13)]
    places = [journal.commit(payload, told) for payload in payloads]
    whole = (tmp_path / "journal").read_bytes()
    for n, (first, count) in enumerate(places[:-1]):
        data = bytearray(whole)
        for block in range(first, first + count):
            at = slot_of(block) * BLOCK
            data[at : at + BLOCK] = bytes(BLOCK)
        (tmp_path / "journal").write_bytes(data)
        found = Journal.open(tmp_path / "journal").read().commits
        assert payloads[n] in [commit.payload for commit in found]


def test_commits_come_back_in_order_and_the_ring_goes_on_behind_them(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    for n in range(5):
        journal.commit(bytes([n]) * 2_500, status())
    journal.close()
    again = Journal.open(tmp_path / "journal")
    found = again.read()
    assert [commit.payload[0] for commit in found.commits] == [0, 1, 2, 3, 4]
    first, _ = again.commit(b"more", status())
    assert first == journal.next_block
    assert again.read().commits[-1] == Commit(5, first, b"more")


def test_a_commit_cut_off_between_its_blocks_is_none(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    journal.commit(b"whole", status())
    first, count = journal.commit(b"x" * 5_000, status())
    assert count > 1
    os.pwrite(journal.fd, bytes(BLOCK), slot_of(first + count - 1) * BLOCK)
    found = Journal.open(tmp_path / "journal").read()
    assert [commit.payload for commit in found.commits] == [b"whole"]


def test_a_commit_that_would_rewrite_an_unsealed_block_does_not_fit(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    oldest, _ = journal.commit(b"x", status())
    for _ in range(RING - 1):
        assert journal.fits(b"y", 0, oldest)
        journal.commit(b"y", status())
    assert not journal.fits(b"y", 0, oldest)
    assert journal.fits(b"y", 0, None)


def test_blocks_of_another_spool_are_not_mixed_in(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    journal.commit(b"theirs", status()._replace(spool=b"another-"))
    journal.commit(b"ours", status())
    found = Journal.open(tmp_path / "journal").read()
    assert found.status is not None
    assert found.status.spool == b"spool-id"
    assert found.blocks == 1
