"""The virtual chip's counts decode to the recorded weather within one step of the resolution."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bme280 import Calibration, decode
from edgenode.virtual.bme280 import _calibration
from edgenode.virtual.counts import EXAMPLE, counts, humidity_q22, pascal_q8, t_fine
from edgenode.virtual.series import SETS, load

CALIBRATION = Calibration.unpack(*_calibration(EXAMPLE))


def test_the_integer_formulas_give_the_datasheets_example() -> None:
    fine = t_fine(519888, EXAMPLE)
    assert (fine * 5 + 128) >> 8 == 2508
    assert pascal_q8(415148, fine, EXAMPLE) / 256 == pytest.approx(100653.27, abs=0.1)
    assert 0 < humidity_q22(28000, fine, EXAMPLE) / 4194304 < 100


@given(
    celsius=st.integers(-4000, 8500),
    percent=st.integers(0, 1000),
    pascal=st.integers(30_000, 110_000),
)
def test_a_driver_decodes_what_was_played_within_one_step(
    celsius: int, percent: int, pascal: int
) -> None:
    raw = counts(celsius / 100, percent / 10, float(pascal))
    frame = (
        (raw.pressure << 4).to_bytes(3, "big")
        + (raw.temperature << 4).to_bytes(3, "big")
        + raw.humidity.to_bytes(2, "big")
    )
    t, h, p = decode(frame, CALIBRATION).values
    assert t == pytest.approx(celsius / 100, abs=0.01)
    assert h is None or h == pytest.approx(percent / 10, abs=0.1)
    assert p is None or p == pytest.approx(pascal, abs=1)


@pytest.mark.parametrize("name", SETS)
def test_the_recorded_sets_ship_with_the_package(name: str) -> None:
    channel = {"air_uci": "T", "traffic_nab": "occupancy_6005", "utility_power": "U"}[name]
    assert len(load(f"{name}:{channel}")) == 600
