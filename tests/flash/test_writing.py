"""The order of writing: no half system ever has a table, and nothing wrong stays unseen."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.errors import FlashError
from edgenode.flash import Image, Unwritable, examined, flash
from edgenode.flash.image import chunks
from edgenode.flash.writing import FIRST, ranges
from tests.flash.cards import FileCard, file_card, has_table
from tests.flash.images import MIB, SIZE

NODE = b'{"version": 1}' + b" " * 70_000
FILES = {"node.json": NODE, "city.pub": b"-----BEGIN PUBLIC KEY-----\n"}
CARD = 20 * MIB


def quiet(phase: str, done: int, total: int) -> None:
    assert 0 <= done <= (total or SIZE)


@pytest.fixture
def card(ram: Path) -> Iterator[FileCard]:
    with file_card(ram / "card", CARD) as made:
        yield made


@pytest.fixture(scope="session")
def looked_at(image: Path) -> Image:
    return examined(image)


def taken(card: Path, name: str) -> bytes:
    """Return a file of the boot partition as mtools read it."""
    done = subprocess.run(
        ["mcopy", "-i", f"{card}@@1M", f"::{name}", "-"], capture_output=True, check=True
    )
    return done.stdout


def test_a_card_holds_the_image_and_nothing_else_changes_but_its_end(
    card: FileCard, looked_at: Image, image: Path
) -> None:
    assert flash(card, looked_at, {}, quiet).size == SIZE
    found = card.path.read_bytes()
    assert found[:SIZE] == image.read_bytes()
    assert not any(found[SIZE:])


def test_the_old_table_goes_first_and_the_new_one_comes_last(
    card: FileCard, looked_at: Image
) -> None:
    flash(card, looked_at, {}, quiet)
    writes = [(n, at) for n, (what, at) in enumerate(card.asked) if what == "write"]
    assert writes[0][1] == 0
    assert [at for _, at in writes[-2:]] == [FIRST, 0]
    last_verified = max(
        n for n, (what, at) in enumerate(card.asked) if what == "read" and at >= MIB
    )
    assert last_verified < writes[-2][0]
    assert ("flush", 0) in card.asked[writes[-2][0] : writes[-1][0]]


def test_files_are_added_to_the_boot_partition_and_nowhere_else(
    card: FileCard, looked_at: Image, image: Path
) -> None:
    flash(card, looked_at, FILES, quiet)
    for name, data in FILES.items():
        assert taken(card.path, name) == data
    assert b"tryboot_a_b=1" in taken(card.path, "autoboot.txt")
    found, expected = card.path.read_bytes(), image.read_bytes()
    assert found[:MIB] == expected[:MIB]
    assert found[4 * MIB : SIZE] == expected[4 * MIB :]
    (boot := card.path.with_name("boot")).write_bytes(found[MIB : 4 * MIB])
    subprocess.run(["fsck.vfat", "-n", boot], check=True, capture_output=True)


def test_adding_a_file_a_second_time_replaces_it(card: FileCard, looked_at: Image) -> None:
    for data in (NODE, b"{}"):
        flash(card, looked_at, {"node.json": data}, quiet)
        assert taken(card.path, "node.json") == data


def test_a_document_that_does_not_fit_leaves_no_table(card: FileCard, looked_at: Image) -> None:
    with pytest.raises(FlashError, match="the boot partition takes no file"):
        flash(card, looked_at, {"node.json": bytes(9 * MIB)}, quiet)
    assert not has_table(card.path)


def test_wherever_a_card_is_pulled_it_has_no_table(ram: Path, looked_at: Image) -> None:
    with file_card(ram / "whole", CARD) as card:
        flash(card, looked_at, FILES, quiet)
        steps = len(card.asked)
        table_written = max(n for n, (what, _) in enumerate(card.asked) if what == "write")
    assert steps > 30
    for step in range(1, table_written + 1):
        with file_card(ram / "card", CARD) as card:
            card.pulled_after = step
            with pytest.raises(FlashError, match="it was pulled out") as told:
                flash(card, looked_at, FILES, quiet)
            assert not has_table(card.path), f"step {step} of {steps}: {told.value}"
            assert not isinstance(told.value, Unwritable)  # or it would say: nothing was written


def test_a_card_that_is_pulled_at_once_is_not_said_to_be_changed(
    card: FileCard, looked_at: Image
) -> None:
    card.pulled_after = 0
    with pytest.raises(Unwritable, match="could not be written at MiB 0: Input/output error"):
        flash(card, looked_at, {}, quiet)
    assert has_table(card.path)


def test_a_worn_card_that_forgets_all_writes_is_found_out_at_once(
    card: FileCard, looked_at: Image
) -> None:
    card.deaf = True
    with pytest.raises(Unwritable, match="takes no writes"):
        flash(card, looked_at, {}, quiet)
    assert len(card.asked) < 8


def test_a_card_that_is_smaller_than_it_says_is_found_out(card: FileCard, looked_at: Image) -> None:
    card.ends = 15 * MIB
    with pytest.raises(FlashError, match="does not keep what is written at its end"):
        flash(card, looked_at, {}, quiet)
    assert not has_table(card.path)


def test_each_mib_that_reads_back_otherwise_is_named(card: FileCard, looked_at: Image) -> None:
    card.flips = {3, 6, 7, 8, 13}
    with pytest.raises(FlashError, match=r"otherwise than it was written, in MiB 3, 6-8, 13: "):
        flash(card, looked_at, {}, quiet)
    assert not has_table(card.path)


def test_a_table_that_reads_back_otherwise_is_taken_away_again(
    card: FileCard, looked_at: Image
) -> None:
    def late(phase: str, done: int, total: int) -> None:
        if phase == "verify" and done == total:
            card.flips = {0}

    with pytest.raises(FlashError, match="in MiB 0"):
        flash(card, looked_at, {}, late)
    assert not has_table(card.path)


@pytest.mark.parametrize("phase", ["write", "verify"])
def test_an_interrupt_leaves_no_table(card: FileCard, looked_at: Image, phase: str) -> None:
    def interrupt(now: str, done: int, total: int) -> None:
        if now == phase and done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flash(card, looked_at, FILES, interrupt)
    assert not has_table(card.path)


def test_an_image_of_another_sum_leaves_no_table(card: FileCard, looked_at: Image) -> None:
    with pytest.raises(FlashError, match="is not the file of"):
        flash(card, looked_at._replace(sha256="ab" * 32), {}, quiet)
    assert not has_table(card.path)


def test_an_image_that_turns_out_larger_than_the_card_leaves_no_table(
    ram: Path, looked_at: Image
) -> None:
    with file_card(ram / "card", 10 * MIB) as card:
        with pytest.raises(FlashError, match="too small: the image goes on"):
            flash(card, looked_at._replace(need=0), {}, quiet)
        assert not has_table(card.path)


def test_an_image_may_fill_a_card_to_its_last_sector(ram: Path, looked_at: Image) -> None:
    with file_card(ram / "card", SIZE) as card:
        flash(card, looked_at, {}, quiet)
        assert card.path.read_bytes() == b"".join(chunks(looked_at))


def test_progress_goes_up_to_all_in_each_phase(card: FileCard, looked_at: Image) -> None:
    told: list[tuple[str, int, int]] = []
    flash(card, looked_at, {}, lambda *step: told.append(step))
    for phase in ("write", "verify"):
        steps = [(done, total) for name, done, total in told if name == phase]
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1] > 0


def test_of_a_packed_image_that_is_longer_than_its_table_the_end_is_not_foretold(
    card: FileCard, looked_at: Image
) -> None:
    told: list[tuple[int, int]] = []
    flash(card, looked_at._replace(need=5 * MIB), {}, lambda _, *step: told.append(step))
    assert told[:5] == [(0, 5 * MIB), (4 * MIB, 5 * MIB), (8 * MIB, 0), (12 * MIB, 0), (SIZE, 0)]
    assert told[5] == (SIZE, SIZE)


def test_many_ranges_are_counted_and_not_all_listed() -> None:
    assert ranges(range(0, 40, 2)) == "MiB 0, 2, 4, 6, 8, 10, 12, 14 and more, 20 in all"
