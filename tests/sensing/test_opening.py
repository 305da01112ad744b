"""Opening a sensor: the wire its driver needs, and nothing left open when that fails."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from drivers.bme280 import BME280, BME280Options
from drivers.pulse import Pulse, PulseOptions
from edgenode.bus import I2CBus
from edgenode.driver import WireKind
from edgenode.errors import NodeError, WrongDevice
from edgenode.sensing import Wires
from edgenode.virtual import Scenario
from edgenode.virtual.bme280 import Bme280Spec
from edgenode.virtual.pulse import PulseSpec
from tests.support.fake_i2c import FakeI2C
from tests.support.instruments import street
from tests.support.sensing import FakeDriver

SCENARIO = Scenario((Bme280Spec("air"), PulseSpec("meter", line=4)))


def test_each_driver_gets_the_wire_it_asks_for(tmp_path: Path) -> None:
    with street(tmp_path, SCENARIO) as here:
        air = Wires(here.path("i2c")).opener(BME280, BME280Options())()
        meter = Wires(here.path("gpio")).opener(Pulse, PulseOptions(line=4))()
        assert len(air.read(0).values) == len(BME280.channels)
        assert len(meter.read(0).values) == len(Pulse.channels)
        air.close()
        meter.close()


def test_a_sensor_that_refuses_to_open_leaves_its_wire_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = FakeI2C({0xD0: b"\x58"})
    monkeypatch.setattr(I2CBus, "lease", lambda _bus, _address: wire)
    with pytest.raises(WrongDevice):
        Wires("/dev/i2c-1").opener(BME280, BME280Options())()
    assert wire.closed == 1


def test_a_wire_without_an_adapter_is_refused_when_the_node_starts() -> None:
    class OnSpi(FakeDriver):
        wire: ClassVar[WireKind] = "spi"  # type: ignore[assignment]

    with pytest.raises(NodeError, match="no adapter for a spi wire"):
        Wires("/dev/spidev0").opener(OnSpi, BME280Options())
