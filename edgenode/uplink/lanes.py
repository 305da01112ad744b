"""Two lanes: fresh batches, which never wait behind backlog, and backlog, oldest first."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence

from edgenode.uplink.outbox import Outbox
from edgenode.uplink.parcel import Parcel


class Lane:
    """Batches taken from the outboxes and not yet handed to the session.

    The outboxes are asked only after a `signal`, and until one answers with less than it could:
    asking costs a query of the store.
    """

    def __init__(self, boxes: Sequence[Outbox], *, live: bool) -> None:
        self.live = live
        self._boxes = tuple(boxes)
        self._hopeful = True
        self._queue: deque[Parcel] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def hopeful(self) -> bool:
        """The outboxes may hold more for this lane."""
        return self._hopeful

    def signal(self) -> None:
        """Something may have become sendable."""
        self._hopeful = True

    def keep(self, streams: Collection[int]) -> None:
        """Give back what waits here of other streams."""
        others = [parcel for parcel in self._queue if parcel.sealed.stream not in streams]
        for parcel in others:
            self._queue.remove(parcel)
            parcel.release()

    def top_up(self, limit: int, streams: Collection[int]) -> int:
        """Take up to `limit` batches if none is waiting here; return how many came."""
        if self._queue or not self._hopeful or limit <= 0:
            return 0
        for box in self._boxes:
            taken = box.take(self.live, limit - len(self._queue), streams)
            self._queue.extend(Parcel(box, sealed) for sealed in taken)
            if len(self._queue) >= limit:
                return len(self._queue)
        self._hopeful = False
        return len(self._queue)

    def head(self) -> Parcel | None:
        """Return the next batch to send."""
        return self._queue[0] if self._queue else None

    def shift(self) -> None:
        """Drop the head: it was handed over."""
        self._queue.popleft()
