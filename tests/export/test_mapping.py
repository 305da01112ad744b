"""Which entity, attribute and unit a channel becomes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edgenode.cityos.sink import Sink
from edgenode.reading import Channel
from tests.support.exporting import Export
from tests.support.ngsild import Broker
from tests.support.schemas import mistakes
from tests.support.told import Node

Make = Callable[[], Export]


def urn(model: str, *parts: str) -> str:
    return ":".join(("urn:ngsi-ld", model, "a1b2c3d4e5f6", *parts))


@pytest.mark.parametrize(
    ("channel", "value", "entity", "attribute", "told", "code"),
    [
        (("pressure", "Pa", "WeatherObserved/atmosphericPressure"), 101_325.0,
         "WeatherObserved", "atmosphericPressure", 1013.25, "A97"),
        (("humidity", "%RH", "WeatherObserved/relativeHumidity"), 50.5,
         "WeatherObserved", "relativeHumidity", 0.505, "C62"),
        (("occupancy", "%", "TrafficFlowObserved/occupancy"), 12.5,
         "TrafficFlowObserved", "occupancy", 0.125, "C62"),
        (("no2", "[ppb]", "AirQualityObserved/no2"), 21.0, "AirQualityObserved", "no2", 21.0, "61"),
        (("wind_speed", "km/h", "WeatherObserved/windSpeed"), 36.0,
         "WeatherObserved", "windSpeed", 10.0, "MTS"),
        (("flow", "1/h", "TrafficFlowObserved/intensity"), 360.0,
         "TrafficFlowObserved", "intensity", 360.0, "H10"),
        (("energy", "GJ", "SmartMeteringObservation/totalConsumption"), 7.5,
         "SmartMeteringObservation", "totalConsumption", 7.5, "GV"),
    ],
)  # fmt: skip
def test_a_value_is_in_the_unit_that_its_model_wants(
    sink: Sink, broker: Broker, export: Make, channel: tuple[str, str, str], value: float,
    entity: str, attribute: str, told: float, code: str,
) -> None:  # fmt: skip
    name, unit, observed = channel
    Node(sink, {"s": (Channel(name, unit, -1, observed=observed),)}).say("s", (1_000, [value]))
    export().run()
    found = broker.entities[urn(entity, "s")]
    assert (found[attribute]["value"], found[attribute]["unitCode"]) == (told, code)
    assert mistakes(found) == []


@pytest.mark.parametrize(
    ("channel", "value"),
    [
        (
            ("no2", "[ppb]", "AirQualityObserved/no2"),
            -3.0,
        ),  # a cell's noise; the schema has no room
        (("humidity", "%RH", "WeatherObserved/relativeHumidity"), 104.0),
        (("pm25", "ppm", "AirQualityObserved/pm25"), 3.0),  # a unit of another dimension
        (("gust", "m/s", "WeatherObserved/gusts"), 3.0),  # nobody knows this property
        (("lux", "lx", ""), 3.0),
    ],
)
def test_what_no_model_has_room_for_becomes_a_measurement_of_the_device(
    sink: Sink, broker: Broker, export: Make, channel: tuple[str, str, str], value: float
) -> None:
    name, unit, observed = channel
    Node(sink, {"s": (Channel(name, unit, -1, observed=observed),)}).say("s", (1_000, [value]))
    export().run()
    found = broker.entities[urn("DeviceMeasurement", "s", name)]
    assert found["numValue"]["value"] == value
    assert found["controlledProperty"]["value"] == name
    assert mistakes(found) == []


def test_without_a_place_no_entity_is_made_that_must_have_one(
    sink: Sink, broker: Broker, export: Make
) -> None:
    channels = (
        Channel("pm25", "ug/m3", -1, observed="AirQualityObserved/pm25"),
        Channel("flow", "1/h", observed="TrafficFlowObserved/intensity"),
    )
    Node(sink, {"s": channels}, site=None).say("s", (1_000, [1.0, 2.0]))
    export().run()
    assert urn("AirQualityObserved", "s") not in broker.entities
    assert broker.value(urn("DeviceMeasurement", "s", "pm25"), "numValue") == 1.0
    assert broker.value(urn("TrafficFlowObserved", "s"), "intensity") == 2.0


def test_each_direction_has_an_entity_of_its_own(sink: Sink, broker: Broker, export: Make) -> None:
    channels = [
        Channel(f"vehicles_{way}", "count", observed="TrafficFlowObserved/intensity")
        for way in ("toward", "away")
    ]
    Node(sink, {"radar": channels}).say("radar", (1_000, [5, 7]))
    export().run()
    assert broker.value(urn("TrafficFlowObserved", "radar", "toward"), "intensity") == 5
    assert broker.value(urn("TrafficFlowObserved", "radar", "away"), "intensity") == 7
    away = broker.value(urn("TrafficFlowObserved", "radar", "away"), "alternateName")
    assert away == "radar away"


def test_vehicles_are_counted_within_the_period_that_ends_at_their_stamp(
    sink: Sink, broker: Broker, export: Make
) -> None:
    counted = Channel(
        "vehicles", "count", observed="TrafficFlowObserved/intensity", period_ms=60_000
    )
    Node(sink, {"gate": (counted,)}).say("gate", (61_000, [5]), (121_000, [6]))
    export().run()
    name = urn("TrafficFlowObserved", "gate")
    assert broker.value(name, "dateObservedFrom") == "2026-11-18T11:07:41.000Z"
    assert broker.value(name, "dateObservedTo") == "2026-11-18T11:08:41.000Z"
    assert broker.evolution[name].keys() == {"intensity"}
    assert mistakes(broker.entities[name]) == []


def phased(*phases: int) -> list[Channel]:
    return [
        Channel(f"power_l{n}", "W", 0, observed="ACMeasurement/activePower") for n in phases
    ] + [Channel("power", "W", 0, observed="ACMeasurement/activePower")]


def test_three_phases_are_one_value_and_their_sum_another(
    sink: Sink, broker: Broker, export: Make
) -> None:
    Node(sink, {"meter": phased(1, 2, 3)}).say("meter", (1_000, [10, -20, 30, 20]))
    export().run()
    name = urn("ThreePhaseAcMeasurement", "meter")
    assert broker.value(name, "activePower") == {"L1": 10, "L2": -20, "L3": 30}
    assert broker.value(name, "totalActivePower") == 20


def test_a_meter_of_one_phase_says_so(sink: Sink, broker: Broker, export: Make) -> None:
    channels = [*phased(), Channel("voltage", "V", -1, observed="ACMeasurement/phaseVoltage")]
    Node(sink, {"meter": channels}).say("meter", (1_000, [-20, 231.5]))
    export().run()
    name = urn("ACMeasurement", "meter")
    assert broker.value(name, "phaseType") == "singlePhase"
    assert broker.value(name, "totalActivePower") == -20
    assert broker.value(name, "phaseVoltage") == {"L1": 231.5}
    assert mistakes(broker.entities[name]) == []


def test_of_two_channels_that_observe_the_same_the_first_has_the_attribute(
    sink: Sink, broker: Broker, export: Make
) -> None:
    channels = [
        Channel(name, "Cel", -1, observed="WeatherObserved/temperature")
        for name in ("temperature", "temperature_2")
    ]
    Node(sink, {"s": channels}).say("s", (1_000, [20.0, 30.0]))
    export().run()
    assert broker.value(urn("WeatherObserved", "s"), "temperature") == 20.0
    assert broker.value(urn("DeviceMeasurement", "s", "temperature_2"), "numValue") == 30.0


def test_the_health_of_a_node_stays_with_its_operator(
    sink: Sink, broker: Broker, export: Make
) -> None:
    node = Node(sink, {"health": (Channel("cpu_busy", "%", 0),)})
    node.say("health", (1_000, [7]), stream=2)
    assert export().run() == 0
    assert broker.entities == {}
