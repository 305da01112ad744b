"""A driver that nobody's program or recording confirms is told of before it is trusted."""

from __future__ import annotations

import pytest

from drivers.sht4x import SHT4x
from edgenode.config import parse
from tests.support.toml import WELL

SENSOR = """
[[bus]]
name = "b0"
kind = "i2c"
path = "/dev/i2c-9"

[[sensor]]
name = "air"
driver = "sht4x"
bus = "b0"
every_s = 10
purpose = "heat"
"""


def test_it_is_a_warning_at_its_line_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse(WELL + SENSOR, "n.toml").warnings == ()
    monkeypatch.setattr(SHT4x, "grade", "unverified")
    (warning,) = parse(WELL + SENSOR, "n.toml").warnings
    assert "driver" in warning
    assert "compare its first readings with an instrument that you trust" in warning
