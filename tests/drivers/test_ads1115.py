"""The ADS1115 driver: what the suites over all drivers do not show."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from drivers.ads1115 import ADS1115, ADS1115Options, Input
from edgenode.errors import BadFrame, BusTimeout, WrongDevice
from edgenode.reading import Quality
from edgenode.virtual.ads1115 import Ads1115Spec, VirtualADS1115
from edgenode.virtual.series import Play
from tests.support.beds import Address, Bed
from tests.support.fake_words import FakeWords

FRESH = {0: 0x0000, 1: 0x8583, 2: 0x8000, 3: 0x7FFF}
LOOP = Input(
    "level",
    "0",
    unit="m",
    range_v="2.048",
    factor=6.25,
    offset=-2.5,
    low=0,
    high=10,
    fault_below_v=0.36,
    fault_above_v=2.1,
)


def opened(bed: Bed, chip: VirtualADS1115, *inputs: Input, **options: Any) -> ADS1115:
    made = ADS1115Options(inputs=inputs, **options)
    return ADS1115(Address(bed, chip), made, sleep=bed.sleep)


def virtual(bed: Bed, **plays: float) -> VirtualADS1115:
    spec = Ads1115Spec("x", **{pin: Play(offset=volts) for pin, volts in plays.items()})  # type: ignore[arg-type]
    return VirtualADS1115(spec, bed.truth, bed.now_ns)


@pytest.mark.parametrize(
    ("volts", "value", "quality"),
    [
        (0.4, 0.0, Quality.OK),  # 4 mA over 100 ohm
        (1.2, 5.0, Quality.OK),
        (2.0, 10.0, Quality.OK),
        (0.0, None, Quality.FAULT),  # the wire is cut
        (0.35, None, Quality.FAULT),  # below 3.6 mA
    ],
)
def test_a_loop_of_4_to_20_ma_is_a_level_and_a_broken_one_a_fault(
    volts: float, value: float | None, quality: Quality
) -> None:
    bed = Bed()
    sample = opened(bed, virtual(bed, in0=volts), LOOP, rate=860).read(0)
    assert sample.values == (pytest.approx(value, abs=0.001) if value is not None else None,)
    assert (sample.quality or (Quality.OK,)) == (quality,)


def test_a_fault_of_one_input_leaves_the_others_alone() -> None:
    bed = Bed()
    battery = Input("battery", "1", factor=11.0)
    sample = opened(bed, virtual(bed, in0=0.0, in1=1.1), LOOP, battery).read(0)
    assert sample.values[0] is None
    assert sample.values[1] == pytest.approx(12.1, abs=0.01)
    assert sample.quality == (Quality.FAULT, Quality.OK)


def test_a_voltage_beyond_the_range_is_held_at_its_end_and_marked() -> None:
    bed = Bed()
    sample = opened(bed, virtual(bed, in0=3.0), Input("a", "0", range_v="2.048")).read(0)
    assert sample.values == pytest.approx((2.048,), abs=0.001)
    assert sample.quality == (Quality.CLAMPED,)


def test_the_slowest_eight_inputs_fit_into_the_budget() -> None:
    bed = Bed()
    pins: Any = ("0", "1", "2", "3", "0-1", "0-3", "1-3", "2-3")
    sensor = opened(bed, virtual(bed), *(Input(f"i{n}", p) for n, p in enumerate(pins)), rate=8)
    began_ns = bed.now_ns
    sensor.read(0)
    assert (bed.now_ns - began_ns) / 1e9 < sensor.budget_s * 0.8


def test_a_converter_that_lost_its_supply_between_asking_and_reading_is_refused() -> None:
    bed = Bed()
    chip = virtual(bed)
    sensor = opened(bed, chip)

    def dips(seconds: float) -> None:
        bed.sleep(seconds)
        chip.act("vanish", bed.now_ns)
        chip.act("return", bed.now_ns)

    sensor._converter._sleep = dips
    with pytest.raises(BadFrame, match=r"0x48: register 0x01 reads 0x0583, not 0x4383"):
        sensor.read(0)


def test_a_converter_that_never_finishes_is_a_timeout() -> None:
    bed = Bed()
    chip = virtual(bed)
    sensor = opened(bed, chip)
    chip._converting_ns = lambda: 10**12  # type: ignore[method-assign]
    with pytest.raises(BusTimeout, match="still converting"):
        sensor.read(0)


def test_a_tmp117_at_the_same_address_is_not_written_to() -> None:
    chip = FakeWords({0: 0x0C80, 1: 0x0220, 2: 0x6000, 3: 0x8000, 0x0F: 0x0117})
    with pytest.raises(WrongDevice, match="thresholds read 0x6000 and 0x8000"):
        ADS1115(chip, ADS1115Options(), sleep=lambda _: None)
    assert chip.writes == []
    assert ADS1115.identify(chip) is None


def test_an_ads1015_is_named_and_a_scan_says_that_it_cannot_tell() -> None:
    bed = Bed()
    chip = VirtualADS1115(Ads1115Spec("x", bits=12), bed.truth, bed.now_ns)
    with pytest.raises(WrongDevice, match="it is an ADS1015"):
        opened(bed, chip)
    found = ADS1115.identify(Address(bed, chip))
    assert found
    assert "or an ADS1015" in found.words


def test_a_result_with_16_bits_is_an_ads1115_without_any_doubt() -> None:
    found = ADS1115.identify(FakeWords(FRESH | {0: 0x1234}))
    assert found
    assert found.words == "ADS1115"


@pytest.mark.parametrize("changed", [{1: 0x8483}, {1: 0x858B}, {2: 0x8001}, {3: 0x7FF0}])
def test_a_scan_writes_nothing_and_takes_nothing_else_for_it(changed: dict[int, int]) -> None:
    chip = FakeWords(FRESH | changed)
    assert ADS1115.identify(chip) is None
    assert chip.writes == []


def test_a_scan_knows_it_while_this_very_driver_uses_it() -> None:
    bed = Bed()
    chip = virtual(bed)
    opened(bed, chip).read(0)
    assert ADS1115.identify(Address(bed, chip))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"factor": 0}, "factor is 0"),
        ({"low": 1}, "low and high go together"),
        ({"low": 2, "high": 1}, "low must be below high"),
        ({"pins": "1-2"}, "pins"),
        ({"range_v": "5"}, "range_v"),
        ({"unit": ""}, "unit"),
    ],
)
def test_an_input_that_makes_no_sense_is_refused(wrong: dict[str, Any], words: str) -> None:
    table = {"inputs": [{"name": "a", "pins": "0", **wrong}]}
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(table, ADS1115Options)


def test_two_inputs_of_one_name_are_refused() -> None:
    both = [{"name": "a", "pins": pin} for pin in ("0", "1")]
    with pytest.raises(msgspec.ValidationError, match="two inputs are called"):
        msgspec.convert({"inputs": both}, ADS1115Options)
