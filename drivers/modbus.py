"""Any part that speaks Modbus RTU, by a table of its registers in the file.

Datasheet: MODBUS Application Protocol Specification V1.1b3: functions 03 and 04, §6.3 and §6.4;
what a register means is the part's own document. Modbus gives each register big-endian; in which
order the words of a wider value stand differs between makers, so the table says it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from edgenode.bus import SerialPort
from edgenode.bus.modbus import REGISTERS_MOST, Slave
from edgenode.driver import (
    Driver,
    Grade,
    Observed,
    Options,
    WireKind,
    both_or_neither,
    one_name_each,
)
from edgenode.errors import WrongDevice
from edgenode.reading import Channel, Kind, Quality, Sample, SerialLine

LINE: Final = SerialLine(9600)
REQUESTS_MOST: Final = 4  # of one read, so that it fits its budget
ROWS_MOST: Final = 24
Type = Literal["u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64"]
CODES: Final[dict[Type, str]] = {
    "u16": ">H",
    "s16": ">h",
    "u32": ">I",
    "s32": ">i",
    "u64": ">Q",
    "s64": ">q",
    "f32": ">f",
    "f64": ">d",
}
Address = Annotated[int, Meta(ge=0, le=0xFFFF, description="of the first register, from 0")]
Number = Annotated[float, Meta(ge=-1e12, le=1e12, description="a number")]


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[[sensor.registers]]: where a value stands, and what it means."""

    name: Annotated[
        str, Meta(pattern="^[a-z0-9_]{1,64}$", title="of the channel", description="a quantity")
    ]
    register: Annotated[Address, Meta(title="where it stands, as in the request: from 0")]
    unit: Annotated[
        str, Meta(pattern=r"^\S{1,24}$", title="of SenML, else UCUM", description="such as kWh")
    ]
    type: Annotated[Type, Meta(title="unsigned, signed or floating, and how many bits")] = "u16"
    table: Annotated[
        Literal["input", "holding"], Meta(title="function 04 or 03, as the part's document says")
    ] = "input"
    low_word_first: Annotated[bool, Meta(title="the words of a wide value stand turned")] = False
    factor: Annotated[Number, Meta(title="a value is factor times what stands there")] = 1.0
    offset: Annotated[Number, Meta(title="and then plus this")] = 0.0
    decimals: Annotated[
        int, Meta(ge=-6, le=6, title="of the resolution that is kept", description="-6 to 6")
    ] = 0
    total: Annotated[bool, Meta(title="whether it only grows")] = False
    invalid: Annotated[
        int | None,
        Meta(title="what stands there, unsigned, when there is no value", description="a number"),
    ] = None
    low: Annotated[Number | None, Meta(title="the least that the value can mean")] = None
    high: Annotated[Number | None, Meta(title="the most that it can mean")] = None
    observed: Annotated[
        Observed, Meta(title="an observed property such as WeatherObserved/windSpeed")
    ] = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what does not go together."""
        if not self.factor:
            raise ValueError("factor is 0: every value would be the offset")
        both_or_neither(self.low, self.high)
        if self.register + self.words > 0x1_0000:
            raise ValueError(f"a {self.type} at register {self.register} ends beyond the last one")

    @property
    def words(self) -> int:
        """How many registers it takes."""
        return struct.calcsize(CODES[self.type]) // 2

    @property
    def end(self) -> int:
        """The register behind it."""
        return self.register + self.words

    def channel(self) -> Channel:
        """Return its channel."""
        return Channel(
            self.name,
            self.unit,
            -self.decimals,
            Kind.COUNTER if self.total else Kind.GAUGE,
            observed=self.observed,
            low=self.low,
            high=self.high,
        )

    def value(self, registers: bytes) -> tuple[float | None, Quality]:
        """Return the value in its own registers; FAULT where it is invalid or no number."""
        if self.low_word_first:
            pairs = [registers[at : at + 2] for at in range(0, len(registers), 2)]
            registers = b"".join(reversed(pairs))
        if self.invalid is not None and int.from_bytes(registers, "big") == self.invalid:
            return None, Quality.FAULT
        (raw,) = struct.unpack(CODES[self.type], registers)
        value = raw * self.factor + self.offset
        return (value, Quality.OK) if math.isfinite(value) else (None, Quality.FAULT)


class Span(msgspec.Struct, frozen=True):
    """Registers that one request reads."""

    table: str
    first: int
    count: int


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[sensor.identity]: a register that tells the right part from another."""

    register: Annotated[Address, Meta(title="where it stands, from 0")]
    value: Annotated[
        int,
        Meta(ge=0, le=0xFFFF, title="what it holds in the right part", description="0 to 65535"),
    ]
    table: Annotated[Literal["input", "holding"], Meta(title="function 04 or 03")] = "holding"


class ModbusOptions(Options, frozen=True):
    """Which part on the line, and what to read of it."""

    registers: Annotated[
        tuple[Register, ...], Meta(min_length=1, max_length=ROWS_MOST, title="up to 24 values")
    ]
    address: Annotated[
        int, Meta(ge=1, le=247, title="its address on the line", description="1 to 247")
    ] = 1
    most: Annotated[
        int,
        Meta(
            ge=1,
            le=REGISTERS_MOST,
            title="registers that it gives in one answer",
            description="1 to 125",
        ),
    ] = 64
    identity: Annotated[
        Identity | None, Meta(title="a register that tells the right part, proved at opening")
    ] = None

    def __post_init__(self) -> None:
        """Raise ValueError where names repeat, or a read would take too many requests."""
        one_name_each([row.name for row in self.registers], "registers")
        widest = max(row.words for row in self.registers)
        if widest > self.most:
            raise ValueError(f"a value of {widest} registers does not fit an answer of {self.most}")
        requests = len(spans(self.registers, self.most))
        if requests > REQUESTS_MOST:
            raise ValueError(
                f"they stand so far apart that a read takes {requests} requests, {REQUESTS_MOST} "
                "at most: make two sensors of them, or raise most"
            )


def spans(rows: Sequence[Register], most: int) -> list[Span]:
    """Return the requests that read all rows: as few as go, each of `most` registers at most."""
    found: list[Span] = []
    for row in sorted(rows, key=lambda row: (row.table, row.register)):
        last = found[-1] if found else None
        if last and last.table == row.table and row.end - last.first <= most:
            count = max(last.count, row.end - last.first)
            found[-1] = Span(row.table, last.first, count)
        else:
            found.append(Span(row.table, row.register, row.words))
    return found


class Modbus(Driver):
    """One part on a line that others may share. It is only read, never written."""

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "Modbus part"
    options: ClassVar[type[Options]] = ModbusOptions
    channels: ClassVar[tuple[Channel, ...]] = (Channel("value", "/"),)
    varies: ClassVar[bool] = True
    line: ClassVar[SerialLine | None] = LINE
    # What a whole read may take: one request too long is a bus in trouble, and the read ends.
    budget_s: ClassVar[float] = 5.0
    fastest_s: ClassVar[float] = 0.1
    grade: ClassVar[Grade] = "oracle"

    def __init__(self, wire: SerialPort, options: ModbusOptions) -> None:
        self._wire, self._options = wire, options
        self._where = f"Modbus address {options.address}"
        self._slave = Slave(wire, options.address)
        self._spans = spans(options.registers, options.most)
        self._own = self.declare(options)
        self._prove_identity()
        self.read(0)  # a part that refuses one of the registers is told at once

    @classmethod
    def declare(cls, options: ModbusOptions) -> tuple[Channel, ...]:
        """Return a channel for each register of the table."""
        return tuple(row.channel() for row in options.registers)

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels of this part."""
        return self._own

    def read(self, now_ms: int) -> Sample:
        """Read everything once, in as few requests as go.

        Raises BusError, BusTimeout, BadFrame, or WrongDevice where it refuses a register.
        """
        del now_ms  # of one moment where one request is enough
        said = [(span, self._asked(span.table, span.first, span.count)) for span in self._spans]
        found = [row.value(_cut(said, row)) for row in self._options.registers]
        quality = tuple(how for _, how in found)
        return Sample(tuple(value for value, _ in found), quality if any(quality) else ())

    def close(self) -> None:
        """Give the share of the port back."""
        self._wire.close()

    def _asked(self, table: str, first: int, count: int) -> bytes:
        if table == "holding":
            return self._slave.read_holding_registers(first, count)
        return self._slave.read_input_registers(first, count)

    def _prove_identity(self) -> None:
        wanted = self._options.identity
        if wanted is None:
            return
        held = int.from_bytes(self._asked(wanted.table, wanted.register, 1), "big")
        if held != wanted.value:
            raise WrongDevice(
                f"{self._where}: {wanted.table} register {wanted.register} holds {held}, not "
                f"{wanted.value}; is it another part, or another address?"
            )


def _cut(said: Sequence[tuple[Span, bytes]], row: Register) -> bytes:
    """Return the bytes of a row out of the answer that it is in."""
    for span, registers in said:
        if span.table == row.table and span.first <= row.register < span.first + span.count:
            at = 2 * (row.register - span.first)
            return registers[at : at + 2 * row.words]
    raise LookupError(f"register {row.register} was not asked for")
