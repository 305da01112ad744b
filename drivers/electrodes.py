"""A four-electrode cell: its certificate, and the concentration that its electrodes mean. Pure.

Datasheet: Alphasense AAN 803-04/-05, see drivers/aan803.py. That what an OX cell says is set right
by its sensitivity to the NO2 that another cell found stands alike in fablabbcn/smartcitizen-data
and south-coast-science/scs_core (gas/a4/a4_datum.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from drivers.aan803 import (
    COLDEST,
    FACTORS,
    HOTTEST,
    Algorithm,
    Gas,
    Series,
    Zeros,
    corrected,
    factor,
)
from edgenode.reading import Channel, Quality

# ppb: how far below zero drift and noise can reach, and the range of the cell's datasheet.
RANGES: Final[Mapping[Gas, tuple[float, float]]] = {
    "co": (-1000, 1_000_000),
    "h2s": (-500, 100_000),
    "no": (-200, 20_000),
    "no2": (-200, 20_000),
    "ox": (-200, 20_000),
    "so2": (-500, 100_000),
}
OBSERVED: Final = {
    "co": "AirQualityObserved/co",
    "no": "AirQualityObserved/no",
    "no2": "AirQualityObserved/no2",
    "o3": "AirQualityObserved/o3",
    "so2": "AirQualityObserved/so2",
}

Pin = Annotated[int, Meta(ge=0, le=7, description="a pin: 0 to 3 of `address`, 4 to 7 of `second`")]
Zero = Annotated[float, Meta(ge=-5000, le=5000, description="mV, as on the certificate")]
Sensitivity = Annotated[float, Meta(ge=0.001, le=100, description="mV per ppb")]


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[[sensor.cells]]: one cell, where it is wired, and its certificate."""

    gas: Annotated[Gas, Meta(title="what it measures; ox is ozone and NO2 together")]
    series: Annotated[Series, Meta(title="by the end of its name: CO-B4, NO2-B43F are b4")]
    we: Annotated[Pin, Meta(title="where its working electrode is wired")]
    ae: Annotated[Pin, Meta(title="where its auxiliary electrode is wired")]
    serial: Annotated[str, Meta(pattern=r"^\S{1,32}$", title="printed on the cell")]
    calibrated: Annotated[
        str,
        Meta(
            pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            title="the date of its certificate",
            description="a date in quotes, YYYY-MM-DD",
        ),
    ]
    we_electronic_mv: Annotated[Zero, Meta(title="WE electronic zero, of the board")]
    ae_electronic_mv: Annotated[Zero, Meta(title="AE electronic zero, of the board")]
    we_zero_mv: Annotated[Zero, Meta(title="WE sensor zero: total less electronic zero")]
    ae_zero_mv: Annotated[Zero, Meta(title="AE sensor zero: total less electronic zero")]
    sensitivity: Annotated[Sensitivity, Meta(title="WE sensitivity to its gas")]
    no2_sensitivity: Annotated[
        Sensitivity | None, Meta(title="ox: WE sensitivity to NO2; takes a no2 cell beside it")
    ] = None
    algorithm: Annotated[
        Algorithm | None, Meta(title="of AAN 803; else the one that it recommends")
    ] = None

    def __post_init__(self) -> None:
        known = FACTORS[self.series, self.gas]
        if self.algorithm is not None and self.algorithm not in known:
            listed = " and ".join(map(str, known))
            raise ValueError(f"AAN 803 has algorithms {listed} for {self.gas} {self.series}")
        if self.method == 2 and not self.ae_zero_mv:
            raise ValueError("algorithm 2 divides by ae_zero_mv, which is 0; choose another")
        if self.no2_sensitivity is not None and self.gas != "ox":
            raise ValueError("no2_sensitivity is for an ox cell")

    @property
    def method(self) -> Algorithm:
        """The algorithm that is used."""
        recommended = next(iter(FACTORS[self.series, self.gas]))
        return recommended if self.algorithm is None else self.algorithm

    @property
    def zeros(self) -> Zeros:
        """The certificate without gas."""
        return Zeros(self.we_electronic_mv, self.ae_electronic_mv, self.we_zero_mv, self.ae_zero_mv)

    def signal(self, we_mv: float, ae_mv: float, celsius: float) -> float:
        """Return the mV that are due to gas."""
        scale = factor(FACTORS[self.series, self.gas][self.method], celsius)
        return corrected(self.method, scale, we_mv, ae_mv, self.zeros)

    def channels(self, gas: str) -> tuple[Channel, ...]:
        """Return the channels of what it measures, as `gas`, and of its electrodes."""
        low, high = RANGES[self.gas]
        part = f"{self.gas.upper()}-{self.series.upper()}"
        how = f"AAN803-04 alg {self.method}, {part} {self.serial}"
        return (
            Channel(
                gas,
                "[ppb]",
                -1,
                observed=OBSERVED.get(gas, ""),
                low=low,
                high=high,
                serial=self.serial,
                calibration=(self.calibrated, how),
            ),
            Channel(f"{self.gas}_we", "mV", -2, low=-6144, high=6144, serial=self.serial),
            Channel(f"{self.gas}_ae", "mV", -2, low=-6144, high=6144, serial=self.serial),
        )


class Level(NamedTuple):
    """The voltage at a pin, and whether it stands at an end of the converter's range."""

    mv: float
    quality: Quality


class Told(NamedTuple):
    """A value and how good it is."""

    value: float | None
    quality: Quality


FAULT: Final = Told(None, Quality.FAULT)
WORST_FIRST: Final = (Quality.FAULT, Quality.CLAMPED, Quality.ESTIMATED, Quality.OK)


def worst(*qualities: Quality) -> Quality:
    """Return the worst of some qualities."""
    return min(qualities, key=WORST_FIRST.index)


def concentration(cell: Cell, we: Level, ae: Level, warm: Told, no2: Told | None) -> Told:
    """Return the ppb of a cell, which may be below zero, from its electrodes, °C and ppb of NO2.

    Beyond the temperatures of the tables the outermost factor is an estimate.
    """
    if warm.value is None:
        return FAULT
    signal = cell.signal(we.mv, ae.mv, warm.value)
    quality = worst(we.quality, ae.quality, warm.quality)
    if no2 is not None and cell.no2_sensitivity is not None:
        if no2.value is None:
            return FAULT
        signal -= no2.value * cell.no2_sensitivity
        quality = worst(quality, no2.quality)
    if not COLDEST <= warm.value <= HOTTEST:
        quality = worst(quality, Quality.ESTIMATED)
    return Told(signal / cell.sensitivity, quality)
