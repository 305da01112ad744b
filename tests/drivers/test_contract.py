"""What every driver owes the bus thread; one suite over all that is installed.

A driver of your own joins with one row in FAKES.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

import msgspec
import pytest

from drivers.bme280 import BME280
from drivers.pulse import Pulse
from edgenode.bus import EdgeLine, I2CDevice
from edgenode.driver import Options, Talker, find
from edgenode.errors import BusError, ConfigError
from edgenode.reading import Event, Kind, Quality, SerialLine
from tests.drivers.test_bme280 import TRIM_HIGH, TRIM_LOW, results
from tests.drivers.test_sht4x import ANSWERS
from tests.support.boards import WHOLE, FakeTree
from tests.support.fake_i2c import FakeBME280
from tests.support.fake_line import FakeLine, FakeState
from tests.support.fake_sensirion import FakeSensirion
from tests.support.fake_serial import FakeSerial
from tests.support.meters import SINGLE, THREE, metered
from tests.support.pms5003 import recorded

# Of each driver: a healthy instrument on a fake wire, and the least options it can have.
FAKES: dict[str, Callable[[], tuple[Any, dict[str, Any]]]] = {
    "bme280": lambda: (FakeBME280(TRIM_LOW, TRIM_HIGH, results()), {}),
    "health": lambda: (FakeTree(dict(WHOLE), works=True), {}),
    "loop": lambda: (FakeLine(), {"line": 1}),
    "pms5003": lambda: (FakeSerial(recorded()[0]), {}),
    "pulse": lambda: (FakeLine(), {"line": 1}),
    "sdm120": lambda: (metered(SINGLE)[0], {}),
    "sdm230": lambda: (metered(SINGLE)[0], {}),
    "sdm630": lambda: (metered(THREE)[0], {}),
    "sht4x": lambda: (FakeSensirion(ANSWERS), {}),
    "state": lambda: (FakeState(), {"line": 1}),
}
NAMES = sorted(FAKES)
NEEDED = {"i2c": {"address"}, "gpio": {"line"}}  # options without which a wire has no place


class BrokenWire:
    """A wire on which every call fails, but for asking its descriptor and closing it."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._wire, name)
        return self._failing if callable(found) and name not in {"fileno", "close"} else found

    @staticmethod
    def _failing(*_: object, **__: object) -> Any:
        raise BusError("fake: the wire is broken")


def opened(name: str) -> tuple[Any, Any]:
    """Return an open driver and its wire."""
    cls = find(name)
    wire, table = FAKES[name]()
    return cls(wire, msgspec.convert(table, cls.options)), wire


def test_every_installed_driver_is_in_this_suite() -> None:
    assert {point.name for point in entry_points(group="edgenode.drivers")} == set(FAKES)


def test_the_fakes_are_what_the_wires_are() -> None:
    device: I2CDevice = FakeBME280(TRIM_LOW, TRIM_HIGH, results())
    line: EdgeLine = FakeLine()
    assert BME280(device, find("bme280").options())
    assert Pulse(line, find("pulse").options(line=0))


def test_a_driver_that_is_not_installed_is_answered_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"known: .*bme280, .*pulse"):
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
        assert find(name).fastest_s > 0
        assert 0 <= find(name).settle_s <= 3600

    def test_says_how_its_port_is_set_if_it_stands_on_one(self, name: str) -> None:
        line = find(name).line
        assert isinstance(line, SerialLine) if find(name).wire == "serial" else line is None

    def test_takes_options_that_refuse_unknown_keys(self, name: str) -> None:
        options = find(name).options
        assert issubclass(options, Options)
        assert {field.name for field in msgspec.structs.fields(options)} >= NEEDED.get(
            find(name).wire, set()
        )
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**FAKES[name]()[1], "surprise": 1}, options)

    def test_lives_in_a_module_named_as_the_part_or_its_family(self, name: str) -> None:
        room, _, module = find(name).__module__.partition(".")
        assert room == "drivers"
        assert name.startswith(module)

    def test_says_which_datasheet_it_follows(self, name: str) -> None:
        assert "Datasheet:" in (inspect.getmodule(find(name)).__doc__ or "")

    def test_gives_one_honest_value_for_each_channel(self, name: str) -> None:
        driver, _ = opened(name)
        sample = driver.read(0)
        assert len(sample.values) == len(driver.channels)
        assert len(sample.quality) in {0, len(driver.channels)}
        assert sample.values[0] is not None
        quality = sample.quality or (Quality.OK,) * len(sample.values)
        for value, how, channel in zip(sample.values, quality, driver.channels, strict=True):
            # What is about the time between two samples has none behind it at the first.
            assert how is (Quality.MISSING if value is None else Quality.OK)
            assert value is None or channel.low is None or channel.low <= value <= channel.high
        driver.close()

    def test_tells_events_when_it_is_fed_if_it_talks_by_itself(self, name: str) -> None:
        driver, _ = opened(name)
        if isinstance(driver, Talker):
            assert driver.fileno() >= 0
            assert all(isinstance(event, Event) for event in driver.feed(0))
        driver.close()

    def test_on_a_broken_wire_raises_what_the_bus_thread_understands(self, name: str) -> None:
        cls = find(name)
        wire, table = FAKES[name]()
        with pytest.raises(BusError):
            cls(BrokenWire(wire), msgspec.convert(table, cls.options)).read(0)

    def test_closes_its_wire_and_may_be_closed_twice(self, name: str) -> None:
        driver, wire = opened(name)
        driver.close()
        driver.close()
        assert wire.closed

    def test_never_logs_sleeps_by_itself_or_starts_threads(self, name: str) -> None:
        source = inspect.getsource(inspect.getmodule(find(name)))  # type: ignore[arg-type]
        for word in ("import logging", "import threading", "print(", "except Exception"):
            assert word not in source
