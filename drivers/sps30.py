"""Sensirion SPS30 over I2C: particulate matter by laser; what it measures, for its UART as well.

Datasheet: Sensirion SPS30 version 2.0 (June 2023): start-up and lifetime §1.1, modes §4.1, fan
cleaning §4.2, float format §4.3, status register §4.4, commands §6.3. Commands and the order in
which they are sent agree with Linux's sps30_i2c driver, the bits of the status register with
Sensirion's embedded-sps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import isfinite
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.bus import I2CDevice
from edgenode.bus.held import Held, Rhythm
from edgenode.bus.sensirion import Commands, floats, text
from edgenode.driver import Driver, Found, Grade, Life, Options, WireKind
from edgenode.errors import BadFrame, BusError, ImpossibleValue, WrongDevice
from edgenode.reading import Channel, Quality, Sample

ADDRESS: Final = 0x69
WAKE: Final = 0x1103  # twice: the first is not acknowledged and switches the interface on (§6.3.6)
STOP: Final = 0x0104  # measuring can be begun in idle mode only (§4.1)
START: Final = 0x0010
AS_FLOATS: Final = 0x0300  # the format, and a dummy byte
READY: Final = 0x0202
READ: Final = 0x0300
READ_WORDS: Final = 20
PRODUCT_TYPE: Final = 0xD002
PRODUCT: Final = "00080000"  # "recommended to use as product identifier" (§6.3.9)
PRODUCT_WORDS: Final = 4
SERIAL: Final = 0xD033
SERIAL_WORDS: Final = 16
VERSION: Final = 0xD100
STATUS: Final = 0xD206
CLEAR_STATUS: Final = 0xD210
STATUS_SINCE: Final = (2, 2)  # the first firmware that has it (table 8)
EXECUTING_S: Final = 0.02  # start and stop take less (table 8)
WAKING_S: Final = 0.005
ANSWERING_S: Final = 0.001  # "ready to read immediately" (§6.1); a slow bus is given this much

FAN: Final = 1 << 4  # it should turn, and stands; this and the next stay set until cleared
LASER: Final = 1 << 5  # its current is out of range
SPEED: Final = 1 << 21  # of the fan: too high or too low

LIFE: Final = Life(10 * 365.25 * 24, "fan and laser")  # "> 10 years, 24 h/day" (§1.1)
SETTLE_S: Final = 30.0  # start-up in clean air, 50 to 100 particles a cm³ (§1.1)
PERIOD_S: Final = 1.0
LATE_MS: Final = 3_000  # it measures each second (§4.1), and a busy node may be late
SILENT_MS: Final = 30_000  # while it cleans its fan, 10 s a week, it measures nothing (§4.2)

CHANNELS: Final = (
    # Mass of all particles up to a size, right to 5 µg/m³ + 5 % at best (§1.1): a tenth carries it.
    Channel("pm1", "ug/m3", -1, observed="AirQualityObserved/pm1", low=0, high=1000),
    Channel("pm25", "ug/m3", -1, observed="AirQualityObserved/pm25", low=0, high=1000),
    Channel("pm4", "ug/m3", -1, observed="AirQualityObserved/pm4", low=0, high=1000),
    Channel("pm10", "ug/m3", -1, observed="AirQualityObserved/pm10", low=0, high=1000),
    # Number of particles from 0.3 µm up to a size.
    Channel("number_pm05", "/cm3", -1, low=0, high=3000),
    Channel("number_pm1", "/cm3", -1, low=0, high=3000),
    Channel("number_pm25", "/cm3", -1, low=0, high=3000),
    Channel("number_pm4", "/cm3", -1, low=0, high=3000),
    Channel("number_pm10", "/cm3", -1, low=0, high=3000),
    Channel("typical_size", "um", -2, low=0, high=10),
)


def decode(numbers: Sequence[float]) -> Sample:
    """Turn the ten floats of a measurement (§4.3) into a sample of CHANNELS.

    What is not finite or negative is no number, as a fault.
    """
    honest = [isfinite(number) and number >= 0 for number in numbers]
    values = tuple(x if good else None for x, good in zip(numbers, honest, strict=True))
    if all(honest):
        return Sample(values)
    return Sample(values, tuple(Quality.OK if good else Quality.FAULT for good in honest))


def judged(sample: Sample, status: int, where: str) -> Sample:
    """Return the sample as its status register (§4.4) lets it count; `where` begins an error.

    With a fan at another speed than in the factory, numbers are marked as uncalibrated. Raises
    ImpossibleValue where fan or laser has failed.
    """
    if status & (FAN | LASER):
        failed = " and ".join(
            words
            for bit, words in ((FAN, "fan is blocked or broken"), (LASER, "laser has failed"))
            if status & bit
        )
        raise ImpossibleValue(
            f"{where}: its {failed} (status 0x{status:08x}); clean it, and if that does not help "
            "replace it"
        )
    if not status & SPEED:
        return sample
    given = sample.quality or (Quality.OK,) * len(sample.values)
    marks = (Quality.UNCALIBRATED if how is Quality.OK else how for how in given)
    return Sample(sample.values, tuple(marks), sample.events)


class SPS30Options(Options, frozen=True):
    """There is nothing to choose: the address is fixed."""

    address: Annotated[Literal[0x69], Meta(description="its only one")] = ADDRESS


class SPS30(Driver):
    """One sensor that measures by itself each second from its opening until it is closed."""

    wire: ClassVar[WireKind] = "i2c"
    model: ClassVar[str] = "SPS30"
    options: ClassVar[type[Options]] = SPS30Options
    channels: ClassVar[tuple[Channel, ...]] = CHANNELS
    budget_s: ClassVar[float] = 0.25  # 15 ms as a rule: 75 bytes at 100 kHz take half of it
    fastest_s: ClassVar[float] = PERIOD_S
    settle_s: ClassVar[float] = SETTLE_S
    addresses: ClassVar[tuple[int, ...]] = (ADDRESS,)
    life: ClassVar[Life | None] = LIFE
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self, wire: I2CDevice, options: SPS30Options, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c = wire
        self._where = f"SPS30 at 0x{options.address:02x}"
        self._part = Commands(wire, self._where, sleep)
        for _ in range(2):  # another program may have put it to sleep
            self._part.nudge(WAKE, WAKING_S)
        self._prove_identity()
        self._part.send(STOP, wait_s=EXECUTING_S)
        (version,) = self._part.ask(VERSION, 1, wait_s=ANSWERING_S)
        self._tells_status = (version >> 8, version & 0xFF) >= STATUS_SINCE
        if self._tells_status:  # whether a failure of the past lasts is soon told
            self._part.send(CLEAR_STATUS, wait_s=EXECUTING_S)
        self._part.send(START, AS_FLOATS, wait_s=EXECUTING_S)
        rhythm = Rhythm(self._where, LATE_MS, SILENT_MS, "is its 5 V supply stable?")
        self._held = Held(rhythm, len(CHANNELS))

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its product type and serial number; one that sleeps says nothing."""
        part = Commands(wire, cls.model, sleep)
        try:
            if text(part.ask(PRODUCT_TYPE, PRODUCT_WORDS, wait_s=ANSWERING_S)) != PRODUCT:
                return None
            serial = text(part.ask(SERIAL, SERIAL_WORDS, wait_s=ANSWERING_S))
        except BadFrame:
            return None
        return Found(f"SPS30, serial number {serial}")

    def read(self, now_ms: int) -> Sample:
        """Return the newest measurement; no number, as settling, before the first.

        Raises BusError, BusTimeout, BadFrame, and ImpossibleValue where fan or laser has failed.
        """
        (ready,) = self._part.ask(READY, 1, wait_s=ANSWERING_S)
        fresh = decode(self._measured()) if ready & 0xFF else None
        return judged(self._held.newest(now_ms, fresh), self._status(), self._where)

    def close(self) -> None:
        """Stop fan and laser, and give the descriptor back."""
        with suppress(BusError):
            self._part.send(STOP)
        self._i2c.close()

    def _measured(self) -> tuple[float, ...]:
        return floats(self._part.ask(READ, READ_WORDS, wait_s=ANSWERING_S))

    def _status(self) -> int:
        if not self._tells_status:
            return 0
        high, low = self._part.ask(STATUS, 2, wait_s=ANSWERING_S)
        return high << 16 | low

    def _prove_identity(self) -> None:
        product = text(self._part.identity(PRODUCT_TYPE, PRODUCT_WORDS, wait_s=ANSWERING_S))
        if product != PRODUCT:
            raise WrongDevice(
                f"{self._where}: expected product type {PRODUCT}, found {product!r}; "
                "check what is soldered there (a SEN5x has the same address)"
            )
