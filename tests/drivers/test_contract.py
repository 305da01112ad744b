"""What every driver owes the bus thread, and how far each is proved; one suite over all of them.

A driver of your own joins with a Proof in a module of tests/drivers/proofs.
"""

from __future__ import annotations

import inspect
from importlib.metadata import entry_points
from typing import Any

import msgspec
import pytest

from edgenode.driver import Options, Talker, declared, find
from edgenode.errors import BusError, ConfigError, DriverError
from edgenode.reading import Event, Kind, Quality, Sample, SerialLine
from edgenode.sensing.life import HOURS
from tests.drivers.proofs import all_proofs
from tests.support.beds import Bed, Wire, play
from tests.support.proofs import Proof

PROOFS = all_proofs()
NAMES = sorted(PROOFS)
# A contact that is gone is an open one, and files of the kernel do not misbehave so.
ON_A_BUS = [name for name in NAMES if find(name).wire in {"i2c", "serial"}]
CHECKED = [name for name in ON_A_BUS if not isinstance(PROOFS[name].damage, str)]
TALKERS = [name for name in NAMES if hasattr(find(name), "feed")]
NEEDED = {"i2c": {"address"}}  # options without which a wire has no place; gpio has its lines
POWERED_S = 10.0  # from power-on until any part answers
GONE_PERIODS = 50  # a part that talks may be stale for some of them first


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


def options_of(proof: Proof) -> Any:
    return msgspec.convert(dict(proof.options), find(proof.driver).options)


def opened(proof: Proof, bed: Bed, wire: Wire) -> Any:
    """Return an open driver."""
    waits = {name: getattr(bed, name) for name in proof.waits}
    return find(proof.driver)(wire, options_of(proof), **waits)


def played(proof: Proof, bed: Bed, wire: Wire) -> Sample:
    """Open the driver, let two periods pass, and return the last sample."""
    sensor = opened(proof, bed, wire)
    samples = [play(bed, wire, sensor, proof.every_ms).sample for _ in range(2)]
    sensor.close()
    return samples[-1]


def played_on(proof: Proof, bed: Bed, wire: Wire, sensor: Any) -> None:
    """Let periods pass as a bus thread would."""
    for _ in range(GONE_PERIODS):
        play(bed, wire, sensor, proof.every_ms)


def test_every_installed_driver_is_proved_here() -> None:
    assert {point.name for point in entry_points(group="edgenode.drivers")} == set(PROOFS)


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
        begun = find(name).since_open | find(name).since_boot
        assert all(kinds[counter] is Kind.COUNTER for counter in begun)

    def test_counts_the_hours_of_what_wears_by_a_counter_of_time(self, name: str) -> None:
        life = find(name).life
        units = {channel.name: channel.unit for channel in find(name).channels}
        assert life is None or (life.hours > 0 and life.what)
        assert life is None or not life.counter or units[life.counter] in HOURS

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
        lines = set(find(name).lines) if find(name).wire == "gpio" else set()
        needed = lines | NEEDED.get(find(name).wire, set())
        assert {field.name for field in msgspec.structs.fields(options)} >= needed
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**PROOFS[name].options, "surprise": 1}, options)

    def test_says_which_datasheet_it_follows(self, name: str) -> None:
        assert "Datasheet:" in (inspect.getmodule(find(name)).__doc__ or "")

    def test_gives_one_honest_value_for_each_channel(self, name: str) -> None:
        proof, bed = PROOFS[name], Bed()
        sample = played(proof, bed, proof.part(bed))
        channels = declared(find(name), options_of(proof))
        assert len(sample.values) == len(channels)
        assert len(sample.quality) in {0, len(channels)}
        assert any(value is not None for value in sample.values)
        quality = sample.quality or (Quality.OK,) * len(sample.values)
        for value, how, channel in zip(sample.values, quality, channels, strict=True):
            assert how is Quality.OK or (value is None and how is Quality.MISSING), channel.name
            if value is not None and channel.low is not None and channel.high is not None:
                assert channel.low <= value <= channel.high, channel.name

    def test_tells_the_channels_that_its_options_declare(self, name: str) -> None:
        proof, bed = PROOFS[name], Bed()
        sensor = opened(proof, bed, proof.part(bed))
        assert [c.name for c in sensor.measures()] == [
            c.name for c in find(name).declare(options_of(proof))
        ]
        assert find(name).varies or sensor.measures() == find(name).channels
        sensor.close()

    def test_on_a_broken_wire_raises_what_the_bus_thread_understands(self, name: str) -> None:
        proof, bed = PROOFS[name], Bed()
        wire = proof.part(bed)
        with pytest.raises(BusError):
            opened(proof, bed, BrokenWire(wire)).read(bed.now_ms)  # type: ignore[arg-type]

    def test_closes_its_wire_and_may_be_closed_twice(self, name: str) -> None:
        proof, bed = PROOFS[name], Bed()
        wire = proof.part(bed)
        sensor = opened(proof, bed, wire)
        sensor.close()
        sensor.close()
        assert wire.closed

    def test_never_logs_starts_threads_or_catches_everything(self, name: str) -> None:
        source = inspect.getsource(inspect.getmodule(find(name)))  # type: ignore[arg-type]
        for word in ("import logging", "import threading", "print(", "except Exception"):
            assert word not in source


@pytest.mark.parametrize("name", ON_A_BUS)
@pytest.mark.parametrize("action", ["nack", "hang", "vanish"])
def test_of_a_part_that_is_gone_there_is_no_value_for_long(name: str, action: str) -> None:
    proof, bed = PROOFS[name], Bed()
    wire = proof.part(bed)
    sensor = opened(proof, bed, wire)
    play(bed, wire, sensor, proof.every_ms)
    wire.instrument.act(action, bed.now_ns)
    with pytest.raises(DriverError):
        played_on(proof, bed, wire, sensor)
    sensor.close()
    wire.instrument.act("return", bed.now_ns)
    bed.sleep(POWERED_S)
    assert played(proof, bed, wire).values


@pytest.mark.parametrize("name", CHECKED)
def test_of_noise_no_value_is_made_where_the_wire_has_a_checksum(name: str) -> None:
    proof, bed = PROOFS[name], Bed()
    wire = proof.part(bed)
    sensor = opened(proof, bed, wire)
    play(bed, wire, sensor, proof.every_ms)
    wire.instrument.act("garbage", bed.now_ns)
    with pytest.raises(DriverError):
        played_on(proof, bed, wire, sensor)
    sensor.close()


@pytest.mark.parametrize("name", TALKERS)
def test_what_talks_by_itself_tells_events_when_it_is_fed(name: str) -> None:
    proof, bed = PROOFS[name], Bed()
    sensor = opened(proof, bed, proof.part(bed))
    talker: Talker = sensor
    assert isinstance(talker, Talker)
    assert all(isinstance(event, Event) for event in talker.feed(bed.now_ms))
    sensor.close()
