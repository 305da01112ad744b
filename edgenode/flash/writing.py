"""The order in which a card is written, so that half a system never looks like a whole one.

The old partition table goes first and the new one comes last, after everything else was read back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, NamedTuple

from edgenode.errors import FlashError
from edgenode.flash.card import MIB, Card
from edgenode.flash.image import Image, chunks
from edgenode.flash.inject import injected
from edgenode.flash.written import Written

FIRST: Final = 4096  # bytes that hold the table itself and are written as the very last
SHOWN: Final = 8  # ranges of MiB that an error names

Tell = Callable[[str, int, int], None]  # phase (write, verify), bytes done, in all or 0


class Unwritable(FlashError):
    """The card takes no write, and is as it was."""


class Flashed(NamedTuple):
    """What was done."""

    size: int  # bytes of the image, unpacked
    seen: bool  # whether the kernel has read the new partition table


class _Body(NamedTuple):
    """All of an image but its first MiB is on the card."""

    written: Written
    head: bytes  # that first MiB
    size: int


class _Mark(NamedTuple):
    """What was left at the end of a card, to be found again when all is written."""

    offset: int
    data: bytes


def flash(card: Card, image: Image, files: Mapping[str, bytes], tell: Tell) -> Flashed:
    """Write an image to a card, verify it, add `files` to its boot partition, verify them too.

    Raises FlashError. However it ends but well, also by Ctrl-C, by a kill or by a pulled card,
    there is no partition table on the card then; unless it took no write at all: Unwritable.
    """
    tell("write", 0, image.need)
    try:
        _blank(card)
        mark = _mark(card, image.need)
        body = _write(card, image, tell)
        _verify(body.written, tell)
        _check_end(card, mark, body.size)
        if files and image.boot:
            injected(body.written, image.boot, files)
        _finish(card, body.head)
    except BaseException:
        with suppress(FlashError):
            _erase(card)
        raise
    return Flashed(body.size, card.reread_table())


def _erase(card: Card) -> None:
    card.write(0, bytes(MIB))
    card.flush()


def _blank(card: Card) -> None:
    """Take the old table away, and see that it is gone: worn cards forget what is written."""
    try:
        card.write(0, bytes(MIB))
    except FlashError as exc:
        raise Unwritable(str(exc)) from exc
    card.flush()
    if any(card.read(0, MIB)):
        raise Unwritable(
            f"{card.name} takes no writes and is as it was: it is worn out or locked; take another"
        )


def _mark(card: Card, need: int) -> _Mark | None:
    """Mark the end of a card: one that is not as large as it says will not keep it.

    This overwrites the second table that a GPT keeps there. None where the image reaches so far.
    """
    offset = (card.size // MIB - 1) * MIB
    if offset < max(need, MIB):
        return None
    mark = _Mark(offset, os.urandom(MIB))
    card.write(mark.offset, mark.data)
    return mark


def _check_end(card: Card, mark: _Mark | None, size: int) -> None:
    if mark is None or size > mark.offset:  # an image of which only its end tells how long it is
        return
    if card.read(mark.offset, MIB) != mark.data:
        raise FlashError(
            f"{card.name} does not keep what is written at its end: it is smaller than it says "
            "(counterfeit), or broken; take another card"
        )
    card.write(mark.offset, bytes(MIB))


def _write(card: Card, image: Image, tell: Tell) -> _Body:
    """Write all but the first MiB, which stays empty."""
    written = Written(card)
    head = b""
    done = 0
    for chunk in _ahead(chunks(image)):
        if done + len(chunk) > card.size:
            raise FlashError(f"{card.name} is too small: the image goes on; take a larger card")
        if done:
            written.write(done // MIB, chunk)
        else:
            head = chunk[:MIB]
            written.write(0, bytes(len(head)) + chunk[MIB:])
        done += len(chunk)
        if done != image.need:  # an image may go on behind its last partition, who knows how long
            tell("write", done, image.need if done < image.need else 0)
    card.flush()
    tell("write", done, done)
    return _Body(written, head, done)


def _ahead(source: Iterator[bytes]) -> Iterator[bytes]:
    """Yield from a source while the next piece is already read and unpacked in a thread."""
    with ThreadPoolExecutor(1, "unpack") as pool:
        coming = pool.submit(next, source, b"")
        while piece := coming.result():
            coming = pool.submit(next, source, b"")
            yield piece


def _verify(written: Written, tell: Tell) -> None:
    """Read everything back; raises FlashError with each MiB that is not as it was written."""
    wrong = []
    for n, _, good in written.read(range(len(written))):
        if not good:
            wrong.append(n)
        tell("verify", (n + 1) * MIB, len(written) * MIB)
    if wrong:
        raise FlashError(
            f"{written.card.name} reads back otherwise than it was written, in {ranges(wrong)}: "
            "try another reader, then another card"
        )


def _finish(card: Card, head: bytes) -> None:
    """Write the partition table: what follows it first, then it, in one write."""
    if len(head) > FIRST:
        card.write(FIRST, head[FIRST:])
        card.flush()
    card.write(0, head[:FIRST])
    card.flush()
    if card.read(0, len(head)) != head:
        raise FlashError(f"{card.name} reads back otherwise than it was written, in MiB 0")


def ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers as "MiB 3, 7-9"."""
    found: list[list[int]] = []
    for n in numbers:
        if found and found[-1][1] == n - 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    words = [str(a) if a == b else f"{a}-{b}" for a, b in found[:SHOWN]]
    more = f" and more, {len(numbers)} in all" if len(found) > SHOWN else ""
    return f"MiB {', '.join(words)}{more}"
