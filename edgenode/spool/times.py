"""What ties boot-time to UTC: the anchors of each epoch, and where the epoch before it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

import cbor2

from edgenode.errors import SpoolError
from edgenode.reading import Anchor, ClockSource
from edgenode.spool.rows import MALFORMED
from edgenode.wire import Previous

CARRIED = 4  # anchors of a batch
EPOCHS = 4  # kept: rows of more boots than this never wait in a journal
DRIFT_PPM = 50  # of a crystal; the wire format's own figure


class _Told:
    """Whether the City OS knows something: which batches carried it, and whether one arrived."""

    def __init__(self, known: bool = False) -> None:  # noqa: FBT001, FBT002 - the state itself
        self.known = known
        self._batches: dict[int, tuple[int, int]] = {}

    def carry(self, stream: int, seq: int) -> None:
        first, _ = self._batches.get(stream, (seq, seq))
        self._batches[stream] = (first, seq)

    def arrived(self, stream: int, low: int, high: int) -> bool:
        """Note that seqs low..high arrived; return whether this is what told."""
        first, last = self._batches.get(stream, (1, 0))
        told = not self.known and first <= high and low <= last
        self.known = self.known or told
        return told


@dataclass
class _Epoch:
    previous: Previous | None
    previous_told: _Told
    anchors: list[tuple[Anchor, _Told]] = field(default_factory=list)


class Times:
    """Anchors and ends of the last epochs. Used by the spool thread only."""

    def __init__(self) -> None:
        self._epochs: dict[int, _Epoch] = {}
        self.epoch = 0
        self.changed = False

    def begin(self, epoch: int, ended: Previous | None) -> None:
        """Begin an epoch; `ended` is the best known time near the end of the one before.

        Where nothing is known of that one, what it knew of an earlier end still holds.
        """
        if epoch <= self.epoch:
            return
        before = self._epochs.get(self.epoch)
        if ended is None and before:
            last = before.anchors[-1][0] if before.anchors else None
            ended = before.previous
            if last:
                ended = Previous(self.epoch, last.mono, last.utc, last.err)
        self._epochs[epoch] = _Epoch(ended, _Told())
        self.epoch = epoch
        self.changed = True
        for old in sorted(self._epochs)[:-EPOCHS]:
            del self._epochs[old]

    def note(self, epoch: int, anchor: Anchor) -> None:
        """Keep an anchor of an epoch, unless a newer one is kept already."""
        kept = self._epochs.setdefault(epoch, _Epoch(None, _Told())).anchors
        if kept and kept[-1][0].mono >= anchor.mono:
            return
        kept.append((anchor, _Told()))
        told = max((i for i, item in enumerate(kept) if item[1].known), default=-1)
        kept[:] = kept[told + 1 :][-2 * CARRIED :]  # what is older than one told is of no more use
        self.changed = True

    def note_if_none(self, epoch: int, anchor: Anchor) -> None:
        """Keep an estimate as the anchor of an epoch that has none."""
        kept = self._epochs.get(epoch)
        if kept is None or not kept.anchors:
            self.note(epoch, anchor)

    def estimate(self, mono: int) -> tuple[int, int, int]:
        """Return (POSIX ms, error bound in ms, source) at boot-time `mono` of this epoch.

        Without an anchor of this epoch the source is NONE and the time a lower bound: the end of
        the epoch before, plus what passed since the boot.
        """
        now = self._epochs.get(self.epoch, _Epoch(None, _Told()))
        if now.anchors:
            anchor = now.anchors[-1][0]
            passed = mono - anchor.mono
            drift = abs(passed) * DRIFT_PPM // 1_000_000
            return anchor.utc + passed, anchor.err + drift, anchor.source
        return (now.previous.utc + mono if now.previous else 0), 0, ClockSource.NONE

    def utc_at(self, epoch: int, mono: int) -> int | None:
        """Return the POSIX ms at boot-time `mono` of an epoch, by its nearest anchor."""
        kept = self._epochs.get(epoch)
        if kept is None or not kept.anchors:
            return None
        anchor = min((item[0] for item in kept.anchors), key=lambda item: abs(item.mono - mono))
        return anchor.utc + mono - anchor.mono

    def carry(
        self, epoch: int, stream: int, seq: int
    ) -> tuple[tuple[Anchor, ...], Previous | None]:
        """Return what batch `seq` of `epoch` carries: keys 7 and 15."""
        now = self._epochs.get(epoch)
        if now is None:
            return (), None
        newest = now.anchors[-CARRIED:]
        carried = [item for item in newest if not item[1].known or item is newest[-1]]
        for _, told in carried:
            told.carry(stream, seq)
        if now.previous and not now.previous_told.known:
            now.previous_told.carry(stream, seq)
            return tuple(anchor for anchor, _ in carried), now.previous
        return tuple(anchor for anchor, _ in carried), None

    def confirm(self, stream: int, low: int, high: int) -> None:
        """Note that the batches low..high of a stream have arrived."""
        for now in self._epochs.values():
            told = [now.previous_told, *(item[1] for item in now.anchors)]
            arrived = [item.arrived(stream, low, high) for item in told]
            self.changed = self.changed or any(arrived)

    def dump(self) -> bytes:
        """Return everything as it stands in the store."""
        return cbor2.dumps(
            [
                [
                    epoch,
                    list(now.previous) if now.previous else None,
                    now.previous_told.known,
                    [[*anchor, told.known] for anchor, told in now.anchors],
                ]
                for epoch, now in sorted(self._epochs.items())
            ]
        )

    @classmethod
    def load(cls, data: bytes) -> Times:
        """Return the times of `dump`; raises SpoolError when they are none."""
        times = cls()
        try:
            for epoch, previous, known, anchors in cbor2.loads(data):
                times._epochs[epoch] = _Epoch(
                    Previous(*previous) if previous else None,
                    _Told(known),
                    [(Anchor(*row[:4]), _Told(row[4])) for row in anchors],
                )
                times.epoch = epoch
        except MALFORMED as error:
            raise SpoolError(f"the anchors of the store are not readable: {error}") from error
        return times
