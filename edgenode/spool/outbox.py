"""The uplink's side of one spool: what may be sent, and who has taken custody of it."""

from __future__ import annotations

from edgenode.spool.model import Sealed
from edgenode.wire import Ack


class Outbox:
    """Sealed batches of one spool; called from the uplink's thread only."""

    spool: bytes
    epoch: int
    ready_fd: int

    def begin_session(self) -> None:
        raise NotImplementedError

    def end_session(self) -> None:
        raise NotImplementedError

    def take(self, live: bool, limit: int) -> list[Sealed]:
        raise NotImplementedError

    def release(self, stream: int, seq: int) -> None:
        raise NotImplementedError

    def broker_acked(self, stream: int, seq: int) -> None:
        raise NotImplementedError

    def city_acked(self, ack: Ack) -> None:
        raise NotImplementedError

    def set_aside(self, stream: int, seq: int, reason: str) -> None:
        raise NotImplementedError

    def unconfirmed(self) -> int:
        raise NotImplementedError

    def oldest_unconfirmed(self) -> Sealed | None:
        raise NotImplementedError

    def birth(self, schema: bytes) -> bytes | None:
        raise NotImplementedError

    def backlog(self) -> int:
        raise NotImplementedError
