"""What a worker left behind is known to the next one, over a reload, a restart and a reboot."""

from __future__ import annotations

from dataclasses import replace

from edgenode.node.before import Before, Stuck
from edgenode.reading import EventCode, Rung
from edgenode.sensing import SensorStats, WorkerStats
from edgenode.spool import Begun

AIR = SensorStats("air", "ok", None, "", 10, 0, 0, 1, 990)
BUS = WorkerStats(
    "i2c1", stuck=False, times_stuck=0, lateness_ms_p50=1, lateness_ms_p99=3, sensors=(AIR,)
)
BUSES = {"air": "i2c1", "roof": "i2c1", "flow": "meters"}


def begun(code: EventCode, name: str | None, epoch: int = 3) -> Begun:
    return Begun(code, name, None, epoch, 1_000)


def test_what_was_told_is_told_the_end_of_by_the_next_daemon() -> None:
    before = Before()
    told = [
        begun(EventCode.SENSOR_LOST, "air"),
        begun(EventCode.BUS_STUCK, "roof"),
        begun(EventCode.BUS_STUCK, "flow", epoch=2),
        begun(EventCode.SENSOR_LOST, "gone"),
        begun(EventCode.BUS_STUCK, "gone"),
        begun(EventCode.LEAK_SUSPECTED, "flow/volume"),
        begun(EventCode.LINK_LOST, None),
    ]
    before.recall(told, BUSES, epoch=3)
    assert before.lost == {"air"}
    assert before.stuck == {
        "i2c1": Stuck(Rung.RESTART, "roof"),
        "meters": Stuck(Rung.REBOOT, "flow"),
    }


def test_a_worker_that_leaves_says_how_it_leaves_its_bus() -> None:
    before = Before()
    lost = replace(AIR, state="lost")
    stuck = {"i2c1": Stuck(Rung.REOPEN, "air")}
    before.remember(replace(BUS, stuck=True, told_of="air", sensors=(lost,)))
    assert (before.lost, before.stuck) == ({"air"}, stuck)
    before.remember(replace(BUS, told_of="air", sensors=(replace(AIR, state="faulty"),)))
    assert (before.lost, before.stuck) == ({"air"}, stuck)
    before.remember(BUS)
    assert (before.lost, before.stuck) == (set(), {})
