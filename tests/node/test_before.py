"""What a worker left behind is known to the next one, over a reload, a restart and a reboot."""

from __future__ import annotations

from dataclasses import replace

from edgenode.node.before import Before
from edgenode.reading import Rung
from edgenode.sensing import SensorStats, WorkerStats
from edgenode.spool import Condition, Moment

AIR = SensorStats("air", "ok", None, "", 10, 0, 0, 1, 990)
BUS = WorkerStats(
    "i2c1", stuck=False, times_stuck=0, lateness_ms_p50=1, lateness_ms_p99=3, sensors=(AIR,)
)


def entry(key: str, epoch: int, *, over: bool = False) -> Condition:
    began = Moment(epoch, 1_000, None)
    return Condition(key, "was wrong", began, began if over else None)


def test_what_the_log_holds_open_is_told_the_end_of_by_the_next_daemon() -> None:
    before = Before()
    before.recall(
        [
            entry("sensor air", 3),
            entry("sensor roof", 3, over=True),
            entry("bus i2c1", 3),
            entry("bus meters", 2),
            entry("bus dust", 3, over=True),
            entry("bus i2c1 lever", 3),
            entry("uplink", 3),
        ],
        epoch=3,
    )
    assert before.lost == {"air"}
    assert before.stuck["i2c1"] is Rung.RESTART
    assert before.stuck["meters"] is Rung.REBOOT
    assert "dust" not in before.stuck


def test_a_worker_that_leaves_says_how_it_leaves_its_bus() -> None:
    before = Before()
    lost = replace(AIR, state="lost")
    before.remember(replace(BUS, stuck=True, sensors=(lost,)))
    assert (before.lost, before.stuck) == ({"air"}, {"i2c1": Rung.REOPEN})
    before.remember(replace(BUS, held=True, sensors=(replace(AIR, state="faulty"),)))
    assert (before.lost, before.stuck) == ({"air"}, {"i2c1": Rung.REOPEN})
    before.remember(BUS)
    assert (before.lost, before.stuck) == (set(), {})
