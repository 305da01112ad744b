"""What stands at a node by its own events: which end is the end of which beginning."""

from __future__ import annotations

import pytest

from edgenode.cityos import wording
from edgenode.cityos.city import City
from edgenode.cityos.operate.nodes import fleet
from edgenode.cityos.operate.troubles import troubles
from edgenode.cityos.sink import Sink
from edgenode.reading import EventCode
from edgenode.wire import WireEvent
from tests.support.operated import T0, Fielded, take

SILENCE = 100 * 86_400_000
NOW = T0 + 60_000
MONTH = 30 * 86_400_000
AIR = 7 * 256 + 255  # the whole sensor
EXCEEDED, CLEARED = EventCode.LIMIT_EXCEEDED, EventCode.LIMIT_CLEARED
DEGRADED, RECOVERED = EventCode.SPOOL_DEGRADED, EventCode.SPOOL_RECOVERED


@pytest.fixture
def node(city: City) -> Fielded:
    one = Fielded("a1b2c3d4e5f6")
    take(city, one.birth())
    return one


def told(city: City, node: Fielded, *events: tuple[EventCode, int | None]) -> None:
    """Tell events of the node, a second apart, each in a batch of its own."""
    for n, (code, value) in enumerate(events, 1):
        take(city, node.tell(WireEvent(n * 1_000, None, code, value)))


def wrong(sink: Sink, now: int = NOW) -> list[str]:
    [one] = fleet(sink, now)
    return [x.what for x in troubles(one, now, SILENCE)]


def test_a_limit_that_was_cleared_says_nothing_of_another(
    city: City, sink: Sink, node: Fielded
) -> None:
    told(city, node, (EXCEEDED, 1), (EXCEEDED, 2), (CLEARED, 1))
    assert wrong(sink) == ["limit exceeded: month-bytes"]


def test_a_limit_that_is_exceeded_again_stands_whatever_was_cleared_before(
    city: City, sink: Sink, node: Fielded
) -> None:
    told(city, node, (EXCEEDED, 1), (CLEARED, 1), (EXCEEDED, 1), (EXCEEDED, 2), (CLEARED, 2))
    assert wrong(sink) == ["limit exceeded: day-bytes"]


def test_a_limit_of_a_sensor_ends_whatever_the_values_say(
    city: City, sink: Sink, node: Fielded
) -> None:
    take(city, node.tell(WireEvent(1_000, AIR, EXCEEDED, 40), WireEvent(1_500, None, EXCEEDED, 1)))
    assert wrong(sink) == ["limit exceeded: air", "limit exceeded: day-bytes"]
    take(city, node.tell(WireEvent(2_000, AIR, CLEARED, 38)))
    assert wrong(sink) == ["limit exceeded: day-bytes"]


def test_each_reason_of_a_degraded_spool_stands_until_its_own_end(
    city: City, sink: Sink, node: Fielded
) -> None:
    told(city, node, (DEGRADED, 1), (DEGRADED, 2), (DEGRADED, 135), (RECOVERED, 2))
    assert wrong(sink) == [
        "spool degraded: a broker refuses what it sends (135)", "spool degraded: disk-full",
    ]  # fmt: skip
    take(city, node.tell(WireEvent(9_000, None, RECOVERED, 135)))
    assert wrong(sink) == ["spool degraded: disk-full"]


def test_an_end_without_a_value_is_that_of_every_reason_of_the_disk(
    city: City, sink: Sink, node: Fielded
) -> None:
    told(city, node, *((DEGRADED, reason) for reason in (1, 2, 3, 151, None)), (RECOVERED, None))
    assert wrong(sink) == ["spool degraded: a broker refuses what it sends (151)"]
    take(city, node.tell(WireEvent(9_000, None, DEGRADED, 3)))
    assert "spool degraded: io-error" in wrong(sink)


def test_an_end_by_its_value_is_none_of_what_began_later(
    city: City, sink: Sink, node: Fielded
) -> None:
    told(city, node, (RECOVERED, None), (RECOVERED, 1), (DEGRADED, 1))
    assert wrong(sink) == ["spool degraded: disk-full"]


@pytest.mark.parametrize("reason", [4, 5, 6, 8])
def test_what_happened_to_a_spool_is_shown_for_a_month_and_ended_by_nothing(
    city: City, sink: Sink, node: Fielded, reason: int
) -> None:
    told(city, node, (DEGRADED, reason), (RECOVERED, reason), (RECOVERED, None))
    expected = [f"spool degraded: {wording.degraded(reason)}"]
    assert wrong(sink, T0 + 1_000 + MONTH) == expected
    assert wrong(sink, T0 + 1_001 + MONTH) == []


@pytest.mark.parametrize("reason", [1, 2, 3, 9, 128, 135])
def test_what_lasts_at_a_spool_is_shown_until_it_ends(
    city: City, sink: Sink, node: Fielded, reason: int
) -> None:
    told(city, node, (DEGRADED, reason))
    assert wrong(sink, T0 + 2 * MONTH) == [f"spool degraded: {wording.degraded(reason)}"]
    take(city, node.tell(WireEvent(9_000, None, RECOVERED, reason)))
    assert wrong(sink, T0 + 2 * MONTH) == []


def test_a_sensor_that_was_found_is_lost_no_more_whatever_the_reason_was(
    city: City, sink: Sink, node: Fielded
) -> None:
    for t, reason in ((1_000, 1), (2_000, 4)):
        take(city, node.tell(WireEvent(t, AIR, EventCode.SENSOR_LOST, reason)))
    assert wrong(sink) == ["sensor lost: air"]
    take(city, node.tell(WireEvent(3_000, AIR, EventCode.SENSOR_FOUND)))
    assert wrong(sink) == []


def test_what_is_left_of_the_life_of_a_sensor_is_told_as_a_number(
    city: City, sink: Sink, node: Fielded
) -> None:
    take(city, node.tell(WireEvent(1_000, AIR, EventCode.SENSOR_END_OF_LIFE, (90,))))
    assert wrong(sink) == ["sensor end of life (90 %): air"]
