"""A meter exchanged in a power cut: the total in the batches goes on, and the break is told."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from edgenode.reading import EventCode
from edgenode.sensing import ChannelRules, MeterRules, SensorRules
from edgenode.sensing.job import Job
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.runner import Runner
from edgenode.sensing.totals import UNKNOWN_MS, ResetReason
from edgenode.sensing.watch import Watch
from edgenode.wire import Rows
from tests.support.clock import FakeClock
from tests.support.sites import Site
from tests.support.spools import account, kill, opened

RULES = SensorRules({"energy": ChannelRules(meter=MeterRules(modulus=100_000, register=True))})
COMMIT_MS = 5_000


class Node:
    """The meter of a `Site` over the real spool, which a power cut leaves as its files are."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.clock = directory, FakeClock()
        self.site = Site(RULES)
        self.boot()

    def boot(self) -> None:
        groups = {1: self.site.group}
        self.spool = opened(self.directory, self.clock, groups=groups)
        job = Job("s1", self.site.group, self.site._opened, 1000, stamp_ms=50, rules=RULES)
        watch = Watch(self.spool, self.clock)
        self.runner = Runner(job, self.spool, self.clock, watch, Lateness())

    def read(self, energy: float) -> None:
        """Read once, and let the spool commit."""
        self.site.energy = energy
        self.clock.advance(max(0, self.runner.schedule.due_ms - self.clock.boot))
        self.runner.serve(self.clock.boot_ms())
        self.clock.advance(COMMIT_MS)
        self.spool.step()

    def power_cut(self) -> None:
        kill(self.spool)
        self.clock.reboot()
        self.boot()


def test_the_total_in_the_batches_goes_on_over_power_cuts_and_exchanges(tmp_path: Path) -> None:
    node = Node(tmp_path)
    for number, energies in (
        ("E0047", (99_990.0, 99_999.5)),
        ("E0047", (0.5, 1.0)),  # rolled over
        ("E0048", (500.0, 501.0)),  # exchanged for one that shows more
        ("E0048", (502.0,)),
    ):
        node.site.number = number
        node.power_cut()
        for energy in energies:
            node.read(energy)
    told = account(node.spool)
    events = [event for batch in told.batches for event in batch.events]
    resets = [event.value for event in events if event.code == EventCode.COUNTER_RESET]
    assert resets == [
        (9_999_950, 50, UNKNOWN_MS, ResetReason.ROLLED_OVER),
        (100, 50_000, UNKNOWN_MS, ResetReason.EXCHANGED),
    ]
    batches = sorted((b for b in told.batches if b.stream == 0), key=lambda batch: batch.r0)
    groups = [group for batch in batches for group in batch.groups if isinstance(group, Rows)]
    totals = [value for group in groups for value in group.columns[1] or ()]
    registers = [value for group in groups for value in group.columns[2] or ()]
    assert all(before <= after for before, after in pairwise(totals))
    assert totals[-1] == 10_000_300, "in steps of 10 Wh"
    assert registers[-1] == 50_200
