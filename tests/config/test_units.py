"""A unit that nobody could translate is told of before a platform meets it."""

from __future__ import annotations

import pytest

from edgenode.config import parse
from tests.support.toml import WELL

SENSOR = """
[[bus]]
name = "b0"
kind = "serial"
path = "/dev/ttyS9"

[[sensor]]
name = "gauge"
driver = "modbus"
bus = "b0"
address = 1
every_s = 10
purpose = "rain"

[[sensor.registers]]
name = "level"
register = 0
unit = "UNIT"
"""


@pytest.mark.parametrize(("unit", "hint"), [("kwh", "did you mean kWh?"), ("furlong", "")])
def test_a_unit_that_is_not_in_the_table_is_a_warning(unit: str, hint: str) -> None:
    assert parse(WELL + SENSOR.replace("UNIT", "kWh"), "n.toml").warnings == ()
    (warning,) = parse(WELL + SENSOR.replace("UNIT", unit), "n.toml").warnings
    assert f"level is in {unit!r}, which no export can translate" in warning
    assert warning.endswith(hint)
