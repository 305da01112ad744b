"""SDM meters: every register where the documents have it, in one request."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sdm import SDM120, SDM230, SDM630, Meter, SDMOptions
from edgenode.driver import find
from edgenode.errors import BadFrame, BusError, BusTimeout, DriverError
from edgenode.reading import Kind, Quality, Sample, SerialLine
from tests.support.fake_cable import FakeCable
from tests.support.meters import SINGLE, THREE, FakeMeter, metered

IMPORT = 0x48
SINGLE_EXPECTED = {
    "voltage": (230.2, "V"),
    "current": (4.25, "A"),
    "power": (-951.5, "W"),
    "apparent_power": (978.4, "VA"),
    "reactive_power": (226.7, "var"),
    "power_factor": (-0.973, "/"),
    "frequency": (49.98, "Hz"),
    "import_energy": (1551.37, "kWh"),
    "export_energy": (1335.69, "kWh"),
}
THREE_EXPECTED = {
    "voltage_l1": (230.2, "V"),
    "current_l1": (1.25, "A"),
    "power_l1": (281.0, "W"),
    "power_factor_l1": (0.977, "/"),
    "voltage_l2": (231.3, "V"),
    "current_l2": (2.5, "A"),
    "power_l2": (-562.0, "W"),
    "power_factor_l2": (-0.972, "/"),
    "voltage_l3": (229.1, "V"),
    "current_l3": (3.75, "A"),
    "power_l3": (843.0, "W"),
    "power_factor_l3": (0.981, "/"),
    "power": (562.0, "W"),
    "apparent_power": (1725.0, "VA"),
    "reactive_power": (363.3, "var"),
    "power_factor": (0.326, "/"),
    "frequency": (50.02, "Hz"),
    "import_energy": (87_654.32, "kWh"),
    "export_energy": (12.34, "kWh"),
}
MODELS = [
    (SDM120, SINGLE, SINGLE_EXPECTED),
    (SDM230, SINGLE, SINGLE_EXPECTED),
    (SDM630, THREE, THREE_EXPECTED),
]


def named(driver: Meter, sample: Sample) -> dict[str, float | None]:
    return {c.name: v for c, v in zip(driver.channels, sample.values, strict=True)}


@pytest.mark.parametrize(("model", "values", "expected"), MODELS)
def test_every_quantity_stands_where_the_documents_have_it(
    model: type[Meter], values: Mapping[int, float], expected: dict[str, tuple[float, str]]
) -> None:
    cable, _ = metered(values)
    driver = model(cable, SDMOptions())
    sample = driver.read(0)
    assert named(driver, sample) == {
        name: pytest.approx(value, rel=1e-6) for name, (value, _) in expected.items()
    }
    assert {c.name: c.unit for c in driver.channels} == {n: u for n, (_, u) in expected.items()}
    assert not sample.quality
    assert not sample.events


@pytest.mark.parametrize(("model", "values", "expected"), MODELS)
def test_a_read_is_one_request_of_at_most_80_registers(
    model: type[Meter], values: Mapping[int, float], expected: object
) -> None:
    cable, meter = metered(values)
    driver = model(cable, SDMOptions())
    meter.asked.clear()
    driver.read(0)
    assert meter.asked == [(4, 0, 76)]


@pytest.mark.parametrize(
    ("name", "model"), [("sdm120", SDM120), ("sdm230", SDM230), ("sdm630", SDM630)]
)
def test_each_model_is_found_by_its_name(name: str, model: type[Meter]) -> None:
    assert find(name) is model
    assert model.line == SerialLine(9600)
    assert not model.alone


@pytest.mark.parametrize("model", [SDM120, SDM230, SDM630])
def test_both_energies_are_counters_as_the_display_shows_them(model: type[Meter]) -> None:
    energies = {c.name: (c.kind, c.scale) for c in model.channels if c.unit == "kWh"}
    assert energies == dict.fromkeys(("import_energy", "export_energy"), (Kind.COUNTER, -2))
    assert not model.since_open  # the meter counts, not the driver


@pytest.mark.parametrize("address", [0, 248])
def test_an_address_that_no_meter_can_have_is_refused(address: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"address": address}, SDMOptions)


def test_several_meters_share_a_bus_each_at_its_address() -> None:
    meters = [FakeMeter({**SINGLE, 0x00: 230.0 + n}, n) for n in (1, 2, 247)]
    cable = FakeCable(*meters)
    drivers = [SDM230(cable, SDMOptions(address=n)) for n in (1, 2, 247)]
    volts = [driver.read(0).values[0] for driver in drivers]
    assert volts == [231.0, 232.0, 477.0]


def test_the_meters_get_their_100_ms_between_requests() -> None:
    cable, _ = metered(SINGLE)
    driver = SDM120(cable, SDMOptions())
    driver.read(0)
    assert cable.silences[1] >= 0.0999


@pytest.mark.parametrize("baud", [2400, 9600, 38_400])
def test_a_read_keeps_to_its_budget_even_where_the_meter_is_slow(baud: int) -> None:
    cable, _ = metered(SINGLE)
    cable.line = SerialLine(baud)
    driver = SDM230(cable, SDMOptions())
    cable.late_s = 0.45
    began_s = cable.now_s
    driver.read(0)
    assert cable.now_s - began_s < driver.budget_s


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_fault_of_that_channel_alone(nonsense: float) -> None:
    cable, meter = metered(SINGLE)
    driver = SDM230(cable, SDMOptions())
    meter.holds({**SINGLE, 0x0C: nonsense, IMPORT: nonsense})
    sample = driver.read(0)
    told = named(driver, sample)
    assert told["power"] is None
    assert told["import_energy"] is None
    assert told["voltage"] == pytest.approx(230.2)
    faults = [c.name for c, q in zip(driver.channels, sample.quality, strict=True) if q]
    assert faults == ["power", "import_energy"]
    assert set(sample.quality) == {Quality.OK, Quality.FAULT}


def test_a_total_that_goes_back_is_given_as_the_meter_says_it() -> None:
    cable, meter = metered(SINGLE)
    driver = SDM230(cable, SDMOptions())
    driver.read(1_000)
    meter.holds({**SINGLE, IMPORT: 3.5})
    sample = driver.read(2_000)
    assert named(driver, sample)["import_energy"] == 3.5
    assert not sample.events, "whether that can be is judged where it is remembered"


@pytest.mark.parametrize(
    ("happens", "error"),
    [
        (lambda cable, _: setattr(cable, "parts", []), BusTimeout),
        (lambda _, meter: setattr(meter, "code", 6), BusError),
        (lambda cable, _: setattr(cable, "parts", [lambda _: b"\x55" * 60]), BadFrame),
        (lambda cable, _: setattr(cable, "broken", True), BusError),
    ],
    ids=["silence", "busy", "noise", "unplugged"],
)
def test_a_fault_between_two_reads_is_an_error_and_the_next_read_is_whole(
    happens: Any, error: type[DriverError]
) -> None:
    cable, meter = metered(SINGLE)
    driver = SDM230(cable, SDMOptions())
    happens(cable, meter)
    with pytest.raises(error):
        driver.read(0)
    cable.parts, cable.broken, meter.code = [meter], False, 0
    assert driver.read(0).values[0] == pytest.approx(230.2)


def test_an_adapter_that_echoes_changes_nothing() -> None:
    cable, _ = metered(SINGLE)
    cable.echo = True
    assert SDM230(cable, SDMOptions()).read(0).values[0] == pytest.approx(230.2)


def test_closing_gives_the_port_back() -> None:
    cable, _ = metered(SINGLE)
    driver = SDM230(cable, SDMOptions())
    driver.close()
    assert cable.closed == 1


@given(st.integers(0, 8 * (5 + 2 * 76) - 1))
def test_a_flipped_bit_anywhere_in_the_answer_is_never_a_reading(bit: int) -> None:
    cable, meter = metered(SINGLE)
    driver = SDM230(cable, SDMOptions())

    def damaged(frame: bytes) -> bytes:
        answer = bytearray(meter(frame))
        answer[bit // 8] ^= 1 << bit % 8
        return bytes(answer)

    cable.parts = [damaged]
    with pytest.raises(DriverError):
        driver.read(0)


@given(st.lists(st.floats(width=32, allow_nan=True, allow_infinity=True), min_size=9, max_size=9))
def test_any_floats_are_values_or_faults_and_nothing_else(numbers: list[float]) -> None:
    cable, meter = metered(SINGLE)
    driver = SDM230(cable, SDMOptions())
    meter.holds(dict(zip(SINGLE, numbers, strict=True)))
    sample = driver.read(0)
    for register, value in zip(SINGLE, sample.values, strict=True):
        stored = struct.unpack(">f", meter.image[2 * register : 2 * register + 4])[0]
        assert value == stored if math.isfinite(stored) else value is None
