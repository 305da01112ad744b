"""Things, Datastreams and data arrays at a SensorThings service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edgenode.cityos.export.drain import Drain
from edgenode.cityos.export.places import Places
from edgenode.cityos.export.sensorthings import MAX_OBSERVATIONS, SensorThings
from edgenode.cityos.export.state import State
from edgenode.cityos.export.web import Client, target
from edgenode.cityos.operate.continuity import Part, Succession, record
from edgenode.cityos.outbox import Outbox
from edgenode.cityos.sink import Sink
from edgenode.reading import Channel, Quality
from tests.support.exporting import Waits
from tests.support.sensorthings import Service, sensorthings
from tests.support.told import SEOUL, START, Node

PM25 = Channel("pm25", "ug/m3", -1, observed="AirQualityObserved/pm25", model="SPS30")
NAME = "a1b2c3d4e5f6/air/pm25 [ug/m3]"
FIRST, SECOND = "2026-11-18T11:06:41.000Z", "2026-11-18T11:06:42.000Z"


@pytest.fixture
def service() -> Iterator[Service]:
    with sensorthings() as service:
        yield service


def export(sink: Sink, service: Service) -> State:
    """Drain the outbox with a fresh exporter, as after a restart."""
    places, state, waits = Places(sink), State(sink, "sensorthings"), Waits()
    client = Client(target(service.url), waits, lambda _: None)
    exporter = SensorThings(client, places, state, lambda: START)
    try:
        outbox = Outbox(sink, "sensorthings")
        Drain(outbox, places, exporter, lambda _: None).run(waits, once=True)
    finally:
        client.close()
    return state


@pytest.mark.parametrize("bodies", [True, False])
def test_a_node_becomes_a_thing_and_a_channel_a_datastream(
    sink: Sink, service: Service, *, bodies: bool
) -> None:
    service.bodies = bodies
    Node(sink, {"air": (PM25,)}).say("air", (1_000, [12.5]), (2_000, [13.0]))
    export(sink, service)
    (thing,) = service.sets["Things"].values()
    assert thing["name"] == "edgenode a1b2c3d4e5f6"
    assert thing["description"] == "Seoul, City Hall"
    (place,) = service.sets["Locations"].values()
    assert place["location"]["geometry"]["coordinates"] == [126.9779, 37.5663]
    (stream,) = service.sets["Datastreams"].values()
    assert stream["unitOfMeasurement"] == {
        "name": "microgram per cubic metre", "symbol": "ug/m3", "definition": "ucum:ug/m3",
    }  # fmt: skip
    assert stream["Sensor"]["description"] == "SPS30"
    assert stream["ObservedProperty"]["definition"].endswith("AirQualityObserved/schema.json#/pm25")
    assert service.observed(NAME) == [(FIRST, 12.5), (SECOND, 13.0)]


def test_what_is_there_is_found_and_not_made_again(sink: Sink, service: Service) -> None:
    node = Node(sink, {"air": (PM25,)})
    for t in (1_000, 2_000):
        node.say("air", (t, [12.5]))
        export(sink, service)
    assert len(service.sets["Things"]) == len(service.sets["Datastreams"]) == 1
    assert service.observed(NAME) == [(FIRST, 12.5), (SECOND, 12.5)]


def test_a_node_that_is_moved_gets_another_location(sink: Sink, service: Service) -> None:
    node = Node(sink, {"air": (PM25,)})
    node.say("air", (1_000, [12.5]))
    export(sink, service)
    node.stand({**SEOUL, "latitude": 37.6})
    node.say("air", (2_000, [12.5]))
    export(sink, service)
    (thing,) = service.sets["Things"].values()
    (number,) = thing["Locations"]
    assert service.sets["Locations"][number]["location"]["geometry"]["coordinates"][1] == 37.6


def test_what_was_replaced_stays_the_same_thing_with_another_datastream(
    sink: Sink, service: Service
) -> None:
    old, heir = (
        Node(sink, {"air": (PM25,)}),
        Node(sink, {"air": (PM25,)}, bytes.fromhex("0badcafe")),
    )
    old.say("air", (1_000, [12.5]))
    record(sink, Succession(Part(old.node), Part(heir.node), START + 1_500))
    heir.say("air", (2_000, [13.0]))
    export(sink, service)
    assert len(service.sets["Things"]) == 1
    assert service.observed("0badcafe/air/pm25 [ug/m3]") == [(SECOND, 13.0)]


def test_without_coordinates_a_place_has_none(sink: Sink, service: Service) -> None:
    Node(sink, {"air": (PM25,)}, site=None).say("air", (1_000, [12.5]))
    export(sink, service)
    (place,) = service.sets["Locations"].values()
    assert place["location"]["geometry"] is None


def test_requests_are_bounded_and_lose_nothing_while_the_service_is_ill(
    sink: Sink, service: Service
) -> None:
    count = MAX_OBSERVATIONS + 200
    node = Node(sink, {"air": (PM25,)})
    node.say("air", *[(t, [1.0]) for t in range(1_000, count * 1_000 + 1, 1_000)])
    service.ills.extend([503, 500])
    state = export(sink, service)
    assert len(service.observed(NAME)) == count
    assert service.requests.count("POST /v1.1/CreateObservations") == 2
    assert state.refused() == []


def test_a_reading_without_a_number_has_no_observation(sink: Sink, service: Service) -> None:
    Node(sink, {"air": (PM25,)}).say("air", (1_000, [Quality.FAULT]), (2_000, [13.0]))
    export(sink, service)
    assert service.observed(NAME) == [(SECOND, 13.0)]


def test_an_observation_that_is_an_error_is_kept_aside(sink: Sink, service: Service) -> None:
    Node(sink, {"air": (PM25,)}).say("air", (1_000, [12.5]), (2_000, [13.0]))
    service.errors = {12.5}
    (kept,) = export(sink, service).refused()
    assert kept.what == "a1b2c3d4e5f6/air/pm25 #0"
    assert kept.body == f'[["{FIRST}", 12.5]]'
    assert service.observed(NAME) == [(SECOND, 13.0)]


def test_a_datastream_that_is_refused_keeps_its_own_readings_aside(
    sink: Sink, service: Service
) -> None:
    Node(sink, {"air": (PM25,)}).say("air", (1_000, [12.5]))
    service.ills.extend([400, 400])  # the Thing, so that there is no Datastream
    (kept,) = export(sink, service).refused()
    assert "its Datastream: 400 ill" in kept.reason
