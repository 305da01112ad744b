"""How the fleet is: what stands, what is over, and who comes first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgenode.cityos import wording
from edgenode.cityos.city import City
from edgenode.cityos.operate.conditions import ENDLESS
from edgenode.cityos.operate.nodes import Standing, fleet
from edgenode.cityos.operate.recent import first_since
from edgenode.cityos.operate.troubles import troubles
from edgenode.cityos.sink import Sink
from edgenode.cli.citynodes import as_json, as_text
from edgenode.reading import ENDS, EventCode
from edgenode.wire import WireEvent
from tests.support.operated import T0, Fielded, take

SILENCE = 300_000
NOW = T0 + 60_000
AIR = 7 * 256 + 255  # the whole sensor


def kinds(one: Standing, now: int = NOW) -> list[str]:
    return [x.kind for x in troubles(one, now, SILENCE)]


def test_a_node_that_sends_and_tells_nothing_is_well(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    measured = node.batch((1_000,), ((2_150,), (512,)))
    take(city, node.birth(), node.about("Harbour"), measured, node.health(2_000, 2, 4_000, 90))
    [one] = fleet(sink, NOW)
    assert kinds(one) == []
    told = as_json(one, [])
    assert (told["name"], told["presence"], told["bad"]) == ("Harbour", "unknown", False)
    assert told["clock"] == {"source": "ntp", "error_ms": 6}
    assert told["card_life_used_percent"] == 20
    assert told["disk_free_bytes"] == 4e9
    assert told["certificate_left_s"] == 90 * 86_400
    assert told["backlog_batches"] == 0
    assert json.loads(json.dumps(told)) == told


def test_what_an_event_began_stands_until_one_ends_it(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    lost = WireEvent(1_000, AIR, EventCode.SENSOR_LOST, 1)
    take(city, node.birth(), node.tell(lost, WireEvent(1_500, None, EventCode.SPOOL_DEGRADED, 1)))
    [one] = fleet(sink, NOW)
    found = troubles(one, NOW, SILENCE)
    assert [(x.kind, x.since) for x in found] == [
        ("spool-degraded", T0 + 1_500), ("sensor-lost", T0 + 1_000),
    ]  # fmt: skip
    assert found[1].what == "sensor lost: air"
    take(city, node.tell(WireEvent(2_000, AIR, EventCode.SENSOR_FOUND)))
    [one] = fleet(sink, NOW)
    assert kinds(one) == ["spool-degraded"]


def test_a_later_beginning_outlasts_an_earlier_end_whatever_comes_first(
    city: City, sink: Sink
) -> None:
    node = Fielded("a1b2c3d4e5f6")
    first = node.tell(WireEvent(1_000, AIR, EventCode.SENSOR_FOUND))
    second = node.tell(WireEvent(2_000, AIR, EventCode.SENSOR_LOST, 1))
    take(city, node.birth(), second)
    take(city, first)
    [one] = fleet(sink, NOW)
    assert kinds(one) == ["sensor-lost"]


def test_what_was_told_of_a_sensor_that_is_gone_counts_no_more(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    take(city, node.birth(), node.tell(WireEvent(1_000, AIR, EventCode.SENSOR_LOST, 1)))
    node.reload({8: node.groups[8]})
    take(city, node.birth(), node.health(3_000, 2, 4_000, 90))
    [one] = fleet(sink, NOW)
    assert kinds(one) == []


@pytest.mark.parametrize(
    ("used", "free", "left", "kind"),
    [
        (8, 4_000, 90, "card-worn"), (2, 150, 90, "disk-low"), (2, 4_000, 29, "certificate"),
        (2, 4_000, -1, "certificate"),
    ],
)  # fmt: skip
def test_wear_and_certificates_are_told_in_time(
    city: City, sink: Sink, used: int, free: int, left: int, kind: str
) -> None:
    node = Fielded("a1b2c3d4e5f6")
    take(city, node.birth(), node.health(2_000, used, free, left))
    [one] = fleet(sink, NOW)
    assert kinds(one) == [kind]


def test_a_node_that_reports_no_certificate_shows_none(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    take(city, node.birth(), node.batch((1_000,), ((2_150,), (512,))))
    [one] = fleet(sink, NOW)
    assert as_json(one, [])["certificate_left_s"] is None
    assert kinds(one) == []


def test_clocks_that_nothing_vouches_for_or_that_err_are_told(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    take(city, node.birth(), node.batch((1_000,), ((2_150,), (512,)), err=1_500))
    [one] = fleet(sink, NOW)
    assert kinds(one) == ["clock-error"]


def test_backlog_counts_what_the_node_holds_and_not_what_is_lost(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    take(city, node.birth(), node.batch((1_000,), ((1,), (1,))))
    node.lose(40, batches=20)
    take(city, node.batch((9_000,), ((1,), (1,))))
    [one] = fleet(sink, NOW)
    assert one.backlog == 20
    assert kinds(one) == ["backlog"]


def test_the_worst_node_is_silent_and_a_well_one_comes_last(city: City, sink: Sink) -> None:
    silent, well = Fielded("a1b2c3d4e5f6"), Fielded("b1b2c3d4e5f6")
    take(city, silent.birth(), silent.batch((1_000,), ((1,), (1,))))
    take(city, well.birth(), well.batch((900_000,), ((1,), (1,))))
    now = T0 + 910_000
    found = {one.node: kinds(one, now) for one in fleet(sink, now)}
    assert found == {silent.node: ["silent"], well.node: []}


def test_a_node_among_others_is_told_as_by_itself(city: City, sink: Sink) -> None:
    """Some never told their birth, some measured nothing, some have another spool or no trouble."""
    for number in range(8):
        name = f"{number:02x}b2c3d4e5f6"
        for spool in (b"spool--1", b"spool--2")[: 1 + number % 2]:
            node = Fielded(name, spool)
            sent = [node.about(name), node.state(number, number, online=number % 3 > 0)]
            if number != 5:
                sent.append(node.birth())
            if number > 2:
                sent.append(node.batch((1_000,), ((number,), (1,))))
                node.lose(2 * number, batches=number)
                sent.append(node.batch((9_000,), ((number,), (1,)), err=number))
            if number != 6:
                sent.append(node.health(2_000, number, 4_000, 90))
                sent.append(node.tell(WireEvent(1_000, AIR, EventCode.SENSOR_LOST, 1)))
            take(city, *sent)
    found = fleet(sink, NOW)
    assert [len(one.conditions) for one in found] == [1, 1, 1, 1, 1, 0, 0, 1]
    assert [one.backlog for one in found] == [0, 0, 0, 3, 4, 5, 6, 7]
    assert [fleet(sink, NOW, [one.node]) for one in found] == [[one] for one in found]
    assert fleet(sink, NOW, [found[6].node, found[1].node]) == [found[6], found[1]]
    assert fleet(sink, NOW, []) == []


def test_bytes_are_those_of_a_day(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    old = node.batch((1_000,), ((1,), (1,)))
    late = node.batch((86_400_000,), ((1,), (1,)))
    take(city, node.birth(), old)
    take(city, late)
    [one] = fleet(sink, T0 + 86_404_000)
    assert one.bytes_day == len(late.payload)
    [one] = fleet(sink, T0 + 60_000)
    assert one.bytes_day == len(old.payload) + len(late.payload)


def test_where_a_time_begins_in_the_sink_is_found_by_bisection(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    assert first_since(sink, T0) == 0
    for i in range(1, 20):
        take(city, node.batch((i * 1_000,), ((1,), (1,))))
    for i in (0, 1, 7, 19):
        first = first_since(sink, T0 + i * 1_000 + 2_000)
        arrivals = sink.db.execute("SELECT min(arrival) FROM raw WHERE id >= ?", (first,))
        assert arrivals.fetchone()[0] == T0 + max(i, 1) * 1_000 + 2_000
    beyond = first_since(sink, T0 + 99_000_000)
    rows = sink.db.execute("SELECT count(*) FROM raw WHERE id >= ?", (beyond,))
    assert rows.fetchone()[0] == 0


def test_a_person_reads_a_line_for_each_node(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    take(city, node.birth(), node.about("Harbour"), node.health(2_000, 9, 4_000, 90))
    [one] = fleet(sink, NOW)
    head, line, total = as_text([(one, troubles(one, NOW, SILENCE))], 1, 1)
    assert head.split("  ")[0] == "node"
    assert "Harbour" in line
    assert "90 % of its card's life is used" in line
    assert total == "1 node, 1 in need of somebody"


def test_every_field_and_every_kind_of_trouble_is_documented(city: City, sink: Sink) -> None:
    text = (Path(__file__).parents[3] / "docs/cli.md").read_text(encoding="utf-8")
    node = Fielded("a1b2c3d4e5f6")
    take(city, node.birth(), node.health(2_000, 12, 4_000, 90))
    [one] = fleet(sink, NOW)
    told = as_json(one, troubles(one, NOW, SILENCE))
    assert told["troubles"]
    for field in (*told, *told["troubles"][0], *told["clock"]):  # type: ignore[index,misc]
        assert f"`{field}" in text, field
    for code in (*ENDS, *ENDLESS):
        assert f"`{wording.event(code)}`" in text, code
