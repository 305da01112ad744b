"""The loss ledger: which ordinals will never arrive, and why, until the City OS knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cbor2

from edgenode.errors import SpoolError
from edgenode.spool.rows import MALFORMED
from edgenode.wire import Loss
from edgenode.wire.limits import MAX_LOSSES

NO_SEQ = 1 << 40


class Entry(NamedTuple):
    """A loss, and the seq of the first batch that carried it (0: none yet)."""

    loss: Loss
    since: int = 0


class Ledger:
    """At most 64 losses of each stream, ascending; more are coarsened, which claims too much."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: dict[int, list[Entry]] = {}
        for entry in entries:
            self._entries.setdefault(entry.loss.stream, []).append(entry)

    def __iter__(self) -> Iterator[Entry]:
        return (entry for entries in self._entries.values() for entry in entries)

    def copy(self) -> Ledger:
        """Return a ledger that changes alone."""
        return Ledger(self)

    def add(self, loss: Loss) -> None:
        """Enter a loss, joined with what it touches."""
        entries = self._entries.setdefault(loss.stream, [])
        if any(_within(loss, entry.loss) for entry in entries):
            return
        kept = []
        for entry in entries:
            if _joins(entry.loss, loss):
                loss = _joined(entry.loss, loss)
            else:
                kept.append(entry)
        kept.append(Entry(loss))
        kept.sort()
        while len(kept) > MAX_LOSSES:
            _coarsen(kept)
        self._entries[loss.stream] = kept

    def carry(self, stream: int, seq: int) -> tuple[Loss, ...]:
        """Return the losses that batch `seq` carries, and remember that it did."""
        entries = self._entries.get(stream, [])
        entries[:] = [Entry(entry.loss, entry.since or seq) for entry in entries]
        return tuple(entry.loss for entry in entries)

    def uncarried(self, stream: int) -> bool:
        """Tell whether a loss of this stream has not been in any batch yet."""
        return any(entry.since == 0 for entry in self._entries.get(stream, []))

    def confirm(self, stream: int, seq: int) -> None:
        """Forget what batch `seq`, which has arrived, told: it carried all that older ones did."""
        entries = self._entries.get(stream, [])
        entries[:] = [entry for entry in entries if not 0 < entry.since <= seq]

    def lists(self, stream: int, seq: int) -> bool:
        """Tell whether the whole batch `seq` is entered as lost."""
        return any(
            0 <= seq - entry.loss.seq < entry.loss.nseq for entry in self._entries.get(stream, [])
        )

    def starts(self, stream: int) -> list[tuple[int, int]]:
        """Return (seq, ordinal) where each loss begins; no seq stands for any."""
        losses = (entry.loss for entry in self._entries.get(stream, []))
        return [(loss.seq if loss.nseq else NO_SEQ, loss.r0) for loss in losses]

    def dump(self) -> bytes:
        """Return the ledger as it stands in the store."""
        return cbor2.dumps([[*entry.loss, entry.since] for entry in self])

    @classmethod
    def load(cls, data: bytes) -> Ledger:
        """Return the ledger of `dump`; raises SpoolError when it is none."""
        try:
            return cls(Entry(Loss(*row[:6]), row[6]) for row in cbor2.loads(data))
        except MALFORMED as error:
            raise SpoolError(f"the loss ledger of the store is not readable: {error}") from error


def _end(loss: Loss) -> int:
    return loss.r0 + loss.n


def _within(inner: Loss, outer: Loss) -> bool:
    """Tell whether `outer` says all that `inner` does."""
    seqs = inner.nseq == 0 or (
        outer.seq <= inner.seq and inner.seq + inner.nseq <= outer.seq + outer.nseq
    )
    return seqs and outer.r0 <= inner.r0 and _end(inner) <= _end(outer)


def _joins(one: Loss, two: Loss) -> bool:
    """Tell whether two losses touch, in ordinals and in seqs, and have one reason."""
    low, high = sorted((one, two), key=lambda loss: (loss.r0, loss.seq))
    if one.reason != two.reason or _end(low) < high.r0:
        return False
    if one.nseq == 0 or two.nseq == 0:
        return one.nseq == two.nseq and one.seq == two.seq
    return low.seq <= high.seq <= low.seq + low.nseq


def _joined(one: Loss, two: Loss) -> Loss:
    """Return the smallest loss that says what both do; the reason is that of the larger."""
    r0, end = min(one.r0, two.r0), max(_end(one), _end(two))
    spans = [(loss.seq, loss.seq + loss.nseq) for loss in (one, two) if loss.nseq]
    seq = min((span[0] for span in spans), default=one.seq if one.seq == two.seq else 0)
    nseq = max((span[1] for span in spans), default=seq) - seq
    reason = max(one, two, key=lambda loss: loss.n).reason
    return Loss(one.stream, r0, end - r0, reason, seq, nseq)


def _coarsen(entries: list[Entry]) -> None:
    """Join the two neighbours between which the fewest ordinals lie."""
    at = min(
        range(len(entries) - 1),
        key=lambda i: entries[i + 1].loss.r0 - _end(entries[i].loss),
    )
    entries[at : at + 2] = [Entry(_joined(entries[at].loss, entries[at + 1].loss))]
