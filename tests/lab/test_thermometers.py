"""1-Wire on a real kernel: its ds2482 and w1_therm, and our driver on their files."""

from __future__ import annotations

import pytest

from tests.lab.conftest import Step
from tests.lab.thermometers import READINGS

pytestmark = [pytest.mark.root, pytest.mark.timeout(400)]


def test_our_driver_reads_what_the_kernel_decodes(step: Step) -> None:
    rows = step("thermometers")["rows"]
    assert len(rows) == READINGS
    for celsius, kernels, ours in rows:
        assert ours == kernels / 1000 == celsius


def test_both_thermometers_of_a_wire_are_found(step: Step) -> None:
    assert step("thermometers")["surveyed"] == ["28-0123456789ab", "28-0123456789ac"]


def test_the_power_on_value_of_a_weak_supply_is_no_reading(step: Step) -> None:
    assert "ImpossibleValue" in step("thermometers")["weak"]


def test_a_thermometer_that_is_gone_does_not_answer(step: Step) -> None:
    assert step("thermometers")["away"].startswith("BusError: 28-0123456789ab: it does not answer")
