"""What proves the Alphasense driver."""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

from drivers import aan803, alphasense, electrodes
from drivers.aan803 import FACTORS, Algorithm, Gas, Series
from drivers.alphasense import AlphasenseOptions, Thermometer, decode
from drivers.electrodes import Cell
from edgenode.virtual.ads1115 import Ads1115Spec, VirtualADS1115
from edgenode.virtual.series import Play
from tests.drivers.known_alphasense import (
    OF_AAN803,
    OF_ELECTRODES,
    OF_THE_DRIVER,
    aan803_holds,
    driver_holds,
    electrodes_hold,
)
from tests.support.beds import Address, Bed
from tests.support.proofs import Agreement, Mutants, Oracle, Proof
from tests.support.smartcitizen import CALIBRATIONS, compensation

ROWS: Final = 12  # of each cell and algorithm
STEP_V: Final = 2.048 / 0x8000
CODES: Final[dict[tuple[Series, Gas], str]] = {
    ("a4", "co"): "132",
    ("a4", "h2s"): "133",
    ("a4", "no"): "130",
    ("a4", "no2"): "212",
    ("a4", "ox"): "214",
    ("a4", "so2"): "134",
    ("b4", "co"): "162",
    ("b4", "h2s"): "163",
    ("b4", "no"): "160",
    ("b4", "no2"): "202",
    ("b4", "ox"): "204",
    ("b4", "so2"): "164",
}
# Two converters: NO2 and OX at 0x48, CO and a board's Pt1000 at 0x49.
CELLS: Final[tuple[dict[str, Any], ...]] = (
    {
        "gas": "no2",
        "series": "b4",
        "we": 0,
        "ae": 1,
        "serial": "202740001",
        "calibrated": "2026-03-02",
        "we_electronic_mv": 224.0,
        "ae_electronic_mv": 226.0,
        "we_zero_mv": -4.0,
        "ae_zero_mv": -2.0,
        "sensitivity": 0.223,
    },
    {
        "gas": "ox",
        "series": "b4",
        "we": 2,
        "ae": 3,
        "serial": "204740002",
        "calibrated": "2026-03-02",
        "we_electronic_mv": 227.0,
        "ae_electronic_mv": 219.0,
        "we_zero_mv": -7.0,
        "ae_zero_mv": -4.0,
        "sensitivity": 0.334,
        "no2_sensitivity": 0.31,
    },
    {
        "gas": "co",
        "series": "b4",
        "we": 4,
        "ae": 5,
        "serial": "162740003",
        "calibrated": "2026-03-02",
        "we_electronic_mv": 360.0,
        "ae_electronic_mv": 344.0,
        "we_zero_mv": 2.0,
        "ae_zero_mv": -9.0,
        "sensitivity": 0.444,
    },
)
WARM: Final = Thermometer(4, 100, -40)
PT1000: Final = {"pin": 6, "factor": 1000.0, "offset": -277.0}


class Boards(Address):
    """Two converters on one bus; the second one always behaves."""

    def at(self, address: int) -> Address:
        assert address == 0x49
        spec = Ads1115Spec(
            "t",
            address=0x49,
            in0=Play(offset=0.462),
            in1=Play(offset=0.338),
            in2=Play("air_uci:T", gain=0.001, offset=0.277, decimals=6),
        )
        return Address(self.bed, VirtualADS1115(spec, self.bed.truth, self.bed.now_ns))


def part(bed: Bed) -> Boards:
    """Play a road."""
    spec = Ads1115Spec(
        "s",
        in0=Play("air_uci:NO2_GT", gain=0.0001, offset=0.224, decimals=5),
        in1=Play(offset=0.2255),
        in2=Play(offset=0.242),
        in3=Play(offset=0.2185),
    )
    return Boards(bed, VirtualADS1115(spec, bed.truth, bed.now_ns))


def certificate(rng: random.Random, gas: Gas, series: Series, algorithm: Algorithm) -> Cell:
    """Return a cell as it may come from the factory, its wires at the first pins that fit."""
    first = 2 if gas == "ox" else 0
    return Cell(
        gas,
        series,
        first,
        first + 1,
        f"{CODES[series, gas]}{rng.randrange(10**6):06d}",
        "2026-03-02",
        we_electronic_mv=round(rng.uniform(200, 400), 1),
        ae_electronic_mv=round(rng.uniform(200, 400), 1),
        we_zero_mv=round(rng.uniform(-40, 60), 1),
        ae_zero_mv=rng.choice((-1, 1)) * round(rng.uniform(1, 40), 1),
        sensitivity=round(rng.uniform(0.15, 0.7), 3),
        no2_sensitivity=round(rng.uniform(0.15, 0.7), 3) if gas == "ox" else None,
        algorithm=algorithm,
    )


def theirs(cell: Cell, measured: tuple[float, float, float], no2: float) -> float:
    """Return the ppb that their program makes of V, V and °C, beside these ppb of NO2."""
    pandas = import_module("pandas")  # half a second that only this proof needs
    CALIBRATIONS[cell.serial] = {
        "we_electronic_zero_mv": cell.we_electronic_mv,
        "ae_electronic_zero_mv": cell.ae_electronic_mv,
        "we_sensor_zero_mv": cell.we_zero_mv,
        "ae_sensor_zero_mv": cell.ae_zero_mv,
        "we_sensitivity_mv_ppb": cell.sensitivity,
        "we_cross_sensitivity_no2_mv_ppb": cell.no2_sensitivity or 0.0,
    }
    program = compensation()
    recommended = next(iter(program.as_sensor_algs[kind(cell)]))
    made = program.alphasense_803_04(
        pandas.DataFrame([(*measured, no2)], columns=["we", "ae", "t", "NO2"]),
        alphasense_id=cell.serial,
        we="we",
        ae="ae",
        t="t",
        use_alternative=cell.method != recommended,
    )
    return float(made.data.iloc[0])


def kind(cell: Cell) -> str:
    """Return what they call it."""
    return f"AS{cell.series.upper()}_{cell.gas.upper()}"


def as_smartcitizen() -> Iterator[Agreement]:
    """Give both the same voltages, temperatures and certificates: each cell, each algorithm.

    Algorithm 4 is left out: they take its factor for volts, which no cell can mean.
    """
    rng = random.Random(803)
    for (series, gas), methods in FACTORS.items():
        for method in methods:
            if method == 4:
                continue
            cell = certificate(rng, gas, series, method)
            beside = certificate(rng, "no2", series, 1)
            cells = (beside, cell) if gas == "ox" else (cell,)
            for row in [_row(rng) for _ in range(ROWS)]:
                no2 = theirs(beside, _volts(row, 0), 0.0) if gas == "ox" else 0.0
                ppb = theirs(cell, _volts(row, cell.we), no2)
                celsius = row[4] * STEP_V * 100 - 40
                options = AlphasenseOptions(cells, second=0x49, thermometer=WARM)
                told = decode(options, dict(enumerate(row)))
                ours = (told.values[-4 if gas == "ox" else 0], told.values[-1])
                frame = repr((cell.serial, method, row)).encode()
                yield Agreement(frame, ours, (ppb, celsius), (1e-6, 1e-9))


def _row(rng: random.Random) -> list[int]:
    """Return counts of five pins: four electrodes, and a thermometer from -40 to 60 °C."""
    return [rng.randint(1_000, 20_000) for _ in range(4)] + [rng.randint(10, 15_990)]


def _volts(row: list[int], pin: int) -> tuple[float, float, float]:
    return row[pin] * STEP_V, row[pin + 1] * STEP_V, row[4] * STEP_V * 100 - 40


PROOFS = (
    Proof(
        driver="alphasense",
        part=part,
        options={"cells": CELLS, "second": 0x49, "thermometer": PT1000},
        against=(Oracle("scdata", "scdata.device.process.alphasense", as_smartcitizen),),
        known="the formulas of AAN 803, worked out by hand on the certificates of a published "
        "script; its tables as three programs have them",
        mutants=(
            Mutants(aan803, OF_AAN803, aan803_holds),
            Mutants(electrodes, OF_ELECTRODES, electrodes_hold),
            Mutants(alphasense, OF_THE_DRIVER, driver_holds),
        ),
        damage="the converter has no checksum; its configuration is read back with each result, so "
        "one that was reset or replaced and a line that floats are refused, a flipped bit is not",
        found="",
        waits=("sleep",),
    ),
)
