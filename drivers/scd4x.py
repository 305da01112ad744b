"""Sensirion SCD40, SCD41 and SCD43: carbon dioxide, temperature and humidity over I2C.

Datasheet: Sensirion SCD4x version 1.7 (April 2025): response time §1.1, lifetime §2.1, commands
and their times §3.5 (table 9), measuring §3.6, compensation §3.7, self-calibration §3.8, wake-up
§3.11. Conversion, the data-ready mask and the known answer agree with Linux's scd4x, Adafruit's
and Sensirion's drivers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from drivers.scd import CARBON_DIOXIDE, HUMIDITY, SCDOptions, chosen
from edgenode.bus import I2CDevice
from edgenode.bus.held import Held, Rhythm
from edgenode.bus.sensirion import Commands, answers_unasked
from edgenode.driver import Driver, Found, Grade, Life, Options, WireKind
from edgenode.errors import BadFrame, BusError
from edgenode.reading import Channel, Quality, Sample

Mode = Literal["periodic", "low-power"]

ADDRESS: Final = 0x62
START: Final[dict[Mode, tuple[int, int]]] = {  # the command, and ms from one measurement to another
    "periodic": (0x21B1, 5_000),
    "low-power": (0x21AC, 30_000),
}
STOP: Final = 0x3F86
READY: Final = 0xE4B8
READY_MASK: Final = 0x07FF  # all of them zero: not ready (§3.9.2)
READ: Final = 0xEC05
READ_WORDS: Final = 3
SERIAL: Final = 0x3682
SERIAL_WORDS: Final = 3
WAKE: Final = 0x36F6
SET_PRESSURE: Final = 0xE000
SET_ALTITUDE: Final = 0x2427
SET_SELF_CALIBRATION: Final = 0x2416
SET_TEMPERATURE_OFFSET: Final = 0x241D
STOPPING_S: Final = 0.5
WAKING_S: Final = 0.03
EXECUTING_S: Final = 0.001


def decode(co2: int, raw_t: int, raw_rh: int) -> Sample:
    """Turn three words into ppm, °C and %RH (§3.6.2); 0 ppm is no measurement of CO2 yet."""
    weather = (-45 + 175 * raw_t / 65535, 100 * raw_rh / 65535)
    if co2 == 0:
        return Sample((None, *weather), (Quality.MISSING, Quality.OK, Quality.OK))
    return Sample((co2, *weather))


class SCD4xOptions(SCDOptions, frozen=True):
    """What an installer may choose; what is left out stays as the part has it.

    Nothing is written into its memory: the part forgets it without power, and is told anew.
    """

    address: Annotated[Literal[0x62], Meta(description="its only one")] = ADDRESS
    mode: Annotated[
        Mode, Meta(description="periodic: each 5 s, 15 mA; low-power: each 30 s, 3 mA")
    ] = "periodic"


class SCD4x(Driver):
    """One sensor that measures by itself from its opening until it is closed."""

    wire: ClassVar[WireKind] = "i2c"
    model: ClassVar[str] = "SCD4x"
    options: ClassVar[type[Options]] = SCD4xOptions
    channels: ClassVar[tuple[Channel, ...]] = (
        # Repeats to 10 ppm, 0.1 °C and 0.4 %RH (§1); one ppm is all that its word has.
        CARBON_DIOXIDE,
        Channel("temperature", "Cel", -2, observed="WeatherObserved/temperature", low=-10, high=60),
        HUMIDITY,
    )
    budget_s: ClassVar[float] = 0.25  # 5 ms as a rule; the rest is for a slow or busy bus
    fastest_s: ClassVar[float] = 5.0
    settle_s: ClassVar[float] = 60.0  # its response time (§1.1)
    addresses: ClassVar[tuple[int, ...]] = (ADDRESS,)
    life: ClassVar[Life | None] = Life(10 * 365.25 * 24, "sensor")  # "> 10 years" (§2.1)
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self, wire: I2CDevice, options: SCD4xOptions, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c = wire
        where = f"SCD4x at 0x{options.address:02x}"
        self._part = Commands(wire, where, sleep)
        try:
            self._part.identity(SERIAL, SERIAL_WORDS, wait_s=EXECUTING_S)
        except BusError:  # another program has left it asleep or measuring
            self._part.nudge(WAKE, WAKING_S)
            self._part.nudge(STOP, STOPPING_S)  # so long it is not to be spoken to
            self._part.identity(SERIAL, SERIAL_WORDS, wait_s=EXECUTING_S)
        for command, word in settings(options).items():
            self._part.send(command, word, wait_s=EXECUTING_S)
        start, period_ms = START[options.mode]
        self._part.send(start, wait_s=EXECUTING_S)
        rhythm = Rhythm(where, 2 * period_ms, 4 * period_ms, "is its supply stable?")
        self._held = Held(rhythm, len(self.channels))

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its serial number, which it does not tell while it measures."""
        if answers_unasked(wire):
            return None  # an MCP4725 at this address would put the command out as a voltage
        part = Commands(wire, cls.model, sleep)
        try:
            part.ask(READY, 1, wait_s=EXECUTING_S)
        except BadFrame:
            return None
        try:
            serial = part.ask(SERIAL, SERIAL_WORDS, wait_s=EXECUTING_S)
        except BadFrame:
            return None
        except BusError:
            return Found("SCD4x, which measures and so does not tell its serial number")
        return Found("SCD4x, serial number " + "".join(f"{word:04x}" for word in serial))

    def read(self, now_ms: int) -> Sample:
        """Return the newest measurement; no number, as settling, before the first.

        Raises BusError, BusTimeout or BadFrame.
        """
        (ready,) = self._part.ask(READY, 1, wait_s=EXECUTING_S)
        fresh = None
        if ready & READY_MASK:
            fresh = decode(*self._part.ask(READ, READ_WORDS, wait_s=EXECUTING_S))
        return self._held.newest(now_ms, fresh)

    def close(self) -> None:
        """Stop measuring, which takes it half a second, and give the descriptor back."""
        with suppress(BusError):
            self._part.send(STOP)
        self._i2c.close()


def settings(options: SCD4xOptions) -> dict[int, int]:
    """Return the commands that set what was chosen, each with its word (§3.7, §3.8)."""
    return chosen(
        {
            SET_TEMPERATURE_OFFSET: options.offset(65535 / 175),
            SET_ALTITUDE: options.altitude_m,
            SET_PRESSURE: options.pressure_hpa,
            SET_SELF_CALIBRATION: options.self_calibration,
        }
    )
