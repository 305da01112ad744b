"""What the uplink needs of a spool: sealed batches out, custody back in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, Protocol

from edgenode.spool import Sealed
from edgenode.wire import Ack


class Outbox(Protocol):
    """The sending side of one spool, called from the uplink thread only."""

    @property
    def spool(self) -> bytes:
        """Return the id of the spool."""
        ...

    @property
    def epoch(self) -> int:
        """Return the epoch of this boot."""
        ...

    @property
    def ready_fd(self) -> int:
        """Return an eventfd that becomes readable when something became sendable."""
        ...

    def begin_session(self) -> None:
        """Call what is sendable now backlog, and what becomes sendable later live."""
        ...

    def end_session(self) -> None:
        """Make what was in flight sealed again, in its old order."""
        ...

    def spare(self, sparing: bool) -> None:  # noqa: FBT001 - a state
        """Say whether batches shall be few and large, since bytes are dear."""
        ...

    def take(
        self,
        live: bool,  # noqa: FBT001 - two lanes
        limit: int,
        streams: Collection[int] = ...,
    ) -> Sequence[Sealed]:
        """Return up to `limit` batches of the lane, now in flight."""
        ...

    def release(self, stream: int, seq: int) -> None:
        """Give a batch back that was taken and not sent."""
        ...

    def broker_acked(self, stream: int, seq: int) -> None:
        """Note the PUBACK of that very batch."""
        ...

    def city_acked(self, ack: Ack) -> None:
        """Note what the City OS holds; alarm and raise CityError for an ack that cannot be true."""
        ...

    def set_aside(self, stream: int, seq: int, reason: str) -> None:
        """Keep the batch out of `take` from now on, and alarm."""
        ...

    def unconfirmed(self) -> int:
        """Return how many batches a broker acknowledged and the City OS did not."""
        ...

    def oldest_unconfirmed(self, streams: Collection[int] = ...) -> Sealed | None:
        """Return the oldest of those."""
        ...

    def reached(self, stream: int, seq: int) -> Literal["open", "sealed", "broker", "city"]:
        """Return how far a batch of this process has come."""
        ...

    def birth(self, schema: bytes) -> bytes | None:
        """Return the encoded birth of a schema of this spool."""
        ...
