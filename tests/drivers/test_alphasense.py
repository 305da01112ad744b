"""Alphasense's cells: what the suites over all drivers do not show."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from drivers.aan803 import FACTORS, corrected, factor
from drivers.alphasense import Alphasense, AlphasenseOptions, decode
from edgenode.errors import WrongDevice
from edgenode.reading import Quality
from edgenode.virtual.ads1115 import Ads1115Spec, VirtualADS1115
from tests.drivers.proofs.alphasense import CELLS, PT1000, part
from tests.support.beds import Address, Bed

NO2, OX, CO = CELLS
STEP_MV = 2048 / 0x8000


def options(*cells: dict[str, Any], **rest: Any) -> AlphasenseOptions:
    """Return options at 20 °C unless a thermometer is given."""
    warm = {} if "thermometer" in rest else {"temperature_c": 20.0}
    return msgspec.convert({"cells": cells, **warm, **rest}, AlphasenseOptions)


def counts(*millivolts: float) -> dict[int, int]:
    return {pin: round(mv / STEP_MV) for pin, mv in enumerate(millivolts)}


def test_below_zero_is_told_as_it_is() -> None:
    sample = decode(options(NO2), counts(220.0, 226.0))
    assert sample.values[0] == pytest.approx((220 - 224) / 0.223, abs=0.2)


def test_an_ox_cell_is_ozone_only_where_its_no2_is_known() -> None:
    both = options(NO2, OX)
    assert [c.name for c in Alphasense.declare(both)][::3] == ["no2", "o3"]
    assert [c.name for c in Alphasense.declare(options(OX))][::3] == ["ox"]
    levels = counts(234.0, 226.0, 240.0, 219.0)
    no2, o3 = decode(both, levels).values[0], decode(both, levels).values[3]
    ox = decode(options(OX), levels).values[0]
    assert no2 is not None
    assert ox is not None
    assert o3 == pytest.approx(ox - no2 * 0.31 / 0.334)


def test_cells_may_stand_in_any_order() -> None:
    levels = counts(234.0, 226.0, 240.0, 219.0)
    first, second = decode(options(NO2, OX), levels), decode(options(OX, NO2), levels)
    assert first.values[:3] == second.values[3:6]
    assert first.values[3:6] == second.values[:3]


def test_the_birth_says_which_algorithm_cell_and_certificate_a_value_is_of() -> None:
    channel, working, _ = Alphasense.declare(options(NO2))
    assert channel.calibration == ("2026-03-02", "AAN803-04 alg 1, NO2-B4 202740001")
    assert channel.serial == working.serial == "202740001"
    assert channel.observed == "AirQualityObserved/no2"
    assert working.calibration is None, "what was measured is corrected by nobody"


def test_without_a_thermometer_concentrations_are_estimates_and_electrodes_are_not() -> None:
    quality = decode(options(NO2), counts(234.0, 226.0)).quality
    assert quality == (Quality.ESTIMATED, Quality.OK, Quality.OK)


@pytest.mark.parametrize(
    ("celsius", "expected"),
    [
        (-20, Quality.OK),
        (50, Quality.OK),
        (51, Quality.ESTIMATED),
        (-31, Quality.ESTIMATED),
        (95, Quality.FAULT),
    ],
)
def test_beyond_the_tables_it_is_an_estimate_and_beyond_all_weather_a_fault(
    celsius: float, expected: Quality
) -> None:
    made = options(NO2, thermometer={"pin": 2, "factor": 1000, "offset": -277})
    sample = decode(made, counts(234.0, 226.0, 277.0 + celsius))
    assert (sample.quality or (Quality.OK,) * 4)[:3] == (expected, Quality.OK, Quality.OK)
    assert sample.values[1] == pytest.approx(234.0, abs=0.05)
    assert (sample.values[0] is None) == (expected is Quality.FAULT)


def test_a_clamped_no2_electrode_is_told_of_the_ozone_too() -> None:
    levels = counts(0.0, 226.0, 240.0, 219.0) | {0: 0x7FFF}
    made = options(NO2, OX, thermometer={"pin": 4, "factor": 1000, "offset": -277}, second=0x49)
    quality = decode(made, levels | {4: 4752}).quality
    clamped, ok = Quality.CLAMPED, Quality.OK
    assert quality == (clamped, clamped, ok, clamped, ok, ok, ok)


def test_both_converters_are_read_and_closed() -> None:
    bed = Bed()
    wire = part(bed)
    made = options(NO2, OX, CO, second=0x49, thermometer=PT1000)
    sensor = Alphasense(wire, made, sleep=bed.sleep)
    values = dict(zip([c.name for c in sensor.measures()], sensor.read(0).values, strict=True))
    assert values["co_we"] == pytest.approx(462.0, abs=0.1)
    assert values["temperature"] is not None
    sensor.close()
    assert [one.closed for one in sensor._wires] == [1, 1]  # type: ignore[attr-defined]


def test_a_second_converter_that_is_another_part_leaves_nothing_open() -> None:
    class Wrong(Address):
        def at(self, address: int) -> Address:
            chip = VirtualADS1115(Ads1115Spec("x", bits=12), self.bed.truth, self.bed.now_ns)
            self.other = Address(self.bed, chip)
            return self.other

    bed = Bed()
    wire = Wrong(bed, VirtualADS1115(Ads1115Spec("x"), bed.truth, bed.now_ns))
    with pytest.raises(WrongDevice, match="0x49 converts too fast"):
        Alphasense(wire, options(NO2, second=0x49), sleep=bed.sleep)
    assert wire.other.closed == 1


def test_the_slowest_eight_pins_fit_into_the_budget() -> None:
    bed = Bed()
    no = {**CO, "gas": "no", "we": 6, "ae": 7}
    sensor = Alphasense(
        part(bed),
        options(NO2, OX, CO, no, second=0x49, rate=8),
        sleep=bed.sleep,
    )
    began_ns = bed.now_ns
    sensor.read(0)
    assert (bed.now_ns - began_ns) / 1e9 < sensor.budget_s * 0.8


@pytest.mark.parametrize(
    ("cells", "rest", "words"),
    [
        ((NO2, NO2), {}, "two cells for one gas"),
        ((NO2, {**OX, "we": 1}), {}, "two wires at one pin"),
        ((CO,), {}, "say its address"),
        ((CO,), {"second": 0x48}, "both converters have one address"),
        ((NO2,), {"thermometer": PT1000, "temperature_c": 20.0, "second": 0x49}, "either"),
        ((NO2, {**OX, "no2_sensitivity": None}), {}, "needs its no2_sensitivity"),
        (({**NO2, "no2_sensitivity": 0.3},), {}, "is for an ox cell"),
        (({**NO2, "algorithm": 2},), {}, "algorithms 1 and 3 for no2 b4"),
        (({**NO2, "gas": "no", "ae_zero_mv": 0},), {}, "divides by ae_zero_mv"),
        (({**NO2, "sensitivity": 0},), {}, "sensitivity"),
        (({**NO2, "calibrated": "March"},), {}, "calibrated"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_words(
    cells: tuple[dict[str, Any], ...], rest: dict[str, Any], words: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        options(*cells, **rest)


def test_neither_a_thermometer_nor_a_temperature_is_no_way_to_compensate() -> None:
    with pytest.raises(msgspec.ValidationError, match="either a thermometer or a temperature_c"):
        msgspec.convert({"cells": [NO2]}, AlphasenseOptions)


def test_every_table_covers_all_temperatures() -> None:
    rows = [row for methods in FACTORS.values() for row in methods.values()]
    assert len(rows) == 24
    assert {len(row) for row in rows} == {9}
    assert all(factor(row, 50.0) == row[-1] and factor(row, -30.0) == row[0] for row in rows)


def test_at_20_degrees_every_ratio_is_one() -> None:
    """Algorithms 2 and 3 are made relative to the certificate, which was measured at 20 °C."""
    ratios = {m[n][5] for m in FACTORS.values() for n in (2, 3) if n in m}
    assert ratios == {1.0}
    assert {methods[4][5] for methods in FACTORS.values() if 4 in methods} == {0.0}


def test_in_zero_air_at_20_degrees_the_certificate_gives_zero() -> None:
    cell = options(NO2).cells[0]
    zeros = cell.zeros
    we, ae = zeros.we_electronic + zeros.we, zeros.ae_electronic + zeros.ae
    for algorithm, scale in ((2, 1.0), (3, 1.0), (4, 0.0)):
        assert corrected(algorithm, scale, we, ae, zeros) == pytest.approx(0.0)  # type: ignore[arg-type]
