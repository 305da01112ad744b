"""What Bosch's BMP280, BME280, BME680 and BME688 have in common: identity and compensation.

Datasheet: Bosch Sensortec BST-BMP280-DS001 and BST-BME280-DS002, chip id and reset §5.4 (BMP280
§4.3), compensation in double precision §8.1; BST-BME680-DS001 §3.3, whose polynomials are the same
ones with other weights and a cubic term for pressure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edgenode.bus import I2CDevice
from edgenode.errors import ImpossibleValue, WrongDevice

ADDRESSES: Final = (0x76, 0x77)  # where SDO is low, and where it is high
REG_ID: Final = 0xD0
REG_RESET: Final = 0xE0
RESET: Final = b"\xb6"
PARTS: Final = {
    0x56: "BMP280",  # samples
    0x57: "BMP280",
    0x58: "BMP280",
    0x60: "BME280",
    0x61: "BME680 or BME688",
}
SKIPPED_20_BITS: Final = 0x80000  # the result of a measurement that was switched off


def chip_id(wire: I2CDevice) -> int:
    """Return what the chip says that it is; raises BusError where nobody answers."""
    return wire.read(REG_ID, 1)[0]


def prove_identity(wire: I2CDevice, part: str, where: str) -> None:
    """Raise WrongDevice where the chip at `where` is not a `part` of PARTS."""
    found = chip_id(wire)
    name = PARTS.get(found)
    if name == part:
        return
    if name is None:
        raise WrongDevice(
            f"expected a {part} at {where}, found id 0x{found:02x}; "
            "check the address and what is soldered there"
        )
    lacks = ", which has no humidity" if name == "BMP280" else ""
    raise WrongDevice(
        f"the chip at {where} is a {name} (found id 0x{found:02x}){lacks}; a {part} was configured"
    )


def twenty_bits(results: bytes) -> tuple[int, int]:
    """Return the raw pressure and temperature out of their six bytes; four bits mean nothing."""
    return int.from_bytes(results[:3], "big") >> 4, int.from_bytes(results[3:6], "big") >> 4


def heat(raw_t: int, t: Sequence[float]) -> float:
    """Return the datasheet's t_fine, 1/5120 °C, which all compensations need; T1-T3."""
    t1, t2, t3 = t
    x = raw_t / 16384 - t1 / 1024
    return x * t2 + (x / 8) ** 2 * t3


def pressure(raw_p: int, fine: float, trim: Sequence[float], p10: float = 0.0) -> float:
    """Return the pressure in Pa, of P1-P9.

    Raises ImpossibleValue where the calibration gives none.
    """
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = trim
    a = fine / 2 - 64000
    b = (a * a * p6 / 32768 + a * p5 * 2) / 4 + p4 * 65536
    scale = (1 + (p3 * a * a / 524288 + p2 * a) / 524288 / 32768) * p1
    if not scale:
        raise ImpossibleValue(
            "its calibration gives no pressure at this temperature; power-cycle it, else replace it"
        )
    p = (1048576 - raw_p - b / 4096) * 6250 / scale
    return p + (p9 * p * p / 2147483648 + p * p8 / 32768 + (p / 256) ** 3 * p10 / 131072 + p7) / 16
