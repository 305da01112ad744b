"""What proves the drivers of the kernel's own sensors."""

from __future__ import annotations

from drivers import hwmon, iio
from tests.drivers.known_devices import (
    BOARD,
    HWMON_MUTANTS,
    IIO_MUTANTS,
    WEATHER,
    hwmon_holds,
    iio_holds,
)
from tests.support.beds import Bed, Files, Wire
from tests.support.proofs import KernelOracle, Mutants, Proof

LAB = "tests/lab/parts.py"
NO_WIRE = "a file of the kernel has no checksum, and nothing on its way that could flip a bit"


def weather(bed: Bed) -> Wire:
    """Be a weather chip of IIO."""
    return Files(bed, WEATHER)


def board(bed: Bed) -> Wire:
    """Be a thermometer of hwmon."""
    return Files(bed, BOARD)


PROOFS = (
    Proof(
        driver="iio",
        part=weather,
        options={"device": "bme280", "read": ["temp", "humidityrelative", "pressure"]},
        against=(
            KernelOracle("bmp280", LAB),
            KernelOracle("ads1015", LAB),
        ),
        known="25080 m°C and 100.653253906 kPa of Linux bmp280, 16384 at 0.0625 mV of ads1015",
        mutants=(Mutants(iio, IIO_MUTANTS, iio_holds),),
        damage=NO_WIRE,
        found="",
    ),
    Proof(
        driver="hwmon",
        part=board,
        options={"device": "lm75", "read": ["temp1"]},
        against=(KernelOracle("lm75", LAB),),
        known="4016 mV and 1004 mA of Linux ina2xx, 25125 m°C of lm75",
        mutants=(Mutants(hwmon, HWMON_MUTANTS, hwmon_holds),),
        damage=NO_WIRE,
        found="",
    ),
)
