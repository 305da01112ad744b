"""Bosch BME680 and BME688: temperature, humidity, pressure and gas resistance over I2C.

Datasheet: Bosch Sensortec BST-BME680-DS001: forced mode and heater §3.2-§3.3.5, compensation §3.3,
gas resistance §3.4.1 (with the table of range constants), memory map §5.2; BST-BME688-DS000 §3.4.1
for the gas resistance of variant 1. Register map, compensation, both gas formulas and the variant
register 0xF0 agree with Bosch's BME68x Sensor API and with Pimoroni's and Adafruit's drivers.
The resistance is sent as it is: what it says about air is left to who receives it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, ClassVar, Final, NamedTuple

from msgspec import Meta

from drivers.bosch import (
    ADDRESSES,
    ALL_X1_FORCED,
    ALL_X1_SLEEP,
    HUMIDITY,
    HUMIDITY_X1,
    PARTS,
    PRESSURE,
    REG_RESET,
    RESET,
    SKIPPED_16_BITS,
    TEMPERATURE,
    BoschOptions,
    Controls,
    air,
    chip_id,
    heat,
    pressure,
    prove,
    prove_identity,
    twenty_bits,
)
from drivers.bosch680 import Trim, gas_wait, heater, heating_s, high_gas, humidity, low_gas
from edgenode.bus import I2CDevice
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import BusTimeout, WrongDevice
from edgenode.reading import Channel, Quality, Sample

PART: Final = "BME680 or BME688"
REG_OTHER_TRIM: Final = 0x00  # heater value, heater range, range error: of 5 bytes
REG_FIELD: Final = 0x1D  # 17 bytes: status, pressure, temperature, humidity, gas of both variants
REG_RES_HEAT: Final = 0x5A
REG_GAS_WAIT: Final = 0x64
REG_CTRL_GAS_0: Final = 0x70
REG_CTRL_GAS_1: Final = 0x71
REG_CTRL_HUM: Final = 0x72
REG_CTRL_MEAS: Final = 0x74
REG_CONFIG: Final = 0x75
REG_TRIM_LOW: Final = 0x8A
REG_TRIM_HIGH: Final = 0xE1
REG_VARIANT: Final = 0xF0

HEATER_ON: Final = 0x00
NEW_DATA: Final = 0x80
MEASURING: Final = 0x60  # gas, or the rest
GAS_VALID: Final = 0x20
HEAT_STABLE: Final = 0x10

STARTING_S: Final = 0.005  # after reset: 2 ms (§1.1); the API waits 5 to 10
MEASURING_S: Final = 0.012  # without heating: 10.7 ms with every oversampling at x1 (API)
RETRY_S: Final = 0.010
TRIES: Final = 5
SETTLING_MS: Final = 300_000  # the plate burns off what it collected while it was cold
AMBIENT: Final = 25.0  # °C, until it has measured one


class Variant(NamedTuple):
    """What differs between the gas converters of both parts."""

    part: str
    run_gas: int  # of 0x71
    gas: int  # where in the field its two bytes are


VARIANTS: Final = {0: Variant("BME680", 0x10, 13), 1: Variant("BME688", 0x20, 15)}


def decode(field: bytes, cal: Trim, variant: Variant) -> Sample:
    """Turn the 17 bytes from 0x1D into °C, %RH, Pa and Ohm.

    Raises ImpossibleValue without a temperature.
    """
    raw_p, raw_t = twenty_bits(field[2:8], variant.part)
    raw_h = int.from_bytes(field[8:10], "big")
    fine = heat(raw_t, cal.t)
    values, quality = air(
        fine,
        None if raw_h == SKIPPED_16_BITS else humidity(raw_h, fine / 5120, cal.h),
        None if raw_p is None else pressure(raw_p, fine, cal.p, cal.p10),
    )
    ohm, of_gas = gas(field[variant.gas : variant.gas + 2], cal, variant)
    return Sample((*values, ohm), (*quality, of_gas))


def gas(results: bytes, cal: Trim, variant: Variant) -> tuple[float | None, Quality]:
    """Return the resistance in Ohm: none where none was measured, settling on a plate too cold."""
    adc, step = int.from_bytes(results, "big") >> 6, results[1] & 0x0F
    if not results[1] & GAS_VALID:
        return None, Quality.FAULT
    ohm = low_gas(adc, step, cal.range_error) if variant.run_gas == 0x10 else high_gas(adc, step)
    return ohm, Quality.OK if results[1] & HEAT_STABLE else Quality.SETTLING


def controls(variant: Variant) -> Controls:
    """Return what stands in the chip between measurements; all but 0x74 never changes."""
    return {
        REG_CTRL_GAS_0: (0x08, HEATER_ON),
        REG_CTRL_GAS_1: (0x3F, variant.run_gas),
        REG_CTRL_HUM: (0x07, HUMIDITY_X1),
        REG_CTRL_MEAS: (0xFF, ALL_X1_SLEEP),
        REG_CONFIG: (0x1C, 0x00),
    }


class BME680Options(BoschOptions, frozen=True):
    """What an installer may choose: the address, and how the plate is heated."""

    heater_c: Annotated[
        int,
        Meta(ge=200, le=400, title="what the gas plate is heated to", description="°C, 200 to 400"),
    ] = 320
    heater_ms: Annotated[
        int,
        Meta(
            ge=30, le=1000, title="for how long; a read takes longer", description="ms, 30 to 1000"
        ),
    ] = 150


class BME680(Driver):
    """One chip in forced mode: it measures, heats its plate and sleeps when asked."""

    wire: ClassVar[WireKind] = "i2c"
    model: ClassVar[str] = "BME680"
    options: ClassVar[type[Options]] = BME680Options
    channels: ClassVar[tuple[Channel, ...]] = (
        TEMPERATURE,
        HUMIDITY,
        PRESSURE,
        # Its converter resolves 0.08 % (§1.2): 10 Ohm of the 10 to 500 kOhm that air makes.
        # The ends are those of both formulas.
        Channel("gas_resistance", "Ohm", 1, low=170, high=103_000_000),
    )
    budget_s: ClassVar[float] = 1.25  # 0.17 s as a rule; the rest is for longer heating
    fastest_s: ClassVar[float] = 3.0  # heated more often, the plate warms the chip
    addresses: ClassVar[tuple[int, ...]] = ADDRESSES
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self, wire: I2CDevice, options: BME680Options, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c, self._sleep, self._options = wire, sleep, options
        self._where = f"0x{options.address:02x}"
        prove_identity(wire, PART, self._where)
        self._variant = self._known_variant()
        wire.write(REG_RESET, RESET)  # what an earlier program set up must not matter
        sleep(STARTING_S)
        self._trim = Trim.unpack(
            wire.read(REG_TRIM_LOW, 23), wire.read(REG_TRIM_HIGH, 14), wire.read(REG_OTHER_TRIM, 5)
        )
        self._ambient = AMBIENT
        self._since_ms: int | None = None  # when the plate was heated first
        self._controls = controls(self._variant)
        for register, (_, value) in self._controls.items():
            wire.write(register, bytes((value,)))
        wait = gas_wait(options.heater_ms)
        wire.write(REG_GAS_WAIT, bytes((wait,)))
        self._measuring_s = MEASURING_S + heating_s(wait)

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its chip id and its variant."""
        del sleep
        if PARTS.get(chip_id(wire)) != PART:
            return None
        variant = VARIANTS.get(wire.read(REG_VARIANT, 1)[0])
        return Found(f"{variant.part}, chip id 0x61") if variant else None

    def read(self, now_ms: int) -> Sample:
        """Measure once. Raises BusError, BusTimeout, BadFrame or ImpossibleValue."""
        plate = heater(self._options.heater_c, self._ambient, self._trim)
        self._i2c.write(REG_RES_HEAT, bytes((plate,)))
        self._i2c.write(REG_CTRL_MEAS, bytes((ALL_X1_FORCED,)))
        self._sleep(self._measuring_s)
        field = self._measured()
        self._prove_controls()
        sample = decode(field, self._trim, self._variant)
        self._ambient = sample.values[0] or 0.0
        return self._settling(sample, now_ms)

    def close(self) -> None:
        """Give the descriptor back; forced mode has already put chip and heater to sleep."""
        self._i2c.close()

    def _known_variant(self) -> Variant:
        found = self._i2c.read(REG_VARIANT, 1)[0]
        if found not in VARIANTS:
            raise WrongDevice(
                f"the chip at {self._where} is neither a BME680 nor a BME688: "
                f"variant 0x{found:02x}; its gas formula is not known here"
            )
        return VARIANTS[found]

    def _measured(self) -> bytes:
        for _ in range(TRIES):
            field = self._i2c.read(REG_FIELD, 17)
            if field[0] & (NEW_DATA | MEASURING) == NEW_DATA:
                return field
            self._sleep(RETRY_S)
        self._prove_controls()  # a chip that was reset measures nothing
        raise BusTimeout(
            f"{self._variant.part} at {self._where}: still measuring; is the supply stable?"
        )

    def _prove_controls(self) -> None:
        found = self._i2c.read(REG_CTRL_GAS_0, 6)
        prove(found, REG_CTRL_GAS_0, self._controls, f"{self._variant.part} at {self._where}")

    def _settling(self, sample: Sample, now_ms: int) -> Sample:
        """Mark the resistance while the plate burns in."""
        self._since_ms = now_ms if self._since_ms is None else self._since_ms
        if now_ms - self._since_ms >= SETTLING_MS or sample.quality[3] is not Quality.OK:
            return sample
        return Sample(sample.values, (*sample.quality[:3], Quality.SETTLING))
