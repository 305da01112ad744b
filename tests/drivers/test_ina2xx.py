"""INA219 and INA226: what the suites over all drivers do not show."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from drivers.ina219 import INA219, INA219Options
from drivers.ina226 import INA226, INA226Options
from edgenode.errors import BadFrame, BusTimeout, WrongDevice
from edgenode.reading import Quality
from edgenode.virtual.series import Play
from edgenode.virtual.supply import (
    Ina219Spec,
    Ina226Spec,
    VirtualINA219,
    VirtualINA226,
)
from tests.support.beds import Address, Bed
from tests.support.fake_words import FakeWords

SUPPLY: dict[str, Any] = {"voltage": Play(offset=12.0), "current": Play(offset=1.5)}
PARTS = [
    (INA219, INA219Options(), VirtualINA219, Ina219Spec("x", **SUPPLY)),
    (INA226, INA226Options(shunt_ohm=0.02), VirtualINA226, Ina226Spec("x", **SUPPLY)),
]


class Stand:
    """One part on its wire."""

    def __init__(self, driver: Any, options: Any, chip: Any, spec: Any) -> None:
        self.bed = Bed()
        self.wire = Address(self.bed, chip(spec, self.bed.truth, self.bed.now_ns))
        self.naps: list[float] = []
        self.sensor = driver(self.wire, options, sleep=self.nap)

    def nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.bed.sleep(seconds)


@pytest.fixture(params=PARTS, ids=["219", "226"])
def stand(request: pytest.FixtureRequest) -> Stand:
    return Stand(*request.param)


def test_a_read_of_a_running_part_does_not_wait(stand: Stand) -> None:
    stand.bed.sleep(1)
    assert stand.sensor.read(0).values == pytest.approx((12.0, 1.5, 18.0))
    assert stand.naps == []


def test_a_pair_is_told_once_and_the_next_one_awaited(stand: Stand) -> None:
    stand.bed.sleep(1)
    stand.sensor.read(0)
    stand.sensor.read(0)
    assert 0 < sum(stand.naps) < stand.sensor.budget_s / 2


@pytest.mark.parametrize(("part", "most"), [(PARTS[0], 128), (PARTS[1], 256)])
def test_the_slowest_average_fits_into_the_budget(part: tuple[Any, ...], most: int) -> None:
    driver, options, *chip = part
    stand = Stand(driver, msgspec.structs.replace(options, averages=most), *chip)
    assert stand.sensor.read(0).values == pytest.approx((12.0, 1.5, 18.0))
    assert sum(stand.naps) < driver.budget_s * 0.8


def test_a_part_that_was_reset_behind_our_back_is_refused_and_not_read(stand: Stand) -> None:
    stand.wire.write(0, b"\x80\x00")
    stand.bed.sleep(1)
    with pytest.raises(BadFrame, match=r"at 0x40: register 0x00 reads 0x.*another program"):
        stand.sensor.read(0)


def test_a_part_that_was_put_to_sleep_says_so_instead_of_timing_out(stand: Stand) -> None:
    config = stand.wire.instrument._config & ~7
    stand.wire.write(0, config.to_bytes(2, "big"))
    with pytest.raises(BadFrame, match="register 0x00"):
        stand.sensor.read(0)


def test_a_part_that_never_finishes_is_a_timeout_within_the_budget(stand: Stand) -> None:
    stand.wire.instrument._pairs = lambda _: 0
    with pytest.raises(BusTimeout, match="does not finish"):
        stand.sensor.read(0)
    assert sum(stand.naps) < stand.sensor.budget_s


def test_a_calibration_that_somebody_wrote_overflows_only_what_is_not_read(stand: Stand) -> None:
    stand.wire.write(5, b"\x7f\xfe")
    stand.bed.sleep(1)
    sample = stand.sensor.read(0)
    assert sample.values == pytest.approx((12.0, 1.5, 18.0))
    assert sample.quality == ()


def test_a_battery_that_is_charged_takes_negative_power() -> None:
    spec = Ina226Spec("x", voltage=Play(offset=13.6), current=Play(offset=-2.0))
    stand = Stand(INA226, INA226Options(shunt_ohm=0.02), VirtualINA226, spec)
    assert stand.sensor.read(0).values == pytest.approx((13.6, -2.0, -27.2), abs=0.01)


def test_resolution_and_range_follow_the_shunt() -> None:
    _, current, power = INA226.declare(INA226Options(shunt_ohm=0.002))
    assert (current.scale, power.scale) == (-3, -2)
    assert current.high == pytest.approx(40.95875)
    _, current, _ = INA219.declare(INA219Options(range_mv=40))
    assert (current.scale, current.high) == (-4, 0.4)


def test_the_range_of_16_v_is_declared_and_ends_there() -> None:
    spec = Ina219Spec("x", voltage=Play(offset=18.0), current=Play(offset=0.1))
    options = INA219Options(bus_v=16)
    assert INA219.declare(options)[0].high == 16
    sample = Stand(INA219, options, VirtualINA219, spec).sensor.read(0)
    assert sample.values[0] == 16
    assert sample.quality == (Quality.CLAMPED, Quality.OK, Quality.CLAMPED)


@pytest.mark.parametrize("word", [0x0000, 0xFFFF, 0x0FFF])
def test_what_does_not_reset_as_an_ina219_does_is_another_device(word: int) -> None:
    with pytest.raises(WrongDevice, match=f"reads 0x{word:04x} after a reset"):
        INA219(FakeWords({}, after_reset=word), INA219Options(), sleep=lambda _: None)


def test_an_ina226_is_written_to_only_after_its_ids_were_read() -> None:
    chip = FakeWords({0xFE: 0x5449, 0xFF: 0x0001})
    with pytest.raises(WrongDevice, match="0x5449 and 0x2260"):
        INA226(chip, INA226Options(), sleep=lambda _: None)
    assert chip.writes == []


@pytest.mark.parametrize(("driver", "config"), [(INA219, 0x399F), (INA226, 0x4127)])
def test_a_scan_writes_nothing(driver: Any, config: int) -> None:
    chip = FakeWords({0: config, 3: 0, 4: 0, 5: 0, 0xFE: 0x5449, 0xFF: 0x2260})
    assert driver.identify(chip, lambda _: None)
    assert chip.writes == []


@pytest.mark.parametrize("config", [0x399F, 0x0000, 0xFFFF, 0xC127])
def test_a_scan_asks_for_no_ids_where_their_numbers_may_be_orders(config: int) -> None:
    chip = FakeWords({0: config, 0xFE: 0x5449, 0xFF: 0x2260})
    assert INA226.identify(chip, lambda _: None) is None
    assert chip.reads == [0]


@pytest.mark.parametrize("registers", [{0: 0x399E}, {3: 7}, {4: 7}, {5: 0x1000}])
def test_a_scan_takes_nothing_for_an_ina219_that_might_be_something_else(
    registers: dict[int, int],
) -> None:
    chip = FakeWords({0: 0x399F, 3: 0, 4: 0, 5: 0} | registers)
    assert INA219.identify(chip, lambda _: None) is None
