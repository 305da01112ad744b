"""What every virtual instrument is: its table in a scenario, its conduct, and its wire's side."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

Fate = Literal["ok", "nack", "hang", "garbage"]
Action = Literal["nack", "hang", "garbage", "vanish", "return"]
Period = Annotated[int, Meta(ge=1, le=86_400_000)]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all tables of a scenario; an instrument's own has `sensor` and `bus`."""


class Instrument(Protocol):
    """What can be told to misbehave."""

    def act(self, action: Action, now_ns: int) -> None:
        """Begin to behave so; what vanished comes back freshly powered."""
        ...


class SerialInstrument(Instrument, Protocol):
    """Something at the other end of a serial cable."""

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Take in bytes from the node; return what is answered at once, b"" for nothing."""
        ...

    def next_ns(self) -> int | None:
        """Return the boot-time ns at which it will say something by itself; None for never."""
        ...

    def speak(self, now_ns: int) -> bytes:
        """Return what it says by itself up to now."""
        ...
