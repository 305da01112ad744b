"""What every virtual instrument is: its table in a scenario, its conduct, and its wire's side.

An instrument is made with `(spec, truth, start_ns)` and stands in the table of its wire in
`edgenode.virtual.instruments`. All times are boot-time ns.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NamedTuple, Protocol

import msgspec
from msgspec import Meta

Fate = Literal["ok", "nack", "hang", "garbage"]
Action = Literal["nack", "hang", "garbage", "vanish", "return"]
Period = Annotated[int, Meta(ge=1, le=86_400_000)]
Offset = Annotated[int, Meta(ge=0, le=1023)]  # of a line on its GPIO chip
READ: Final = 0x0001  # I2C_M_RD of linux/i2c.h


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all tables of a scenario.

    An instrument's own has `sensor` and `bus`, and `address` or `line` where its wire has many
    places; on a serial bus `baud` and `parity` where they are not 9600 and "none".
    """


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first packet of a connection: which device, line or port it is about.

    See edgenode.bus.simulated.
    """

    wire: Literal["i2c", "gpio", "serial"]
    bus: str = ""
    address: int = -1
    offset: int = -1
    direction: Literal["input", "output"] = "input"
    open_drain: bool = False
    initial: bool = False
    edge: Literal["rising", "falling", "both"] = "rising"
    bias: str = "as-is"
    debounce_us: Annotated[int, Meta(ge=0)] = 0
    event_buffer: Annotated[int, Meta(ge=0)] = 0
    baud: Annotated[int, Meta(ge=1)] = 9600
    parity: Literal["none", "even", "odd"] = "none"


class Message(NamedTuple):
    """One message of an I2C transaction; `data` is empty for a read."""

    flags: int
    length: int
    data: bytes


class Instrument(Protocol):
    """What can be told to misbehave."""

    def act(self, action: Action, now_ns: int) -> None:
        """Begin to behave so; what vanished comes back freshly powered."""
        ...


class I2CInstrument(Instrument, Protocol):
    """Something at an address of an I2C bus."""

    def transact(self, messages: list[Message], now_ns: int) -> bytes:
        """Answer one transaction with the bytes read; raises Refused or Silent."""
        ...


class LineInstrument(Instrument, Protocol):
    """A contact on a GPIO line. It plays whether or not anybody watches."""

    def request(self, hello: Hello) -> Any:
        """Open the line: `reader` of what is returned is the descriptor that yields its events.

        Raises Refused or Silent.
        """
        ...

    def release(self, watching: Any) -> None:
        """End what `request` returned; safe to call twice."""
        ...

    def level(self) -> bool:
        """Return whether the line is high, as far as it was advanced."""
        ...

    def next_ns(self) -> int:
        """Return when it changes next."""
        ...

    def advance(self, now_ns: int) -> None:
        """Play everything up to `now_ns`."""
        ...

    def close(self) -> None:
        """End the request that is open, if one is."""
        ...


class OutputInstrument(Instrument, Protocol):
    """Something that the node switches by a GPIO line."""

    def drive(self, high: bool, now_ns: int) -> None:  # noqa: FBT001 - the level of a line
        """Take the level that the node puts on the wire; raises Refused or Silent."""
        ...

    def level(self) -> bool:
        """Return whether the wire is high."""
        ...

    def release(self, now_ns: int) -> None:
        """Take note that the node has given the line back and nobody drives it."""
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
