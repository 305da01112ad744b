"""Eastron SDM120, SDM230 and SDM630: AC power and energy over RS-485 (Modbus RTU).

Datasheet: Eastron, "Smart Meter Modbus Protocol Implementation" of the SDM120 (V2.4), SDM230
(V1.4) and SDM630 (V1.8): float32 in two input registers, high word first, function 04, 80
registers a request at most. Every address here stands alike in two independent programs:
volkszaehler/mbmd (meters/rs485/sdm120.go, sdm230.go, sdm.go) and nmakel/sdm_modbus
(src/sdm_modbus/sdm.py), which also reads across the registers that single-phase meters lack.
"""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from typing import Annotated, ClassVar, Final, NamedTuple

from msgspec import Meta

from edgenode.bus import SerialPort
from edgenode.bus.modbus import PROBED, Slave, longest_s
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import WrongDevice
from edgenode.reading import Channel, Kind, Quality, Sample, SerialLine

FIRST: Final = 0x00
REGISTERS: Final = 0x4C  # up to the exported energy, all in one request: 76 of at most 80
GAP_S: Final = 0.1  # silence that the meters want between two requests
SLOWEST: Final = SerialLine(2400, "even")
AS_DELIVERED: Final = (SerialLine(2400), SLOWEST)  # of some SDM120 and SDM230

VOLTS: Final = (0x00, 0x02, 0x04)  # of L1, L2, L3
APPARENT: Final = (0x12, 0x14, 0x16)
TOTAL_POWER: Final = 0x34
TOTAL_APPARENT: Final = 0x38
HERTZ: Final = 0x46

# Wider than any mains or meter (100 to 289 V, 45 to 66 Hz), narrower than any nonsense.
MAINS_VOLTS: Final = (50.0, 500.0)
MAINS_HERTZ: Final = (40.0, 70.0)
BELOW_NOISE_VA: Final = 5.0

TOTAL_SCALE: Final = -2  # 10 Wh, as the display shows it


class Quantity(NamedTuple):
    """A channel and the register at which its float begins."""

    register: int
    channel: Channel


def floats(registers: bytes) -> tuple[float, ...]:
    """Return the floats in the bytes of registers from `FIRST`; the one at r stands at r // 2."""
    return struct.unpack(f">{len(registers) // 4}f", registers)


def volts(register: int, name: str = "voltage") -> Quantity:
    """Return a voltage between a phase and neutral; it is 0 where the phase is dead."""
    channel = Channel(name, "V", -1, observed="ACMeasurement/phaseVoltage", low=0, high=300)
    return Quantity(register, channel)


def amperes(register: int, most: float, name: str = "current") -> Quantity:
    """Return the current of a phase, which has no direction."""
    channel = Channel(name, "A", -2, observed="ACMeasurement/current", low=0, high=most)
    return Quantity(register, channel)


def power(register: int, most: float, name: str = "power") -> Quantity:
    """Return active power: positive is taken from the grid, negative given to it."""
    channel = Channel(name, "W", -1, observed="ACMeasurement/activePower", low=-most, high=most)
    return Quantity(register, channel)


def factor(register: int, name: str = "power_factor") -> Quantity:
    """Return active over apparent power; its sign is that of the power."""
    channel = Channel(name, "/", -3, observed="ACMeasurement/powerFactor", low=-1, high=1)
    return Quantity(register, channel)


def sums(apparent: int, reactive: int, power_factor: int, most: float) -> tuple[Quantity, ...]:
    """Return what every meter gives once: the rest of its power, frequency and both energies."""
    energy = Channel(
        "import_energy",
        "kWh",
        TOTAL_SCALE,
        Kind.COUNTER,
        observed="ACMeasurement/totalActiveEnergyImport",
    )
    observed = "ACMeasurement/totalActiveEnergyExport"
    va = Channel(
        "apparent_power", "VA", -1, observed="ACMeasurement/apparentPower", low=0, high=most
    )
    var = Channel(
        "reactive_power", "var", -1, observed="ACMeasurement/reactivePower", low=-most, high=most
    )
    hertz = Channel("frequency", "Hz", -2, observed="ACMeasurement/frequency", low=45, high=66)
    return (
        Quantity(apparent, va),
        Quantity(reactive, var),
        factor(power_factor),
        Quantity(HERTZ, hertz),
        Quantity(0x48, energy),
        Quantity(0x4A, replace(energy, name="export_energy", observed=observed)),
    )


def single_phase(most_a: float, most_w: float) -> tuple[Quantity, ...]:
    """Return all of a single-phase meter; what is of one phase is of all."""
    return (
        volts(0x00),
        amperes(0x06, most_a),
        power(0x0C, most_w),
        *sums(0x12, 0x18, 0x1E, most_w),
    )


def three_phase(most_a: float, most_w: float) -> tuple[Quantity, ...]:
    """Return all of a three-phase meter: each phase, then all three together."""
    phases = [
        (
            volts(VOLTS[n], f"voltage_l{n + 1}"),
            amperes(0x06 + 2 * n, most_a, f"current_l{n + 1}"),
            power(0x0C + 2 * n, most_w, f"power_l{n + 1}"),
            factor(0x1E + 2 * n, f"power_factor_l{n + 1}"),
        )
        for n in range(3)
    ]
    together = (power(TOTAL_POWER, 3 * most_w), *sums(TOTAL_APPARENT, 0x3C, 0x3E, 3 * most_w))
    return (*(one for phase in phases for one in phase), *together)


class SDMOptions(Options, frozen=True):
    """What an installer may choose; every meter on a bus needs an address of its own."""

    address: Annotated[int, Meta(ge=1, le=247, description="1 to 247, as the meter shows it")] = 1


class Meter(Driver):
    """What all three have in common: one request gives everything, and it is one moment's."""

    wire: ClassVar[WireKind] = "serial"
    options: ClassVar[type[Options]] = SDMOptions
    line: ClassVar[SerialLine | None] = SerialLine(9600)
    also: ClassVar[tuple[SerialLine, ...]] = AS_DELIVERED
    shares: ClassVar[str] = "modbus"
    addresses: ClassVar[tuple[int, ...]] = PROBED
    quantities: ClassVar[tuple[Quantity, ...]]
    looks: ClassVar[str]  # how it is called by what can be seen of it
    metered: ClassVar[bool] = True
    grade: ClassVar[Grade] = "oracle"
    # 165 characters, the gap, and an answer begun within 0.5 s: 3.4 s at 2400 baud where the line
    # must be heard out first; 0.84 s as a rule, with a meter that answers in 50 ms.
    budget_s: ClassVar[float] = round(longest_s(SLOWEST, REGISTERS, GAP_S), 1)
    fastest_s: ClassVar[float] = 0.5  # 0.32 s at 9600 baud, with a meter that answers in 50 ms

    def __init__(self, wire: SerialPort, options: SDMOptions) -> None:
        self._wire = wire
        self._slave = Slave(wire, options.address, GAP_S)
        self.prove(floats(self._registers()), f"Modbus address {options.address}")

    @classmethod
    def identify_at(cls, wire: SerialPort, address: int) -> Found | None:
        """Return the meter at an address."""
        try:
            cls(wire, SDMOptions(address))
        except WrongDevice:
            return None
        return Found(cls.looks)

    def read(self, now_ms: int) -> Sample:
        """Read everything once. Raises BusError, BusTimeout, BadFrame or WrongDevice."""
        del now_ms  # all is of one moment
        every = floats(self._registers())
        given = [every[register // 2] for register, _ in self.quantities]
        values = tuple(value if math.isfinite(value) else None for value in given)
        if None not in values:
            return Sample(values)
        return Sample(values, tuple(Quality.FAULT if v is None else Quality.OK for v in values))

    def close(self) -> None:
        """Give the share of the port back."""
        self._wire.close()

    def prove(self, every: tuple[float, ...], where: str) -> None:
        """Raise WrongDevice where these registers cannot be those of this meter.

        The meters have a code for their model (holding register 0xFC02), but not all answer it,
        and for these three no two sources agree on it. So what is proved is that mains voltage
        and frequency stand where they must, and how many phases there are.
        """
        hertz = every[HERTZ // 2]
        volts_now = [every[register // 2] for register in VOLTS]
        if not (any(map(_is_mains, volts_now)) and MAINS_HERTZ[0] <= hertz <= MAINS_HERTZ[1]):
            raise WrongDevice(
                f"{where}: {volts_now[0]:.4g} V at {hertz:.4g} Hz stand where a {self.model} has "
                "its mains; is it another part, or another address?"
            )

    def _registers(self) -> bytes:
        return self._slave.read_input_registers(FIRST, REGISTERS)


def _is_mains(value: float) -> bool:
    return MAINS_VOLTS[0] <= value <= MAINS_VOLTS[1]


class SinglePhase(Meter):
    """A meter with one phase; L2 and L3 read 0 there."""

    looks: ClassVar[str] = "SDM120 or SDM230, one phase"

    def prove(self, every: tuple[float, ...], where: str) -> None:
        """Refuse a meter that has voltage on L2 or L3, too."""
        super().prove(every, where)
        if any(_is_mains(every[register // 2]) for register in VOLTS[1:]):
            raise WrongDevice(
                f"{where}: a meter with three phases answers, not a {self.model}; "
                'write driver = "sdm630", or the address of the other one'
            )


class SDM120(SinglePhase):
    """45 A, one phase; leaves the factory with 2400 baud."""

    model: ClassVar[str] = "SDM120"
    quantities: ClassVar[tuple[Quantity, ...]] = single_phase(45, 12_500)
    channels: ClassVar[tuple[Channel, ...]] = tuple(one.channel for one in quantities)


class SDM230(SinglePhase):
    """100 A, one phase."""

    model: ClassVar[str] = "SDM230"
    quantities: ClassVar[tuple[Quantity, ...]] = single_phase(100, 27_600)
    channels: ClassVar[tuple[Channel, ...]] = tuple(one.channel for one in quantities)


class SDM630(Meter):
    """100 A, three phases."""

    model: ClassVar[str] = "SDM630"
    looks: ClassVar[str] = "SDM630, three phases"
    quantities: ClassVar[tuple[Quantity, ...]] = three_phase(100, 28_900)
    channels: ClassVar[tuple[Channel, ...]] = tuple(one.channel for one in quantities)

    def prove(self, every: tuple[float, ...], where: str) -> None:
        """Refuse a meter whose phases carry what its totals do not show: it has none."""
        super().prove(every, where)
        carried = sum(every[register // 2] for register in APPARENT)
        shown = every[TOTAL_APPARENT // 2], every[TOTAL_POWER // 2]
        if carried > BELOW_NOISE_VA and not any(shown):
            raise WrongDevice(
                f"{where}: a meter with one phase answers, not a SDM630; "
                'write driver = "sdm120" or "sdm230", or the address of the other one'
            )
