"""A platform that is down, refuses or fails, and a sink that is away: nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from edgenode.cityos.export.drain import AGAIN_S, Drain
from edgenode.cityos.export.places import Places
from edgenode.cityos.export.web import FIRST_S, LONGEST_S, SUSPECTED, Halted
from edgenode.cityos.outbox import Outbox, Reading
from edgenode.cityos.sink import Sink
from edgenode.cityos.store import SinkAway
from edgenode.errors import CityError
from edgenode.reading import Channel
from tests.support.exporting import Export, Waits
from tests.support.ngsild import Broker
from tests.support.told import Node

PM25 = Channel("pm25", "ug/m3", -1, observed="AirQualityObserved/pm25")
AIR = {"air": (PM25,)}
ID = "urn:ngsi-ld:AirQualityObserved:a1b2c3d4e5f6:air"
FIRST = "2026-11-18T11:06:41.000Z"

Make = Callable[[], Export]


def test_a_broker_that_is_down_is_asked_again_after_growing_waits(
    sink: Sink, broker: Broker, export: Make
) -> None:
    Node(sink, AIR).say("air", (1_000, [1.0]))
    broker.ills.extend([503, 502, 0, 504, 500, 500, 500, 500])
    one = export()
    assert one.run() == 1
    assert broker.value(ID, "pm25") == 1.0
    assert len(one.waits.seconds) == 8
    assert all(s <= FIRST_S * 2**n for n, s in enumerate(one.waits.seconds))
    assert max(one.waits.seconds) <= LONGEST_S
    assert "takes readings again" in one.said[-1]


def test_a_connection_that_ended_while_it_was_idle_is_made_anew_at_once(
    sink: Sink, broker: Broker, export: Make
) -> None:
    Node(sink, AIR).say("air", (1_000, [1.0]), (2_000, [2.0]))
    broker.ends = 1
    one = export()
    one.run()
    assert [one["observedAt"] for one in broker.evolution[ID]["pm25"]] == [FIRST]
    assert one.waits.seconds == []


@pytest.mark.parametrize("status", [401, 403, 404, 415])
def test_what_is_not_the_fault_of_the_data_is_told_once_and_loses_nothing(
    sink: Sink, broker: Broker, export: Make, status: int
) -> None:
    Node(sink, AIR).say("air", (1_000, [1.0]))
    broker.ills.extend([status] * 3)
    one = export()
    one.run()
    assert broker.value(ID, "pm25") == 1.0
    assert one.state.refused() == []
    assert [f" {status}" in text for text in one.said] == [True, False]


def test_stopping_while_a_broker_is_down_keeps_everything_for_the_next_time(
    sink: Sink, broker: Broker, export: Make
) -> None:
    Node(sink, AIR).say("air", (1_000, [1.0]))
    broker.ills.extend([503] * 3)
    one = export()
    one.waits.most = 1
    with pytest.raises(Halted):
        one.run()
    broker.ills.clear()
    assert export().run() == 1
    assert broker.value(ID, "pm25") == 1.0


@pytest.mark.parametrize("whole", [True, False])
def test_one_entity_that_is_refused_is_kept_aside_and_the_others_arrive(
    sink: Sink, broker: Broker, export: Make, *, whole: bool
) -> None:
    sensors = {f"air{n}": (PM25,) for n in range(7)}
    node = Node(sink, sensors)
    for sensor in sensors:
        node.say(sensor, (1_000, [1.0]))
    broker.whole = whole
    broker.poison = {f"{ID}3"}
    one = export()
    one.run()
    assert {f"{ID}{n}" for n in range(7)} - broker.entities.keys() == {f"{ID}3"}
    (kept,) = one.state.refused()
    assert kept.what == f"{ID}3"
    assert "5.6.8.4" in kept.reason
    assert '"value": 1.0' in kept.body
    (alarm,) = sink.db.execute("SELECT kind, detail FROM alarm").fetchall()
    assert alarm[0] == "export-refused"
    assert kept.what in alarm[1]


def test_one_entity_that_the_broker_fails_at_is_kept_aside_and_the_others_arrive(
    sink: Sink, broker: Broker, export: Make
) -> None:
    sensors = {f"air{n}": (PM25,) for n in range(3)}
    node = Node(sink, sensors)
    for sensor in sensors:
        node.say(sensor, (1_000, [1.0]))
    broker.chokes = {f"{ID}1"}
    one = export()
    one.run()
    assert {f"{ID}{n}" for n in range(3)} - broker.entities.keys() == {f"{ID}1"}
    (kept,) = one.state.refused()
    assert (kept.what, kept.reason) == (f"{ID}1", "500 Internal error")


def test_a_broker_that_fails_at_everything_costs_nothing_but_time(
    sink: Sink, broker: Broker, export: Make
) -> None:
    Node(sink, AIR).say("air", (1_000, [1.0]))
    broker.ills.extend([500] * (3 * SUSPECTED))  # its two entities together, and each alone
    one = export()
    with pytest.raises(CityError, match="fails at all it is given"):
        one.run()
    broker.ills.clear()
    one.run()
    assert broker.value(ID, "pm25") == 1.0
    assert one.state.refused() == []


class Unlucky:
    """Fails once as a sink that went away, and takes everything then."""

    def __init__(self) -> None:
        self.taken: list[float | None] = []
        self.tries = 0

    def send(self, readings: Sequence[Reading]) -> None:
        self.tries += 1
        if self.tries == 1:
            raise SinkAway("the sink is not to be had")
        self.taken += [one.value for one in readings]


def test_a_sink_that_goes_away_is_waited_for_and_the_page_is_handed_on_again(sink: Sink) -> None:
    Node(sink, AIR).say("air", (1_000, [1.0]))
    exporter, waits, said = Unlucky(), Waits(most=1), list[str]()
    drain = Drain(Outbox(sink, "unlucky"), Places(sink), exporter, said.append)
    assert drain.run(waits) == 1
    assert exporter.taken == [1.0]
    assert waits.seconds[0] == AGAIN_S
    assert said == ["the sink is not to be had"]
