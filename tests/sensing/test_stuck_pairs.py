"""bus-stuck has one bus-recovered, whoever told of it and however many workers came between."""

from __future__ import annotations

import pytest

from edgenode.bus.levers import Outcome
from edgenode.errors import BadFrame, BusError, BusStuck
from edgenode.reading import EventCode, Rung, Sample
from edgenode.sensing import Since
from edgenode.sensing.ladder import HUNG_MS
from edgenode.sensing.rungs import Tally
from tests.sensing.test_relief import Hung
from tests.support.levers import Rig

PAIR = (EventCode.BUS_STUCK, EventCode.BUS_RECOVERED)


def pairs(rig: Rig) -> list[tuple[int, object]]:
    return [(e.code, e.value) for _, _, e in rig.sink.events if e.code in PAIR]


@pytest.mark.parametrize("rung", [Rung.REOPEN, Rung.RESTART, Rung.REBOOT])
def test_a_bus_that_answers_a_new_worker_was_got_back_by_what_was_done_since(rung: Rung) -> None:
    rig = Rig(since_stuck=Since(rung, 2))
    assert rig.worker.stats().held
    rig.run(5_000)
    assert pairs(rig) == [(EventCode.BUS_RECOVERED, rung)]
    assert not rig.worker.stats().held
    rig.run(60_000)
    assert len(pairs(rig)) == 1


def test_nonsense_is_an_answer_too() -> None:
    rig = Rig(since_stuck=Since(Rung.RESTART, 2))
    rig.fail(BadFrame("checksum"))
    rig.run(5_000)
    assert pairs(rig) == [(EventCode.BUS_RECOVERED, Rung.RESTART)]


def test_a_bus_that_is_still_stuck_is_not_told_of_again_and_its_end_once() -> None:
    rig = Rig(since_stuck=Since(Rung.RESTART, 2))
    rig.fail(BusStuck("SDA is held low"))
    rig.run(60_000)
    assert pairs(rig) == []
    assert rig.worker.stats().held
    rig.fail(None)
    rig.run(60_000)
    assert pairs(rig) == [(EventCode.BUS_RECOVERED, Rung.RESTART)]


def test_what_helps_the_new_worker_is_told_in_place_of_what_was_done_before() -> None:
    rig = Rig("power", since_stuck=Since(Rung.RESTART, 2))
    rig.fail(BusStuck("SDA is held low"))
    rig.levers.effects["power"] = rig.heal
    rig.run(60_000)
    assert pairs(rig) == [(EventCode.BUS_RECOVERED, Rung.POWER)]


def test_a_bus_that_is_stuck_once_more_is_a_pair_of_its_own() -> None:
    rig = Rig(since_stuck=Since(Rung.RESTART, 2))
    rig.run(5_000)
    rig.fail(BusStuck("SDA is held low"))
    rig.run(10_000)
    rig.fail(None)
    rig.run(60_000)
    assert pairs(rig) == [
        (EventCode.BUS_RECOVERED, Rung.RESTART),
        (EventCode.BUS_STUCK, None),
        (EventCode.BUS_RECOVERED, Rung.REOPEN),
    ]


def test_a_call_that_hangs_on_a_wire_that_was_told_of_tells_nothing_more() -> None:
    rig = Rig(since_stuck=Since(Rung.RESTART, 2))
    rig.other.error = BusStuck("SDA is held low")

    def hangs(now_ms: int) -> Sample:
        rig.clock.advance(6_000)
        assert rig.worker.check()
        raise BusStuck("SDA is held low")

    usual, rig.bench.sample = rig.bench.sample, hangs  # type: ignore[method-assign]
    rig.run(60_000)
    assert rig.worker.stats().times_stuck > 1
    assert pairs(rig) == []
    rig.bench.sample = usual  # type: ignore[method-assign]
    rig.fail(None)
    rig.run(120_000)
    assert pairs(rig) == [(EventCode.BUS_RECOVERED, Rung.RESTART)]


def test_power_that_frees_a_hanging_call_of_a_held_bus_is_counted_once() -> None:
    hung = Hung("power", since_stuck=Since(Rung.RESTART, 9))
    hung.levers.effects["power"] = hung.let_go
    hung.bench.clock.advance(HUNG_MS)
    assert hung.worker.relieve()
    hung.thread.join(5)
    hung.relieved()
    hung.worker.turn()
    told = [(e.code, e.value) for _, _, e in hung.bench.sink.events if e.code in PAIR]
    assert told == [(EventCode.BUS_RECOVERED, Rung.POWER)]
    assert hung.worker.stats().rungs["power"] == Tally(1, 1)


def test_the_end_is_told_of_the_sensor_that_the_beginning_was_told_of() -> None:
    rig = Rig()
    rig.other.error = BusStuck("SDA is held low")
    rig.bench.error = BusError("no acknowledge")
    rig.run(30_000)
    rig.bench.error = None  # the first to answer is another one
    rig.run(60_000)
    told = [(gid, e.code) for _, gid, e in rig.sink.events if e.code in PAIR]
    assert told == [(2, EventCode.BUS_STUCK), (2, EventCode.BUS_RECOVERED)]
    later = Rig(since_stuck=Since(Rung.REBOOT, 2))
    later.run(5_000)
    assert [gid for _, gid, e in later.sink.events if e.code in PAIR] == [2]


def test_silence_alone_has_no_pair() -> None:
    rig = Rig("power")
    rig.fail(BusError("no acknowledge"))
    rig.levers.effects["power"] = lambda: Outcome(done=False, words="permission denied")
    rig.run(60_000)
    rig.fail(None)
    rig.run(60_000)
    assert pairs(rig) == []
