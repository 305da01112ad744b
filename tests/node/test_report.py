import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from edgenode.bus.levers import ClearPins, Levers, PowerPin
from edgenode.cli.status import text
from edgenode.cli.words import span
from edgenode.errors import Reason
from edgenode.health import Condition, Watch
from edgenode.node.documents import status
from edgenode.node.report import LEVER_ADVICE, Picture, conditions, line
from edgenode.sensing import BusWorker, LeverStats, LifeStats, SensorStats, WorkerStats
from edgenode.spool import SpoolStats
from edgenode.uplink import UplinkStats
from tests.support.clock import FakeClock
from tests.support.sensing import FakeSink

MINUTE = 60_000
SENSOR = SensorStats("air", "ok", None, "", 10, 0, 0, 1, 990)
BUS = WorkerStats(
    "wire", stuck=False, times_stuck=0, lateness_ms_p50=1, lateness_ms_p99=3, sensors=(SENSOR,)
)
WELL = Picture(
    now_ms=5 * MINUTE,
    started_ms=0,
    utc_ms=1_795_000_000_000,
    clock=3,
    spool=SpoolStats(spool="00" * 8, cap_bytes=256 << 20, readings=40, commits=3),
    buses=(BUS,),
    uplink=UplinkStats(connected=True, broker="b:8883", protocol="5", sent=4, acked=4),
)


def found(picture: Picture) -> list[str]:
    return [condition.key for condition in conditions(picture)]


def changed(**spool: Any) -> Picture:
    return replace(WELL, spool=replace(WELL.spool, **spool))


def linked(**uplink: Any) -> Picture:
    return replace(WELL, uplink=UplinkStats(**{"connected": True, "broker": "b:8883", **uplink}))


def test_a_node_where_all_works_has_no_conditions() -> None:
    assert found(WELL) == []


def test_a_lost_sensor_and_a_stuck_bus_are_told_with_their_names() -> None:
    lost = replace(SENSOR, state="lost", detail="no acknowledge")
    picture = replace(WELL, buses=(replace(BUS, stuck=True, sensors=(lost,)),))
    assert found(picture) == ["bus wire", "sensor air"]
    assert "no acknowledge" in list(conditions(picture))[1].what


def test_a_lever_that_cannot_be_used_is_told_with_what_to_compare() -> None:
    words = "/dev/gpiochip7 line 3: No such file or directory"
    power = LeverStats("power", 0, 0, 1, words, None, 0, usable=False)
    found_wrong = list(conditions(replace(WELL, buses=(replace(BUS, levers=(power,)),))))
    assert [condition.key for condition in found_wrong] == ["bus wire lever"]
    assert words in found_wrong[0].what
    assert "[bus.power]" in found_wrong[0].advice
    working = replace(power, usable=True)
    assert found(replace(WELL, buses=(replace(BUS, levers=(working,)),))) == []


def test_a_bus_that_was_told_of_as_stuck_is_wrong_until_something_on_it_answers() -> None:
    (condition,) = conditions(replace(WELL, buses=(replace(BUS, held=True),)))
    assert condition.key == "bus wire"
    assert "nothing on it has answered since" in condition.what


def test_a_suspected_leak_is_told_with_its_hours_and_what_to_shut() -> None:
    leaking = replace(SENSOR, leaks_s={"volume": 26.2 * 3600})
    (condition,) = conditions(replace(WELL, buses=(replace(BUS, sensors=(leaking,)),)))
    assert condition.key == "leak air/volume"
    assert "without a pause for 26 h" in condition.what
    assert "shut everything off" in condition.advice


@pytest.mark.parametrize(
    ("hours", "keys"),
    [(899, []), (900, ["life air"]), (999, ["life air"]), (1000, ["life air over"])],
)
def test_a_part_that_is_nearly_used_up_is_told_and_one_that_is_over_as_another_thing(
    hours: float, keys: list[str]
) -> None:
    worn = replace(SENSOR, life=LifeStats("laser", hours, 1000, "2025-01-01"))
    picture = replace(WELL, buses=(replace(BUS, sensors=(worn,)),))
    assert found(picture) == keys
    for condition in conditions(picture):
        assert f"the laser of air has worked {hours} h" in condition.what
        assert ("`installed`" in condition.advice) == (hours >= 1000)


def test_every_kind_of_lever_has_advice() -> None:
    levers = Levers(ClearPins(3, 2), PowerPin(17), "1-1.2")
    worker = BusWorker("b", [], FakeSink(), FakeClock(), threading.Event(), levers=levers)
    assert set(LEVER_ADVICE) == {lever.name for lever in worker.stats().levers}


@pytest.mark.parametrize(
    ("reason", "advice"),
    [(Reason.NO_ANSWER, "plug"), (Reason.WRONG_DEVICE, "marking"), (Reason.BAD_CHECKSUM, "shield")],
)
def test_what_to_do_about_a_lost_sensor_depends_on_why(reason: Reason, advice: str) -> None:
    lost = replace(SENSOR, state="lost", reason=int(reason), detail="x")
    (condition,) = conditions(replace(WELL, buses=(replace(BUS, sensors=(lost,)),)))
    assert advice in condition.advice


def test_a_channel_that_is_doubted_is_told_with_where_to_look() -> None:
    doubted = replace(SENSOR, doubted={"humidity": "stuck"})
    (condition,) = conditions(replace(WELL, buses=(replace(BUS, sensors=(doubted,)),)))
    assert condition.key == "channel air/humidity"
    assert condition.what == "air/humidity cannot be believed: stuck"
    assert condition.advice == "edgenode why air/humidity"


def test_a_sensor_that_only_settles_is_well() -> None:
    settling = replace(SENSOR, state="settling")
    assert found(replace(WELL, buses=(replace(BUS, sensors=(settling,)),))) == []


def test_a_degraded_or_nearly_full_spool_is_told() -> None:
    assert found(changed(degraded="the disk is full")) == ["spool"]
    assert found(changed(used_bytes=220 << 20)) == ["spool full"]
    (short,) = conditions(changed(cap_bytes=40 << 20, cap_short_bytes=200 << 20))
    assert short.what == "the disk has room for 40 MiB of the spool's 240 MiB"


def test_a_card_that_is_worn_too_fast_is_told_once_the_rate_is_steady() -> None:
    busy = changed(written_bytes=300_000_000)
    assert found(busy) == [], "an hour has not passed"
    assert found(replace(busy, now_ms=120 * MINUTE)) == ["card wear"]


def test_a_start_is_no_trouble_but_no_connection_afterwards_is() -> None:
    down = linked(connected=False, last_error="connection refused")
    assert found(replace(down, now_ms=20_000, connect_by_ms=30_000)) == []
    assert found(down) == ["uplink"]
    assert "connection refused" in next(conditions(down)).what


def test_a_city_that_does_not_confirm_is_told_after_a_quarter_of_an_hour() -> None:
    waiting = changed(unconfirmed_batches=3)
    assert found(waiting) == []
    assert found(replace(waiting, now_ms=16 * MINUTE)) == ["city"]
    recent = UplinkStats(connected=True, last_ack_ms=10 * MINUTE)
    assert found(replace(waiting, now_ms=16 * MINUTE, uplink=recent)) == []


def test_a_budget_that_is_spent_is_another_problem_than_one_that_is_nearly() -> None:
    assert found(linked(budget="near")) == ["budget near"]
    assert found(linked(budget="spent")) == ["budget spent"], "so that log and history say when"


def test_refused_batches_and_an_unknown_time_are_told() -> None:
    assert found(linked(set_aside=1)) == ["refused"]
    assert found(replace(WELL, clock=0)) == ["clock"]


def test_what_went_wrong_at_the_start_stays_told() -> None:
    assert found(replace(WELL, notes=(Condition("control", "no socket", "look"),))) == ["control"]


def answered(picture: Picture) -> Any:
    verdict = Watch([], 0).look(conditions(picture), picture.now_ms)
    return json.loads(json.dumps(status("0a1b", picture, verdict, {})))


def test_the_document_is_json_and_holds_what_the_contract_names() -> None:
    answer = answered(WELL)
    assert (answer["format"], answer["health"], answer["clock"]) == (1, "well", "ntp")
    assert answer["buses"][0]["sensors"][0]["state"] == "ok"
    assert answer["spool"]["written_bytes_per_day"] == 0
    assert answer["uplink"]["acked"] == 4


def test_people_read_that_it_is_well_and_since_when() -> None:
    words = "\n".join(text(answered(WELL)))
    assert words.startswith("node 0a1b is WELL since 5 min (up 5 min)")
    assert "1 of 1 sensor on 1 bus answer" in words
    assert "connected to b:8883 (MQTT 5)" in words


def test_people_read_the_wear_of_the_card_as_a_rate_once_it_is_steady() -> None:
    worn = changed(written_bytes=4_000_000)
    assert "4.0 MB to the card since the start" in "\n".join(text(answered(worn)))
    later = replace(worn, now_ms=120 * MINUTE)
    assert "0.048 GB a day to the card" in "\n".join(text(answered(later)))


def test_people_read_what_to_do() -> None:
    lost = replace(SENSOR, state="lost", detail="no acknowledge")
    words = "\n".join(text(answered(replace(WELL, buses=(replace(BUS, sensors=(lost,)),)))))
    assert "! sensor air on bus wire is lost: no acknowledge (for 0 s" in words
    assert "do: check its plug, supply and address" in words


def test_before_the_uplink_is_started_the_document_says_so() -> None:
    picture = replace(WELL, uplink=None)
    assert answered(picture)["uplink"] is None
    assert "not started yet" in "\n".join(text(answered(picture)))


def test_a_node_that_knows_no_broker_says_that_nothing_is_sent_and_what_to_do() -> None:
    picture = replace(WELL, uplink=None, brokers=0)
    words = "\n".join(text(answered(picture)))
    assert found(picture) == ["uplink"]
    assert "no broker is named, so nothing is sent: readings wait in the spool" in words
    assert "do: provision this node, or write a [[uplink.broker]] table" in words
    assert "uplink    none: no broker is named" in words


def test_one_line_is_enough_for_systemctl() -> None:
    well = Watch([], 0).look([], 0)
    assert line(well, WELL).startswith("well: 40 readings taken, 0 batches held, connected to b")
    lost = Watch([], 0).look([Condition("k", "air is lost", "look")], 0)
    assert line(lost, WELL) == "degraded: air is lost"


def test_spans_of_time_are_told_in_two_units() -> None:
    assert [span(s) for s in (0, 59, 61, 3600, 90_061)] == [
        "0 s",
        "59 s",
        "1 min 1 s",
        "1 h",
        "1 d 1 h",
    ]
