"""What every driver owes the bus thread; one suite over all that is installed."""

from __future__ import annotations

import inspect
from importlib.metadata import entry_points
from typing import Any

import msgspec
import pytest

from drivers.bme280 import BME280
from drivers.pulse import Pulse
from edgenode.bus import EdgeLine, I2CDevice
from edgenode.driver import Options, find
from edgenode.errors import BusError, ConfigError
from edgenode.reading import Kind
from tests.drivers.test_bme280 import TRIM_HIGH, TRIM_LOW, results
from tests.support.fake_i2c import FakeBME280
from tests.support.fake_line import FakeLine

NAMES = sorted(point.name for point in entry_points(group="edgenode.drivers"))
WIRES = {"i2c": "address", "gpio": "line", "serial": "baud"}  # the option each wire needs


def fake_wire(name: str) -> Any:
    """Return a healthy instrument for the driver, and the least options it can have."""
    if name == "bme280":
        return FakeBME280(TRIM_LOW, TRIM_HIGH, results()), {}
    return FakeLine(), {"line": 1}


def opened(name: str) -> tuple[Any, Any]:
    """Return an open driver and its wire."""
    cls = find(name)
    wire, table = fake_wire(name)
    return cls(wire, msgspec.convert(table, cls.options)), wire


def test_both_wires_of_the_node_have_a_driver() -> None:
    assert {find(name).wire for name in NAMES} == {"i2c", "gpio"}
    assert isinstance(FakeBME280(TRIM_LOW, TRIM_HIGH, results()), object)
    device: I2CDevice = FakeBME280(TRIM_LOW, TRIM_HIGH, results())
    line: EdgeLine = FakeLine()
    assert BME280(device, find("bme280").options())
    assert Pulse(line, find("pulse").options(line=0))


def test_a_driver_that_is_not_installed_is_answered_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"known: .*bme280, pulse"):
        find("bme208")


@pytest.mark.parametrize("name", NAMES)
class TestEveryDriver:
    def test_names_each_channel_once(self, name: str) -> None:
        names = [channel.name for channel in find(name).channels]
        assert names
        assert len(names) == len(set(names))

    def test_gives_both_ends_of_a_range_or_none(self, name: str) -> None:
        for channel in find(name).channels:
            assert (channel.low is None) == (channel.high is None)
            if channel.low is not None and channel.high is not None:
                assert channel.low < channel.high

    def test_declares_every_gauge_that_has_a_model_by_its_name_there(self, name: str) -> None:
        for channel in find(name).channels:
            entity, _, prop = channel.observed.partition("/")
            assert bool(entity) == bool(prop)

    def test_restarts_only_counters(self, name: str) -> None:
        kinds = {channel.name: channel.kind for channel in find(name).channels}
        assert all(kinds[counter] is Kind.COUNTER for counter in find(name).since_open)

    def test_bounds_its_time_on_the_bus(self, name: str) -> None:
        assert 0 < find(name).budget_s <= 5
        assert 0 <= find(name).settle_s <= 3600

    def test_takes_options_that_refuse_unknown_keys(self, name: str) -> None:
        options = find(name).options
        assert issubclass(options, Options)
        assert WIRES[find(name).wire] in {field.name for field in msgspec.structs.fields(options)}
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**fake_wire(name)[1], "surprise": 1}, options)

    def test_lives_in_a_module_named_as_the_part(self, name: str) -> None:
        assert find(name).__module__ == f"drivers.{name}"

    def test_says_which_datasheet_it_follows(self, name: str) -> None:
        assert "Datasheet:" in (inspect.getmodule(find(name)).__doc__ or "")

    def test_gives_one_value_for_each_channel(self, name: str) -> None:
        driver, _ = opened(name)
        sample = driver.read(0)
        assert len(sample.values) == len(driver.channels)
        assert len(sample.quality) in {0, len(driver.channels)}
        driver.close()

    def test_closes_its_wire_and_may_be_closed_twice(self, name: str) -> None:
        driver, wire = opened(name)
        driver.close()
        driver.close()
        assert wire.closed

    def test_never_logs_sleeps_by_itself_or_starts_threads(self, name: str) -> None:
        source = inspect.getsource(inspect.getmodule(find(name)))  # type: ignore[arg-type]
        for word in ("import logging", "import threading", "print(", "except Exception"):
            assert word not in source


def test_a_driver_on_a_broken_wire_raises_what_the_bus_thread_understands() -> None:
    chip = FakeBME280(TRIM_LOW, TRIM_HIGH, results())
    chip.broken = "no acknowledge"
    with pytest.raises(BusError):
        BME280(chip, find("bme280").options(), sleep=lambda _: None)
