"""Sensirion SCD30: carbon dioxide, temperature and humidity over I2C.

Datasheet: Sensirion SCD30 version 1.0 (May 2020): ranges, response time and lifetime §1; its
"Interface Description" version 1.0 (May 2020): clock stretching §1.1, commands §1.4. Commands,
floats and the wait between command and answer agree with Linux's scd30_i2c, Adafruit's and
Sensirion's drivers.

It stretches the clock up to 30 ms in each frame, 150 ms once a day, and takes no repeated START:
a command and its answer are two transactions, and no measurement is fetched that is not ready.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import isfinite
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from drivers.scd import CARBON_DIOXIDE, HUMIDITY, SCDOptions, chosen
from edgenode.bus import I2CDevice
from edgenode.bus.held import Held, Rhythm
from edgenode.bus.sensirion import Commands, floats
from edgenode.driver import Driver, Found, Grade, Life, Options, WireKind
from edgenode.errors import BadFrame, WrongDevice
from edgenode.reading import Channel, Quality, Sample

ADDRESS: Final = 0x61
START: Final = 0x0010  # with the pressure in hPa, 0 for none
READY: Final = 0x0202
READ: Final = 0x0300
READ_WORDS: Final = 6
INTERVAL: Final = 0x4600  # each of these is asked for without a word, and set with one
ALTITUDE: Final = 0x5102
TEMPERATURE_OFFSET: Final = 0x5403  # hundredths of °C
SELF_CALIBRATION: Final = 0x5306
VERSION: Final = 0xD100
INTERVALS_S: Final = range(2, 1801)
ANSWERING_S: Final = 0.004  # "> 3 ms" (§1.4.4)
EXECUTING_S: Final = 0.01

Interval = Annotated[
    int,
    Meta(ge=2, le=1800, title="from one measurement to the next", description="s, 2 to 1800"),
]


def decode(co2: float, celsius: float, percent: float) -> Sample:
    """Turn three floats into a sample; what is not finite is no number, as a fault.

    0 ppm, or less, is no measurement of CO2 yet.
    """
    told = (co2, celsius, percent)
    quality = [Quality.OK if isfinite(x) else Quality.FAULT for x in told]
    if isfinite(co2) and co2 <= 0:
        quality[0] = Quality.MISSING
    if not any(quality):
        return Sample(told)
    values = (x if how is Quality.OK else None for x, how in zip(told, quality, strict=True))
    return Sample(tuple(values), tuple(quality))


class SCD30Options(SCDOptions, frozen=True):
    """What an installer may choose; what is left out stays as the part has it in its memory."""

    address: Annotated[Literal[0x61], Meta(description="its only one")] = ADDRESS
    interval_s: Interval | None = None


class SCD30(Driver):
    """One sensor that measures by itself; it is left so when it is closed.

    It keeps in a memory that wears whether it measures, and its settings: those are written only
    where they differ.
    """

    wire: ClassVar[WireKind] = "i2c"
    model: ClassVar[str] = "SCD30"
    options: ClassVar[type[Options]] = SCD30Options
    channels: ClassVar[tuple[Channel, ...]] = (
        # Repeats to 10 ppm, 0.1 °C and 0.1 %RH (§1).
        CARBON_DIOXIDE,
        Channel("temperature", "Cel", -2, observed="WeatherObserved/temperature", low=-40, high=70),
        HUMIDITY,
    )
    budget_s: ClassVar[float] = 1.0  # four frames of 30 ms at most, one of 150 ms once a day
    fastest_s: ClassVar[float] = 2.0
    settle_s: ClassVar[float] = 20.0  # its response time (§1)
    addresses: ClassVar[tuple[int, ...]] = (ADDRESS,)
    life: ClassVar[Life | None] = Life(15 * 365.25 * 24, "sensor")  # "15 years" (§1)
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self, wire: I2CDevice, options: SCD30Options, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c = wire
        where = f"SCD30 at 0x{options.address:02x}"
        self._part = Commands(wire, where, sleep)
        self._part.identity(VERSION, 1, wait_s=ANSWERING_S)
        for command, word in settings(options).items():
            self._set(command, word)
        interval_s = self._asked(INTERVAL)
        if interval_s not in INTERVALS_S:
            raise WrongDevice(f"{where}: has an interval of {interval_s} s, which no SCD30 has")
        self._part.send(START, options.pressure_hpa or 0, wait_s=EXECUTING_S)
        rhythm = Rhythm(where, 2_000 * interval_s, 5_000 * interval_s, "is its supply stable?")
        self._held = Held(rhythm, len(self.channels))

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its firmware and an interval that it can have."""
        part = Commands(wire, cls.model, sleep)
        try:
            (version,) = part.ask(VERSION, 1, wait_s=ANSWERING_S)
            (interval_s,) = part.ask(INTERVAL, 1, wait_s=ANSWERING_S)
        except BadFrame:
            return None
        if interval_s not in INTERVALS_S:
            return None
        return Found(f"SCD30, firmware {version >> 8}.{version & 0xFF}")

    def read(self, now_ms: int) -> Sample:
        """Return the newest measurement; no number, as settling, before the first.

        Raises BusError, BusTimeout or BadFrame.
        """
        fresh = None
        if self._asked(READY):
            fresh = decode(*floats(self._part.ask(READ, READ_WORDS, wait_s=ANSWERING_S)))
        return self._held.newest(now_ms, fresh)

    def close(self) -> None:
        """Give the descriptor back; it goes on measuring, since stopping would wear its memory."""
        self._i2c.close()

    def _asked(self, command: int) -> int:
        (word,) = self._part.ask(command, 1, wait_s=ANSWERING_S)
        return word

    def _set(self, command: int, word: int) -> None:
        if self._asked(command) != word:
            self._part.send(command, word, wait_s=EXECUTING_S)


def settings(options: SCD30Options) -> dict[int, int]:
    """Return the commands that set what was chosen, each with its word (§1.4)."""
    return chosen(
        {
            INTERVAL: options.interval_s,
            ALTITUDE: options.altitude_m,
            TEMPERATURE_OFFSET: options.offset(100),
            SELF_CALIBRATION: options.self_calibration,
        }
    )
