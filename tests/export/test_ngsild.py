"""What a context broker is told, when, and what happens where it is down or says no."""

from __future__ import annotations

from collections.abc import Callable

from edgenode.cityos.export.models import CORE
from edgenode.cityos.operate.continuity import Part, Succession, record
from edgenode.cityos.sink import Sink
from edgenode.reading import Channel, Kind, Privacy, Quality
from tests.support.exporting import Export
from tests.support.ngsild import TEMPORAL, UPSERT, Broker
from tests.support.told import SEOUL, START, Node

PM25 = Channel("pm25", "ug/m3", -1, observed="AirQualityObserved/pm25")
AIR = {"air": (PM25,)}
ID = "urn:ngsi-ld:AirQualityObserved:a1b2c3d4e5f6:air"
DEVICE = "urn:ngsi-ld:Device:a1b2c3d4e5f6:air"
FIRST, SECOND, THIRD = (f"2026-11-18T11:06:4{n}.000Z" for n in (1, 2, 3))

Make = Callable[[], Export]


def stamps(broker: Broker, entity: str, attribute: str) -> list[str]:
    return [one["observedAt"] for one in broker.evolution.get(entity, {}).get(attribute, [])]


def test_an_attribute_says_value_unit_time_and_quality(
    sink: Sink, broker: Broker, export: Make
) -> None:
    Node(sink, AIR).say("air", (1_000, [12.5]))
    export().run()
    assert broker.entities[ID]["pm25"] == {
        "type": "Property",
        "value": 12.5,
        "unitCode": "GQ",
        "observedAt": FIRST,
        "quality": {"type": "Property", "value": "ok"},
    }
    assert broker.value(ID, "dateObserved") == FIRST
    assert broker.value(ID, "location") == {"type": "Point", "coordinates": [126.9779, 37.5663]}
    assert broker.value(ID, "name") == "Seoul, City Hall"
    assert broker.value(ID, "dataProvider") == "City of Seoul"
    assert broker.entities[ID]["refDevice"]["object"] == DEVICE
    assert broker.entities[ID]["@context"][-1] == CORE


def test_of_a_batch_the_newest_is_upserted_and_the_older_ones_become_history(
    sink: Sink, broker: Broker, export: Make
) -> None:
    Node(sink, AIR).say("air", (1_000, [1.0]), (2_000, [2.0]), (3_000, [3.0]))
    export().run()
    assert broker.value(ID, "pm25") == 3.0
    assert stamps(broker, ID, "pm25") == [FIRST, SECOND]
    assert "dateObserved" not in broker.evolution[ID]


def test_what_comes_late_never_replaces_what_is_newer(
    sink: Sink, broker: Broker, export: Make
) -> None:
    node = Node(sink, AIR)
    node.say("air", (3_000, [3.0]))
    export().run()
    node.say("air", (1_000, [1.0]), (2_000, [2.0]))
    export().run()
    assert broker.value(ID, "pm25") == 3.0
    assert broker.value(ID, "dateObserved") == THIRD
    assert stamps(broker, ID, "pm25") == [FIRST, SECOND]


def test_without_the_temporal_interface_older_values_are_left_out(
    sink: Sink, broker: Broker, export: Make
) -> None:
    Node(sink, AIR).say("air", (1_000, [1.0]), (2_000, [2.0]))
    export().run(temporal=False)
    assert broker.value(ID, "pm25") == 2.0
    assert [path for path, _ in broker.requests] == [UPSERT]


def test_after_a_crash_before_the_commit_the_same_again_changes_nothing(
    sink: Sink, broker: Broker, export: Make
) -> None:
    Node(sink, AIR).say("air", (1_000, [1.0]))
    one = export()
    one.run()
    one.rewind()
    one.run()
    assert [path for path, _ in broker.requests] == [UPSERT]
    assert broker.value(ID, "pm25") == 1.0


def test_an_answer_that_is_lost_makes_the_same_be_sent_again(
    sink: Sink, broker: Broker, export: Make
) -> None:
    Node(sink, AIR).say("air", (1_000, [1.0]))
    broker.after.extend([0])
    export().run()
    assert [path for path, _ in broker.requests] == [UPSERT, UPSERT]
    assert broker.value(ID, "pm25") == 1.0


def test_an_upsert_is_bounded_and_so_is_a_history(sink: Sink, broker: Broker, export: Make) -> None:
    sensors = {f"air{n}": (PM25,) for n in range(70)}
    node = Node(sink, sensors)
    for sensor in list(sensors)[:63]:
        node.say(sensor, (1_000, [1.0]))
    node.say("air69", *[(t, [1.0]) for t in range(1_000, 1_202_000, 1_000)])
    export().run()
    upserts = [count for path, count in broker.requests if path == UPSERT]
    assert max(upserts) == 100
    assert sum(upserts) == 128  # 64 sensors, and as many devices
    assert [path for path, _ in broker.requests].count(TEMPORAL) == 3
    assert len(stamps(broker, f"{ID}69", "pm25")) == 1_200


def test_a_context_of_the_city_replaces_those_of_the_models(
    sink: Sink, broker: Broker, export: Make
) -> None:
    Node(sink, AIR).say("air", (1_000, [1.0]))
    export().run(context=["https://city.example/context.jsonld"])
    assert broker.entities[ID]["@context"] == ["https://city.example/context.jsonld"]


def test_a_reading_without_a_number_is_told_by_the_state_of_its_device(
    sink: Sink, broker: Broker, export: Make
) -> None:
    node = Node(sink, AIR)
    node.say("air", (1_000, [1.0]), (2_000, [Quality.MISSING]))
    export().run()
    assert broker.entities[ID]["pm25"]["observedAt"] == FIRST
    assert broker.value(DEVICE, "deviceState") == "missing"
    assert broker.value(DEVICE, "controlledProperty") == ["airPollution"]
    node.say("air", (3_000, [2.0]))
    export().run()
    assert broker.value(DEVICE, "deviceState") == "ok"
    assert broker.value(DEVICE, "dateLastValueReported") == THIRD


def test_a_channel_that_is_not_open_stays_here_unless_it_is_allowed(
    sink: Sink, broker: Broker, export: Make
) -> None:
    inner = Channel(
        "pm10", "ug/m3", -1, observed="AirQualityObserved/pm10", privacy=Privacy.INTERNAL
    )
    most = Channel("pm1", "ug/m3", -1, observed="AirQualityObserved/pm1", privacy=Privacy.AGGREGATE)
    node = Node(sink, {"air": (PM25, inner, most)})
    node.say("air", (1_000, [1.0, 2.0, 3.0]))
    export().run()
    assert {"pm25", "pm10", "pm1"} & broker.entities[ID].keys() == {"pm25"}
    node.say("air", (2_000, [1.0, 2.0, 3.0]))
    export().run(most_private=Privacy.INTERNAL)
    assert {"pm25", "pm10", "pm1"} & broker.entities[ID].keys() == {"pm25", "pm10"}


def test_a_node_that_is_moved_is_told_at_its_place_with_its_next_reading(
    sink: Sink, broker: Broker, export: Make
) -> None:
    node = Node(sink, AIR)
    node.say("air", (1_000, [1.0]))
    export().run()
    node.stand({**SEOUL, "latitude": 37.6})
    node.say("air", (2_000, [1.0]))
    export().run()
    assert broker.value(ID, "location")["coordinates"] == [126.9779, 37.6]


def test_what_was_replaced_goes_on_as_the_same_entity(
    sink: Sink, broker: Broker, export: Make
) -> None:
    old, heir = Node(sink, AIR), Node(sink, {"dust": (PM25,)}, bytes.fromhex("0badcafe"))
    old.say("air", (1_000, [1.0]))
    export().run()
    record(sink, Succession(Part(old.node), Part(heir.node), START + 1_500))
    record(sink, Succession(Part(old.node, "air"), Part(heir.node, "dust"), START + 1_500))
    heir.say("dust", (1_200, [7.0]), (2_000, [2.0]), (3_000, [3.0]))
    export().run()
    assert broker.value(ID, "pm25") == 3.0
    assert stamps(broker, ID, "pm25") == [SECOND]
    assert broker.entities[ID]["refDevice"]["object"] == "urn:ngsi-ld:Device:0badcafe:dust"
    own = "urn:ngsi-ld:AirQualityObserved:0badcafe:dust"
    assert broker.value(own, "pm25") == 7.0  # before it stood there


def test_totals_grow_at_the_broker_as_they_do_at_the_meter(
    sink: Sink, broker: Broker, export: Make
) -> None:
    total = Channel(
        "volume", "m3", -3, Kind.COUNTER, observed="WaterConsumptionObserved/waterConsumption"
    )
    Node(sink, {"water": (total,)}).say("water", (1_000, [191.0512]))
    export().run()
    found = broker.entities["urn:ngsi-ld:WaterConsumptionObserved:a1b2c3d4e5f6:water"]
    assert found["waterConsumption"]["value"] == 191_051
    assert found["waterConsumption"]["unitCode"] == "LTR"
