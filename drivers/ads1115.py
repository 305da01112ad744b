"""Texas Instruments ADS1115: four voltages, or two differences of voltages, over I2C, 16 bits.

Datasheet: Texas Instruments SBAS444D: result and registers §9.6 (conversion 0, configuration 1,
thresholds 2 and 3), configuration table 8, single-shot mode §9.4.2.1, full-scale ranges table 3,
data rates within 10 % §7.5, addresses table 4. Inputs, ranges and rates agree with Linux's
ti-ads1015 driver and Adafruit's.

The part has no id register. It is known by what its registers hold after power-on, and at its
opening by the time of one conversion: an ADS1015 answers to the same words in a sixteenth of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from edgenode.bus import I2CDevice
from edgenode.bus.words import Words, signed
from edgenode.driver import (
    Driver,
    Found,
    Grade,
    Observed,
    Options,
    WireKind,
    both_or_neither,
    one_name_each,
)
from edgenode.errors import BusTimeout, WrongDevice
from edgenode.reading import Channel, Quality, Sample

REG_CONVERSION: Final = 0x00
REG_CONFIG: Final = 0x01
REG_LOW: Final = 0x02
REG_HIGH: Final = 0x03
LOW_AT_START: Final = 0x8000
HIGH_AT_START: Final = 0x7FFF

START: Final = 0x8000  # written: begin to convert; read: not converting
SINGLE_SHOT: Final = 0x0100
NO_COMPARATOR: Final = 0x0003
UNTOUCHED: Final = 0x811F  # what nobody who measures changes: mode and comparator,
AS_AT_START: Final = 0x8103  # and how that reads after power-on and under this driver
MUX_AT: Final = 12
RANGE_AT: Final = 9
RATE_AT: Final = 5

Pins = Literal["0", "1", "2", "3", "0-1", "0-3", "1-3", "2-3"]
MUX: Final[dict[Pins, int]] = {
    "0-1": 0,
    "0-3": 1,
    "1-3": 2,
    "2-3": 3,
    "0": 4,
    "1": 5,
    "2": 6,
    "3": 7,
}
Volts = Literal["6.144", "4.096", "2.048", "1.024", "0.512", "0.256"]
RANGES: Final[tuple[Volts, ...]] = ("6.144", "4.096", "2.048", "1.024", "0.512", "0.256")
Rate = Literal[8, 16, 32, 64, 128, 250, 475, 860]
RATES: Final[tuple[Rate, ...]] = (8, 16, 32, 64, 128, 250, 475, 860)
COUNTS: Final = 0x8000  # of a whole range
ENDS: Final = (0x7FFF, -0x8000)
SLOW: Final = 1.1  # rates are right to 10 %
TRIES: Final = 5
RETRY_S: Final = 0.002
EARLY_S: Final = 0.04  # an ADS1015 asked for rate 0 needs 8.6 ms at most, an ADS1115 112 at least
WHOLE_S: Final = SLOW / 8 - EARLY_S
ONLY_12_BITS: Final = 0x000F  # are 0 in each result of an ADS1015

Number = Annotated[float, Meta(ge=-1e9, le=1e9)]


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[[sensor.inputs]]: what is wired to a pin, or between two, and what its volts mean."""

    name: Annotated[
        str, Meta(pattern="^[a-z0-9_]{1,64}$", title="of the channel", description="a quantity")
    ]
    pins: Annotated[
        Pins, Meta(title='against ground, such as "0", or against another, such as "0-1"')
    ]
    unit: Annotated[
        str, Meta(pattern=r"^\S{1,24}$", title="of SenML, else UCUM", description="such as mm")
    ] = "V"
    range_v: Annotated[Volts, Meta(title="the full scale, in V, in quotes")] = "4.096"
    factor: Annotated[
        Number, Meta(title="a value is factor times volts plus offset", description="units a volt")
    ] = 1.0
    offset: Annotated[Number, Meta(title="added, in the unit of the channel")] = 0.0
    low: Annotated[Number | None, Meta(title="the least that the value can mean")] = None
    high: Annotated[Number | None, Meta(title="the most that it can mean")] = None
    fault_below_v: Annotated[
        Number | None, Meta(title="below it the wire is broken: a live zero, in V at the pin")
    ] = None
    fault_above_v: Annotated[Number | None, Meta(title="above it the wire is shorted")] = None
    observed: Observed = ""

    def __post_init__(self) -> None:
        if not self.factor:
            raise ValueError("factor is 0: every value would be the offset")
        both_or_neither(self.low, self.high)

    @property
    def step_v(self) -> float:
        """The volts of one count."""
        return float(self.range_v) / COUNTS

    def value(self, volts: float) -> float:
        """Return what so many volts mean."""
        return self.factor * volts + self.offset

    def channel(self) -> Channel:
        """Return the channel, as fine as a count of the range."""
        step = self.step_v * abs(self.factor)
        ends = sorted(self.value(side * float(self.range_v)) for side in (-1, 1))
        low, high = (ends[0], ends[1]) if self.low is None else (self.low, self.high)
        scale = math.floor(math.log10(step) + 1e-9)
        return Channel(self.name, self.unit, scale, observed=self.observed, low=low, high=high)


def decode(count: int, put: Input) -> tuple[float | None, Quality]:
    """Turn a result into the value of an input; a count at either end is marked as clamped."""
    volts = count * put.step_v
    if put.fault_below_v is not None and volts < put.fault_below_v:
        return None, Quality.FAULT
    if put.fault_above_v is not None and volts > put.fault_above_v:
        return None, Quality.FAULT
    return put.value(volts), Quality.CLAMPED if count in ENDS else Quality.OK


class Converter:
    """One chip on its wire, which converts when asked and sleeps in between."""

    def __init__(
        self, wire: I2CDevice, where: str, rate: Rate, sleep: Callable[[float], None]
    ) -> None:
        self._words, self._where, self._sleep = Words(wire, where), where, sleep
        self._rate = RATES.index(rate) << RATE_AT
        self._converting_s = SLOW / rate

    def prove_identity(self) -> None:
        """Raise WrongDevice where no ADS1115 answers; begins with reading, then converts once."""
        low, high = self._words.get(REG_LOW), self._words.get(REG_HIGH)
        if (low, high) != (LOW_AT_START, HIGH_AT_START):
            raise WrongDevice(
                f"{self._where}: its thresholds read 0x{low:04x} and 0x{high:04x}, those of an "
                "ADS1115 0x8000 and 0x7fff; check the address and what is soldered there"
            )
        config = configuration("0", "4.096")  # at the slowest rate, which is 0
        self._words.put(REG_CONFIG, config | START)
        self._sleep(EARLY_S)
        early = self._words.get(REG_CONFIG)
        self._sleep(WHOLE_S)
        self._finished(config)
        if early & START and not self._words.get(REG_CONVERSION) & ONLY_12_BITS:
            raise WrongDevice(
                f"{self._where} converts too fast: it is an ADS1015, which has 12 bits and other "
                "rates; an ADS1115 was configured"
            )

    def convert(self, pins: Pins, range_v: Volts) -> int:
        """Return the count of one input. Raises BusError, BusTimeout or BadFrame."""
        config = configuration(pins, range_v) | self._rate
        self._words.put(REG_CONFIG, config | START)
        self._sleep(self._converting_s)
        self._finished(config)
        return signed(self._words.get(REG_CONVERSION))

    def _finished(self, config: int) -> None:
        """Wait until it says so, and prove that it converts what it was asked to."""
        for _ in range(TRIES):
            if self._words.prove(REG_CONFIG, config, ~START) & START:
                return
            self._sleep(RETRY_S)
        raise BusTimeout(f"{self._where}: still converting; is its supply stable?")


def configuration(pins: Pins, range_v: Volts) -> int:
    """Return the word that asks for one conversion, but for its rate and its start."""
    mux, gain = MUX[pins] << MUX_AT, RANGES.index(range_v) << RANGE_AT
    return mux | gain | SINGLE_SHOT | NO_COMPARATOR


ALL_PINS: Final = tuple(Input(name=f"voltage_{pins}", pins=pins) for pins in ("0", "1", "2", "3"))


class ADS1115Options(Options, frozen=True):
    """What an installer may choose; without inputs all four pins are told in volts."""

    address: Annotated[
        Literal[0x48, 0x49, 0x4A, 0x4B],
        Meta(description="0x48 (ADDR to ground), 0x49 (VDD), 0x4a (SDA) or 0x4b (SCL)"),
    ] = 0x48
    rate: Annotated[
        Rate, Meta(title="conversions a second: slower is quieter", description="8, 16 ... 860")
    ] = 128
    inputs: Annotated[tuple[Input, ...], Meta(max_length=8)] = ()

    def __post_init__(self) -> None:
        one_name_each([put.name for put in self.inputs], "inputs")


class ADS1115(Driver):
    """One chip; each of its inputs is a channel."""

    wire: ClassVar[WireKind] = "i2c"
    model: ClassVar[str] = "ADS1115"
    options: ClassVar[type[Options]] = ADS1115Options
    channels: ClassVar[tuple[Channel, ...]] = tuple(put.channel() for put in ALL_PINS)
    budget_s: ClassVar[float] = 1.5  # eight inputs at 8 conversions a second; as a rule 40 ms
    fastest_s: ClassVar[float] = 0.02
    addresses: ClassVar[tuple[int, ...]] = (0x48, 0x49, 0x4A, 0x4B)
    varies: ClassVar[bool] = True
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self, wire: I2CDevice, options: ADS1115Options, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c = wire
        self._inputs = options.inputs or ALL_PINS
        where = f"ADS1115 at 0x{options.address:02x}"
        self._converter = Converter(wire, where, options.rate, sleep)
        self._converter.prove_identity()

    @classmethod
    def declare(cls, options: Any) -> tuple[Channel, ...]:
        return tuple(put.channel() for put in options.inputs or ALL_PINS)

    def measures(self) -> tuple[Channel, ...]:
        return tuple(put.channel() for put in self._inputs)

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its thresholds and by what never changes of its configuration."""
        del sleep
        words = Words(wire, cls.model)
        if (words.get(REG_LOW), words.get(REG_HIGH)) != (LOW_AT_START, HIGH_AT_START):
            return None
        if words.get(REG_CONFIG) & UNTOUCHED != AS_AT_START:
            return None
        fine = words.get(REG_CONVERSION) & ONLY_12_BITS
        return Found("ADS1115" if fine else "ADS1115, or an ADS1015: opening it tells")

    def read(self, now_ms: int) -> Sample:
        """Convert each input in turn. Raises BusError, BusTimeout or BadFrame."""
        del now_ms  # a conversion on request is about now by itself
        got = [decode(self._converter.convert(put.pins, put.range_v), put) for put in self._inputs]
        values, quality = (tuple(column) for column in zip(*got, strict=True))
        return Sample(values, quality if any(quality) else ())

    def close(self) -> None:
        """Give the descriptor back; the chip sleeps by itself after each conversion."""
        self._i2c.close()
