"""Senseair S8 (S8 LP, S8 Residential, S8 Commercial): carbon dioxide by infrared, over Modbus.

Datasheet: Senseair, "Modbus on Senseair S8" (TDE2067): "any address" 0xFE, input registers IR1
(meter status) to IR4 (CO2), and both examples; "S8 LP" (PSP126): range, start-up and life. The
registers, the bits of the status, and 0 ppm for the first half minute agree with jcomas' Arduino
library S8_UART, the request with AirGradient's firmware.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import ClassVar, Final

from edgenode.bus import SerialPort
from edgenode.bus.modbus import ANY_ADDRESS, Slave, longest_s
from edgenode.driver import Driver, Found, Grade, Life, Options, WireKind
from edgenode.errors import BadFrame, ImpossibleValue, WrongDevice
from edgenode.reading import Channel, Quality, Sample, SerialLine

LINE: Final = SerialLine(9600)
FIRST: Final = 0  # IR1
REGISTERS: Final = 4  # meter status, alarm status, output status, CO2
IDENTITY: Final = 0x19  # IR26, IR27: sensor type; IR28: memory map; IR29: firmware; IR30, IR31
IDENTITY_REGISTERS: Final = 6
# Bits of the meter status after which CO2 is no measurement.
FAULTS: Final = {
    0: "a fatal error",
    1: "an error of its offset regulation",
    2: "an error of its algorithm",
    4: "a failed self-diagnosis",
    6: "an error of its memory",
}
# Bit 3 is about its PWM and alarm outputs, which nobody here looks at.
OUT_OF_RANGE: Final = 1 << 5


def decode(registers: bytes) -> Sample:
    """Turn IR1..IR4 into a sample; 0 ppm is no measurement yet.

    Raises ImpossibleValue where the meter reports an error.
    """
    status, _, _, ppm = struct.unpack(">4H", registers)
    told = [words for bit, words in FAULTS.items() if status >> bit & 1]
    if told:
        raise ImpossibleValue(
            f"S8: it reports {' and '.join(told)} (meter status 0x{status:04x}); "
            "cut its power once, and if that does not help replace it"
        )
    if ppm == 0:
        return Sample((None,), (Quality.MISSING,))
    return Sample((ppm,), (Quality.OUT_OF_RANGE,) if status & OUT_OF_RANGE else ())


class S8Options(Options, frozen=True):
    """There is nothing to choose: it has its port to itself and heeds any address."""


class S8(Driver):
    """One sensor, asked for each reading."""

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "S8"
    options: ClassVar[type[Options]] = S8Options
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("co2", "ppm", observed="AirQualityObserved/co2", low=0, high=10_000),
    )
    budget_s: ClassVar[float] = round(longest_s(LINE, REGISTERS, 0.0), 1)
    fastest_s: ClassVar[float] = 2.0  # it measures each 2 s (S8 LP), or 4 s
    settle_s: ClassVar[float] = 120.0  # to 90 % of a step in still air
    line: ClassVar[SerialLine | None] = LINE
    alone: ClassVar[bool] = True  # on RX and TX of its own; it answers to any address
    life: ClassVar[Life | None] = Life(15 * 365.25 * 24, "lamp")  # "sensor life expectancy > 15 y"
    grade: ClassVar[Grade] = "oracle"

    def __init__(self, wire: SerialPort, options: S8Options) -> None:
        del options
        self._port = wire
        self._slave = Slave(wire, ANY_ADDRESS)
        self._registers()  # whether it is there

    @classmethod
    def identify(
        cls, wire: SerialPort, sleep: Callable[[float], None] = time.sleep
    ) -> Found | None:
        """Return the part by its type and serial number."""
        del sleep
        try:
            told = Slave(wire, ANY_ADDRESS).read_input_registers(IDENTITY, IDENTITY_REGISTERS)
        except (BadFrame, WrongDevice):
            return None
        kind, _, major, minor, serial = struct.unpack(">IHBBI", told)
        if not kind or kind >> 24:  # a type has three bytes
            return None
        return Found(f"Senseair S8, type 0x{kind:x}, firmware {major}.{minor}, serial {serial}")

    def read(self, now_ms: int) -> Sample:
        """Ask once.

        Raises BusError, BusTimeout, BadFrame, WrongDevice, and ImpossibleValue where the meter
        reports an error.
        """
        del now_ms  # all is of one moment
        return decode(self._registers())

    def close(self) -> None:
        """Give the port back; the part goes on measuring."""
        self._port.close()

    def _registers(self) -> bytes:
        return self._slave.read_input_registers(FIRST, REGISTERS)
