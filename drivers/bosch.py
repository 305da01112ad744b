"""What Bosch's BMP280, BME280, BME680 and BME688 have in common: identity, proof, compensation.

Datasheet: Bosch Sensortec BST-BMP280-DS001 and BST-BME280-DS002, chip id and reset §5.4 (BMP280
§4.3), compensation in double precision §8.1; BST-BME680-DS001 §3.3, whose polynomials are the same
ones with other weights and a cubic term for pressure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from msgspec import Meta

from edgenode.bus import I2CDevice
from edgenode.driver import Options
from edgenode.errors import BadFrame, ImpossibleValue, WrongDevice
from edgenode.reading import Channel, Quality

TEMPERATURE: Final = Channel(
    "temperature", "Cel", -2, observed="WeatherObserved/temperature", low=-40, high=85
)
HUMIDITY: Final = Channel(  # its accuracy is 3 %RH (§1.2): a finer scale would carry noise
    "humidity", "%RH", -1, observed="WeatherObserved/relativeHumidity", low=0, high=100
)
PRESSURE: Final = Channel(
    "pressure", "Pa", 0, observed="WeatherObserved/atmosphericPressure", low=30_000, high=110_000
)

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
HUMIDITY_X1: Final = 0x01
ALL_X1_SLEEP: Final = 0x24  # temperature x1, pressure x1, mode bits 00
ALL_X1_FORCED: Final = 0x25
SKIPPED_20_BITS: Final = 0x80000  # the result of a measurement that was switched off
SKIPPED_16_BITS: Final = 0x8000

Controls = Mapping[int, tuple[int, int]]  # registers: the bits that mean something, and how


class BoschOptions(Options, frozen=True):
    """What an installer may choose: 0x76 where SDO is low, 0x77 where it is high."""

    address: Annotated[Literal[0x76, 0x77], Meta(description="0x76 or 0x77")] = 0x76


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


def prove(found: bytes, first: int, controls: Controls, where: str) -> None:
    """Raise BadFrame where registers, from `first` on, do not hold what was written to them.

    The chips have no checksum. What we wrote to them proves what was read beside it: a chip that
    was reset, another chip, or a line that floats gives itself away.
    """
    for register, (meant, value) in controls.items():
        holds = found[register - first] & meant
        if holds != value:
            raise BadFrame(
                f"{where}: register 0x{register:02x} reads 0x{holds:02x}, not 0x{value:02x}; "
                "was it reset or is another program using it?"
            )


def twenty_bits(results: bytes, part: str) -> tuple[int | None, int]:
    """Return the raw pressure, if it was measured, and temperature out of their six bytes.

    Raises ImpossibleValue without a temperature, by which all others are compensated.
    """
    raw_p, raw_t = (int.from_bytes(results[at : at + 3], "big") >> 4 for at in (0, 3))
    if raw_t == SKIPPED_20_BITS:
        raise ImpossibleValue(f"{part}: the temperature was not measured; was it just reset?")
    return None if raw_p == SKIPPED_20_BITS else raw_p, raw_t


def air(
    fine: float, percent: float | None, pascal: float | None
) -> tuple[tuple[float | None, ...], tuple[Quality, ...]]:
    """Return °C, %RH and Pa, and their qualities; what was not measured is a fault.

    Humidity beyond 0 and 100 is held there, as the datasheets hold it, and marked so.
    """
    held = None if percent is None else min(max(percent, 0.0), 100.0)
    of_humidity = Quality.OK if held == percent else Quality.CLAMPED
    quality = (
        Quality.OK,
        Quality.FAULT if held is None else of_humidity,
        Quality.FAULT if pascal is None else Quality.OK,
    )
    return (fine / 5120, held, pascal), quality


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
