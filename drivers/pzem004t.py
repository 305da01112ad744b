"""Peacefair PZEM-004T v3: AC power and energy of one phase over Modbus RTU.

Datasheet: Peacefair, PZEM-004T V3.0 user manual: ranges §1, registers §2.3 (function 04, 32-bit
values with the low word first), general address 0xF8. Registers and factors stand alike in two
independent programs: ESPHome's pzemac and the Arduino library mandulaj/PZEM-004T-v30.
"""

from __future__ import annotations

import struct
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.bus import SerialPort
from edgenode.bus.modbus import PROBED, Slave, longest_s
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import WrongDevice
from edgenode.reading import Channel, Kind, Sample, SerialLine

REGISTERS: Final = 10
# V/10, mA, W/10 and Wh of two words each, Hz/10, hundredths, alarm.
LAYOUT: Final = struct.Struct(">H2H2H2HHHH")
ALARMS: Final = frozenset({0x0000, 0xFFFF})  # there is none, or power is above its threshold
LINE: Final = SerialLine(9600)
# What the part can measure, and a little more: nothing else has this in these places.
VOLTS_TENTH: Final = range(500, 3001)
HERTZ_TENTH: Final = range(400, 701)
FACTOR_MOST: Final = 100


class PZEM004TOptions(Options, frozen=True):
    """What an installer may choose; every part on a bus needs an address of its own."""

    address: Annotated[int, Meta(ge=1, le=247, description="1 to 247; it leaves with 1")] = 1


def decode(registers: bytes, where: str) -> Sample:
    """Turn ten registers into V, A, W, kWh, Hz and a power factor.

    Raises WrongDevice where these cannot be the registers of this part.
    """
    volts, ma_low, ma_high, w_low, w_high, wh_low, wh_high, hertz, factor, alarm = LAYOUT.unpack(
        registers
    )
    if (
        volts not in VOLTS_TENTH
        or hertz not in HERTZ_TENTH
        or factor > FACTOR_MOST
        or alarm not in ALARMS
    ):
        raise WrongDevice(
            f"{where}: {registers.hex(' ')} are no registers of a PZEM-004T v3; is it another "
            "part, or another address?"
        )
    return Sample(
        (
            volts / 10,
            (ma_high << 16 | ma_low) / 1000,
            (w_high << 16 | w_low) / 10,
            (wh_high << 16 | wh_low) / 1000,
            hertz / 10,
            factor / 100,
        )
    )


class PZEM004T(Driver):
    """One part; its measuring side lives on the mains that it measures."""

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "PZEM-004T v3"
    options: ClassVar[type[Options]] = PZEM004TOptions
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("voltage", "V", -1, observed="ACMeasurement/phaseVoltage", low=80, high=260),
        Channel("current", "A", -3, observed="ACMeasurement/current", low=0, high=100),
        Channel("power", "W", -1, observed="ACMeasurement/activePower", low=0, high=23_000),
        Channel(
            "import_energy",
            "kWh",
            -3,
            Kind.COUNTER,
            observed="ACMeasurement/totalActiveEnergyImport",
        ),
        Channel("frequency", "Hz", -1, observed="ACMeasurement/frequency", low=45, high=65),
        Channel("power_factor", "/", -2, observed="ACMeasurement/powerFactor", low=0, high=1),
    )
    line: ClassVar[SerialLine | None] = LINE
    shares: ClassVar[str] = "modbus"
    addresses: ClassVar[tuple[int, ...]] = PROBED
    budget_s: ClassVar[float] = round(longest_s(LINE, REGISTERS, 0.0), 1)
    fastest_s: ClassVar[float] = 0.5
    metered: ClassVar[bool] = True
    grade: ClassVar[Grade] = "oracle"

    def __init__(self, wire: SerialPort, options: PZEM004TOptions) -> None:
        self._wire, self._where = wire, f"Modbus address {options.address}"
        self._slave = Slave(wire, options.address)
        self.read(0)

    @classmethod
    def identify_at(cls, wire: SerialPort, address: int) -> Found | None:
        """Return the part at an address."""
        try:
            cls(wire, PZEM004TOptions(address))
        except WrongDevice:
            return None
        return Found("PZEM-004T v3, one phase")

    def read(self, now_ms: int) -> Sample:
        """Read everything once. Raises BusError, BusTimeout, BadFrame or WrongDevice."""
        del now_ms  # all is of one moment
        return decode(self._slave.read_input_registers(0, REGISTERS), self._where)

    def close(self) -> None:
        """Give the share of the port back."""
        self._wire.close()
