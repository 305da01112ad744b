"""What is handed to a session: batches, and the retained messages that explain them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from edgenode.spool import Sealed
from edgenode.uplink.outbox import Outbox
from edgenode.uplink.poison import Identity


class Kind(Enum):
    """The retained messages of a node."""

    STATE = auto()
    ABOUT = auto()
    BIRTH = auto()


@dataclass(frozen=True, slots=True)
class Retained:
    """A retained message; `schema` belongs to a birth."""

    kind: Kind
    topic: str
    data: bytes
    schema: bytes = b""


@dataclass(slots=True, eq=False)
class Parcel:
    """A batch on its way; `resend` when a broker had acknowledged it before."""

    box: Outbox
    sealed: Sealed
    resend: bool = False
    retry_ms: int = 0  # the pause after its last refusal
    unheard: bool = False  # a broker took it, and said that nobody subscribes

    @property
    def identity(self) -> Identity:
        return Identity(self.box.spool, self.sealed.stream, self.sealed.seq)

    @property
    def name(self) -> str:
        """The identity as it stands in messages."""
        return f"batch {self.box.spool.hex()}/{self.sealed.stream}/{self.sealed.seq}"

    def release(self) -> None:
        """Give it back to the spool, to be taken again."""
        self.box.release(self.sealed.stream, self.sealed.seq)

    def set_aside(self, reason: str) -> None:
        """Give up on sending it; the spool keeps it."""
        self.box.set_aside(self.sealed.stream, self.sealed.seq, reason)
