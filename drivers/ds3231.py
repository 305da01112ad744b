"""Maxim DS3231: whether the node's battery-backed clock can be trusted, and its temperature, I2C.

Datasheet: Maxim 19-5170 (DS3231, rev 10): registers figure 1, wrapping after 12h and clock and
calendar p. 11, status with OSF p. 14, temperature p. 15. Time, OSF and temperature agree with
Adafruit's driver, the century bit with Linux's rtc-ds1307.

The part has no identity and no checksum. All its 19 registers are read twice in one transaction,
since its pointer wraps: both must be the same and be a time. No other part at 0x68 wraps there.

Nothing is ever written: setting the clock is `hwclock`'s, and the kernel's where it has the part.
"""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final, Literal, NamedTuple

from msgspec import Meta

from edgenode.bus import I2CDevice
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import BadFrame, WrongDevice
from edgenode.reading import Channel, Event, EventCode, Kind, Quality, Sample

REGISTERS: Final = 0x13
STATUS: Final = 0x0F
TEMPERATURE: Final = 0x11
TIME_LOST: Final = 0x80  # OSF: the oscillator was stopped, by the first power-on or no battery
HOUR_OF_12: Final = 0x40
AFTERNOON: Final = 0x20
CENTURY: Final = 0x80  # of the month
ZERO: Final = {0x03: 0xF8, 0x04: 0xC0, 0x05: 0x60, STATUS: 0x70, TEMPERATURE + 1: 0x3F}
COLDEST, WARMEST = -40.0, 85.0  # °C in which it works
TRIES: Final = 3  # the second in which it ticks while it is read is read again
LOST: Final = 1  # the index of its channel


class Clock(NamedTuple):
    """What the registers say."""

    utc: int  # POSIX seconds, of a clock that is set to UTC
    lost: bool
    celsius: float


def digits(byte: int) -> int:
    """Return a number of two decimal digits; raises ValueError."""
    tens, ones = divmod(byte, 16)
    if tens > 9 or ones > 9:
        raise ValueError(f"0x{byte:02x} is not decimal")
    return tens * 10 + ones


def hour(byte: int) -> int:
    """Return the hour, 0 to 23, of either way of counting; raises ValueError."""
    if not byte & HOUR_OF_12:
        return digits(byte)
    of_12 = digits(byte & 0x1F)
    if not 1 <= of_12 <= 12:
        raise ValueError(f"hour {of_12} of 12")
    return of_12 % 12 + (12 if byte & AFTERNOON else 0)


def decode(registers: bytes) -> Clock:
    """Turn the 19 registers into time and temperature.

    Raises ValueError where they cannot be those of a DS3231, as random bytes mostly cannot.
    """
    for register, bits in ZERO.items():
        if registers[register] & bits:
            raise ValueError(f"register 0x{register:02x} reads 0x{registers[register]:02x}")
    second, minute, _, weekday, day, month, year = registers[:7]
    if not weekday:
        raise ValueError("weekday 0")
    at = datetime(
        2000 + digits(year) + (100 if month & CENTURY else 0),
        digits(month & ~CENTURY),
        digits(day),
        hour(registers[2]),
        digits(minute),
        digits(second),
        tzinfo=UTC,
    )
    quarters = int.from_bytes(registers[TEMPERATURE : TEMPERATURE + 2], "big", signed=True) >> 6
    celsius = quarters / 4
    if not COLDEST <= celsius <= WARMEST:
        raise ValueError(f"{celsius} °C")
    return Clock(timegm(at.timetuple()), bool(registers[STATUS] & TIME_LOST), celsius)


def taken(wire: I2CDevice) -> Clock:
    """Read the registers twice at once. Raises BusError, and ValueError for what is no DS3231."""
    return decode(repeated(wire, b"\0"))


def repeated(wire: I2CDevice, pointer: bytes) -> bytes:
    """Return all registers from a pointer on, or from where it stands; raises as `taken` does."""
    for _ in range(TRIES):
        both = wire.transfer(pointer, 2 * REGISTERS)
        if both[:REGISTERS] == both[REGISTERS:]:
            return both[:REGISTERS]
    raise ValueError(f"{both[:REGISTERS].hex(' ')} and {both[REGISTERS:].hex(' ')} differ")


class DS3231Options(Options, frozen=True):
    """What an installer may choose: nothing, the part has one address."""

    address: Annotated[Literal[0x68], Meta(description="its only one")] = 0x68


class DS3231(Driver):
    """One clock that is only looked at."""

    wire: ClassVar[WireKind] = "i2c"
    model: ClassVar[str] = "DS3231"
    options: ClassVar[type[Options]] = DS3231Options
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("temperature", "Cel", -2, low=COLDEST, high=WARMEST),  # of the case; in quarters
        Channel("time_lost", "1", kind=Kind.STATE, low=0, high=1),
        Channel("time_difference", "s"),  # its clock less the node's; it tells whole seconds
    )
    budget_s: ClassVar[float] = 0.1  # 5 ms as a rule; the rest is for a slow or busy bus
    fastest_s: ClassVar[float] = 1.0  # it ticks so often, and takes its temperature each 64 s
    addresses: ClassVar[tuple[int, ...]] = (0x68,)
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self, wire: I2CDevice, options: DS3231Options, wall: Callable[[], float] = time.time
    ) -> None:
        self._i2c, self._wall = wire, wall
        self._where = f"DS3231 at 0x{options.address:02x}"
        self._lost = False
        self._since_ms: int | None = None  # when it was first seen as it is
        try:
            taken(wire)
        except ValueError as exc:
            raise WrongDevice(
                f"{self._where}: what answers is no DS3231 ({exc}); check what is soldered there"
            ) from exc

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by all of its registers, which hold a time and wrap where they should.

        Whether they wrap is seen without a pointer, which an MCP3428 would take for an order.
        """
        del sleep
        try:
            repeated(wire, b"")
            clock = taken(wire)
        except ValueError:
            return None
        return Found("DS3231, a clock that lost the time" if clock.lost else "DS3231, a clock")

    def read(self, now_ms: int) -> Sample:
        """Look once. Raises BusError, or BadFrame for what cannot be its registers."""
        try:
            clock = taken(self._i2c)
        except ValueError as exc:
            raise BadFrame(f"{self._where}: {exc}; check supply and wiring") from exc
        events = self._changed(now_ms, lost=clock.lost)
        if clock.lost:
            values = (clock.celsius, 1.0, None)
            return Sample(values, (Quality.OK, Quality.OK, Quality.FAULT), events)
        # It shows the second that has begun: on average half of that has passed.
        difference = clock.utc + 0.5 - self._wall()
        return Sample((clock.celsius, 0.0, difference), events=events)

    def close(self) -> None:
        """Give the descriptor back; the clock goes on."""
        self._i2c.close()

    def _changed(self, now_ms: int, *, lost: bool) -> tuple[Event, ...]:
        """Return the event of a time that was lost, or set again since."""
        since_ms, changed = self._since_ms, lost != self._lost
        if since_ms is None or changed:
            self._since_ms = now_ms
        self._lost = lost
        if not changed:
            return ()
        lasted_ms = -1 if since_ms is None else now_ms - since_ms
        return (Event(EventCode.STATE_CHANGED, LOST, (int(lost), lasted_ms)),)
