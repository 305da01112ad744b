"""Which meter answers: told by its mains and by its phases, before anything is read."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from drivers.sdm import SDM120, SDM230, SDM630, Meter, SDMOptions
from edgenode.errors import WrongDevice
from tests.support.meters import SINGLE, THREE, metered


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (SDM120, {}),
        (SDM230, {**SINGLE, 0x00: 12.0}),
        (SDM230, {**SINGLE, 0x46: 0.0}),
        (SDM230, {**SINGLE, 0x46: 400.0}),
        (SDM230, {**SINGLE, 0x00: math.nan}),
        (SDM630, {**THREE, 0x46: math.nan}),
        (SDM630, dict.fromkeys(THREE, 0.0)),
        (SDM630, dict.fromkeys(THREE, 1e9)),
    ],
)
def test_what_has_no_mains_where_a_meter_has_it_is_another_part(
    model: type[Meter], values: Mapping[int, float]
) -> None:
    cable, _ = metered(values)
    with pytest.raises(WrongDevice, match=f"Modbus address 1: .* where a {model.model} has its"):
        model(cable, SDMOptions())


@pytest.mark.parametrize("model", [SDM120, SDM230])
@pytest.mark.parametrize("phase", [0x02, 0x04])
def test_a_three_phase_meter_is_not_taken_for_a_single_phase_one(
    model: type[Meter], phase: int
) -> None:
    cable, _ = metered({**SINGLE, phase: 231.0})
    with pytest.raises(WrongDevice, match=r'three phases answers.*driver = "sdm630"'):
        model(cable, SDMOptions())


def test_a_single_phase_meter_is_not_taken_for_a_three_phase_one() -> None:
    cable, _ = metered(SINGLE)
    with pytest.raises(WrongDevice, match=r'one phase answers.*driver = "sdm120"'):
        SDM630(cable, SDMOptions())


def test_a_three_phase_meter_with_one_phase_alive_is_one_all_the_same() -> None:
    alive = {**THREE, 0x00: 0.0, 0x04: 0.0}
    cable, _ = metered(alive)
    assert SDM630(cable, SDMOptions()).read(0).values[0] == 0.0


def test_a_meter_without_load_is_proved_by_its_mains_alone() -> None:
    idle = {0x00: 230.0, 0x02: 230.0, 0x04: 230.0, 0x46: 50.0}
    cable, _ = metered(idle)
    assert SDM630(cable, SDMOptions()).read(0).values[0] == 230.0


def test_a_meter_that_refuses_the_registers_is_another_part() -> None:
    cable, meter = metered(SINGLE)
    meter.code = 2
    with pytest.raises(WrongDevice, match="has no such registers"):
        SDM230(cable, SDMOptions())
