"""What Sensirion's sensor nodes SEN5x and SEN6x have in common: how they start, fail and are read.

Datasheet: Sensirion SEN5x version 2 (§6.1 commands, §6.4 device status) and SEN6x version 1 (§4.8
and §4.9). Commands, their times, scales, marks of unknown values and the bits of the status are
the same in Sensirion's own Python drivers sensirion-i2c-sen5x 0.1.1 and sensirion-i2c-sen66 1.3.1;
commands and scales also in ESPHome's components sen5x and sen6x.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Final, NamedTuple

from edgenode.bus import I2CDevice
from edgenode.bus.sensirion import Commands, text
from edgenode.driver import Driver, Grade, Life, WireKind
from edgenode.errors import BadFrame, ImpossibleValue
from edgenode.reading import Channel, Quality, Sample

START, READY, NAME, SERIAL = 0x0021, 0x0202, 0xD014, 0xD033
STATUS, STATUS_AND_CLEAR = 0xD206, 0xD210
TEXT_WORDS: Final = 16  # of a name or a serial number: 32 bytes
ASKING_S: Final = 0.02
STARTING_S: Final = 0.05
FIRST_TRIES: Final = 15  # the first measurement is there after 1.1 s
FIRST_RETRY_S: Final = 0.1
WARMING_MS: Final = 30_000  # nitrogen oxides are known after 11 s, particles settled after 30 s
HOLD_MS: Final = 60_000  # an error is told for so long after it was seen last
UNKNOWN, UNKNOWN_SIGNED = 0xFFFF, 0x7FFF

# Bits of the status. Errors are kept by the part until somebody clears them; the rest passes.
LASTING: Final = tuple(1 << bit for bit in (4, 5, 6, 7, 9, 11))
FAN, LASER, CLIMATE, GAS, CO2, PARTICLES = LASTING
CLEANING: Final = 1 << 19  # SEN5x: nothing is measured while the fan is blown free
FAN_SPEED: Final = 1 << 21  # out of its range: the air that the laser counts is not what it should


class Signal(NamedTuple):
    """One word of a measurement. Where its speed matters, it depends on the flow of air."""

    channel: Channel
    divisor: int
    spoiled: int  # by these errors of the status; by that of the fan each is
    signed: bool = False
    flow: bool = False


def _mass(name: str) -> Signal:
    observed = f"AirQualityObserved/{name}"
    channel = Channel(name, "ug/m3", -1, observed=observed, low=0, high=1000)
    return Signal(channel, 10, FAN | LASER | PARTICLES, flow=True)


# The words that all models begin with. The datasheets promise masses from 0 to 1,000 µg/m³.
SIGNALS: Final = (
    *map(_mass, ("pm1", "pm25", "pm4", "pm10")),
    Signal(
        Channel(
            "humidity", "%RH", -1, observed="WeatherObserved/relativeHumidity", low=0, high=100
        ),
        100,
        FAN | CLIMATE,
        signed=True,
    ),
    Signal(
        Channel("temperature", "Cel", -2, observed="WeatherObserved/temperature", low=-40, high=85),
        200,
        FAN | CLIMATE,
        signed=True,
    ),
    Signal(Channel("voc_index", "1", -1, low=1, high=500), 10, FAN | GAS, signed=True),
    Signal(Channel("nox_index", "1", -1, low=1, high=500), 10, FAN | GAS, signed=True),
)


def number(word: int, signal: Signal) -> float | None:
    """Return what a word means in the unit of its channel; None where the part does not know."""
    if word == (UNKNOWN_SIGNED if signal.signed else UNKNOWN):
        return None
    return (word - 0x10000 if signal.signed and word >= 0x8000 else word) / signal.divisor


def judged(word: int, signal: Signal, flags: int, *, young: bool) -> tuple[float | None, Quality]:
    """Return the value of a word and its quality, by the status of the part."""
    if flags & signal.spoiled:
        return None, Quality.FAULT
    value = number(word, signal)
    if value is None:
        return None, Quality.SETTLING if young else Quality.FAULT
    if flags & CLEANING:
        return value, Quality.STALE
    return value, Quality.UNCALIBRATED if signal.flow and flags & FAN_SPEED else Quality.OK


class Lasting:
    """Errors that were seen, each for HOLD_MS: a fan that sticks now and then is no good fan."""

    def __init__(self) -> None:
        self._seen_ms: dict[int, int] = {}

    def noted(self, flags: int, now_ms: int) -> int:
        """Return these flags and the errors that were seen lately."""
        for error in LASTING:
            if flags & error:
                self._seen_ms[error] = now_ms
        for error, seen_ms in self._seen_ms.items():
            flags |= error if now_ms - seen_ms < HOLD_MS else 0
        return flags


def named(part: Commands) -> tuple[str, str] | None:
    """Return the product's name and serial number; None where the answer is no text of words.

    Raises BusError.
    """
    try:
        name = text(part.ask(NAME, TEXT_WORDS, wait_s=ASKING_S))
        return name, text(part.ask(SERIAL, TEXT_WORDS, wait_s=ASKING_S))
    except BadFrame:
        return None


class SensorNode(Driver):
    """A node that measures each second, from its first opening on.

    Closing does not stop it: its gas sensor learns from the air of hours, and a stop is the end of
    that. `has` says how many of its signals this part has.
    """

    wire: ClassVar[WireKind] = "i2c"
    budget_s: ClassVar[float] = 0.5  # 40 ms as a rule; the rest is for a slow or busy bus
    fastest_s: ClassVar[float] = 1.0  # it measures no faster
    settle_s: ClassVar[float] = WARMING_MS / 1000
    life: ClassVar[Life | None] = Life(87_600, "fan")  # ten years at 24 hours a day
    grade: ClassVar[Grade] = "oracle"
    signals: ClassVar[tuple[Signal, ...]]
    read_command: ClassVar[int]

    def __init__(
        self, wire: I2CDevice, where: str, has: int, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c, self._where, self._has, self._sleep = wire, where, has, sleep
        self._part = Commands(wire, where, sleep)
        self._lasting = Lasting()
        self._first_ms: int | None = None  # when it was read first
        self._part.send(START, wait_s=STARTING_S)  # has no effect on one that measures already
        self._await_first()

    def read(self, now_ms: int) -> Sample:
        """Return the newest measurement. Raises BusError, BadFrame or ImpossibleValue."""
        self._first_ms = now_ms if self._first_ms is None else self._first_ms
        flags = self._lasting.noted(self._flags(), now_ms)
        words = self._part.ask(self.read_command, len(self.signals), wait_s=ASKING_S)
        return self._sample(words, flags, young=now_ms - self._first_ms < WARMING_MS)

    def close(self) -> None:
        """Give the descriptor back; the node goes on measuring."""
        self._i2c.close()

    def _await_first(self) -> None:
        """Wait for a measurement, unless the part is busy with something else."""
        for _ in range(FIRST_TRIES):
            if self._part.ask(READY, 1, wait_s=ASKING_S)[0] & 1:
                return
            self._sleep(FIRST_RETRY_S)

    def _flags(self) -> int:
        """Return the status; errors are cleared, so that the next one tells whether they last."""
        flags = _long(self._part.ask(STATUS, 2, wait_s=ASKING_S))
        if flags & sum(LASTING):
            flags |= _long(self._part.ask(STATUS_AND_CLEAR, 2, wait_s=ASKING_S))
        return flags

    def _sample(self, words: Sequence[int], flags: int, *, young: bool) -> Sample:
        signals, words = self.signals[: self._has], words[: self._has]
        pairs = [judged(w, s, flags, young=young) for w, s in zip(words, signals, strict=True)]
        if not young and not flags & FAN and _nothing(words, signals):
            raise ImpossibleValue(
                f"{self._where}: no longer measures; it was without power for a moment or was "
                "stopped by another program, and is started anew"
            )
        pairs += [(None, Quality.MISSING)] * (len(self.measures()) - self._has)
        values, quality = zip(*pairs, strict=True)
        return Sample(values, quality if set(quality) != {Quality.OK} else ())


def _nothing(words: Iterable[int], signals: Iterable[Signal]) -> bool:
    return all(number(w, s) is None for w, s in zip(words, signals, strict=True))


def _long(words: Sequence[int]) -> int:
    return words[0] << 16 | words[1]
