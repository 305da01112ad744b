"""One simulated node: its clock, its sensors, its spool and its uplink, and what befalls it."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import NamedTuple, cast

from edgenode import __version__
from edgenode.fleet.clocks import SkewedClock
from edgenode.fleet.custody import Tally, Watched
from edgenode.fleet.ledger import Ledger
from edgenode.fleet.loop import Loop, Seat, now_ms
from edgenode.fleet.plan import Plan
from edgenode.fleet.played import PlayedSpool, PlayedUplink
from edgenode.fleet.sensors import SHIFT, sensors
from edgenode.reading import Event
from edgenode.spool import SpoolOptions
from edgenode.uplink import UplinkOptions
from edgenode.uplink.outbox import Outbox
from edgenode.wire import About, encode

CAP_BYTES = 16 << 20
FAREWELL_MS = 800  # as the daemon's
DEAD_MS = 3_000  # how long a node that was killed takes to start again
STEP_MS = 1_000  # a spool is looked at so often at least
SITE = {"name": "Simulated", "purpose": "Load test: nothing is sensed"}


class _Life(NamedTuple):
    """A node from its start to its end, or to a kill."""

    spool: PlayedSpool
    uplink: PlayedUplink
    seat: Seat


class Node:
    """A node in a loop. All times of its readings are those of its own clock."""

    def __init__(self, plan: Plan, index: int, loop: Loop, ledger: Ledger, tally: Tally) -> None:
        self.index = index
        self.id = plan.node(index)
        self.most_late_ms = 0  # of a read, since it was last asked
        self._plan = plan
        self._loop = loop
        self._ledger = ledger
        self._tally = tally
        self._name = self.id.hex()
        self._chance = Random(f"{plan.run} {index}")  # noqa: S311 - plays, keeps no secret
        self._sensors = sensors(plan.channels, plan.every_ms)
        self._row = index * SHIFT
        self._clock = SkewedClock(self._chance, plan.clock_error_ms, f"{self._name} boot")
        self._life: _Life | None = None
        self._making = True
        self._down = False
        self._slot = 0  # when it reads next, boot-time ms

    def start(self) -> None:
        """Open the spool, begin to read and to dial."""
        groups = {sensor.group.gid: sensor.group for sensor in self._sensors}
        spool = PlayedSpool(self._spool_options(), groups, self._clock)
        spool.begin(self.id, groups, self._name)
        uplink = self._dialling(spool)
        self._life = life = _Life(spool, uplink, Seat(self._loop, uplink.turns, self._serve))
        if self._down:
            uplink.cut()
        self._slot = self._clock.boot_ms() + self._chance.randrange(self._plan.every_ms)
        if not self._making:
            self.finish()
        self._plan_read(life)

    def _spool_options(self) -> SpoolOptions:
        plan = self._plan
        return SpoolOptions(
            (plan.spools or plan.directory / "spools") / self._name,
            cap_bytes=CAP_BYTES,
            commit_interval_ms=plan.commit_ms,
            window_ms=plan.window_ms,
            offline_window_ms=plan.offline_window_ms,
            custody=plan.custody,
            pregrow=False,
        )

    def _dialling(self, spool: PlayedSpool) -> PlayedUplink:
        plan, city = self._plan, self._plan.custody == "city"
        watch = partial(
            Watched, clock=self._clock, every_ms=plan.every_ms, width=plan.channels,
            tally=self._tally, city=city,
        )  # fmt: skip
        boxes = [cast("Outbox", watch(box)) for box in (spool.outbox, *spool.drains)]
        options = UplinkOptions(
            node=self.id,
            brokers=plan.brokers,
            custody=plan.custody,
            prefix=plan.prefix,
            farewell_ms=FAREWELL_MS,
        )
        about = encode(About(self.id, SITE, firmware=f"edgenode {__version__}"))
        return PlayedUplink(options, spool, boxes, about, self._clock, self._report, self._tally)

    def _report(self, event: Event) -> None:
        if self._life is not None:
            self._life.spool.event(self._clock.boot_ms(), None, event)

    # --- reading ---

    def _plan_read(self, life: _Life) -> None:
        wait_ms = self._slot - self._clock.boot_ms()
        self._loop.at(now_ms() + max(0, min(wait_ms, STEP_MS)), partial(self._due, life))

    def _due(self, life: _Life) -> None:
        if life is not self._life:
            return
        if not self._making:
            self._slot = self._clock.boot_ms() + STEP_MS
            life.spool.settle()
        elif self._clock.boot_ms() >= self._slot:
            self._read(life.spool)
        life.spool.serve()
        self._plan_read(life)

    def _read(self, spool: PlayedSpool) -> None:
        """Read all sensors, stamped with the slot that they were due in."""
        late_ms = self._clock.boot_ms() - self._slot
        self.most_late_ms = max(self.most_late_ms, late_ms)
        utc = self._clock.true_ms() - late_ms
        for sensor in self._sensors:
            made = sensor.rows[self._row % len(sensor.rows)]
            spool.append(sensor.group.gid, self._slot, made.sample)
            self._ledger.made(self._name, spool.epoch, self._slot, utc, sensor.name, made.text)
        self._tally.made += self._plan.channels
        self._row += 1
        self._slot += self._plan.every_ms

    def _serve(self) -> None:
        """Let the spool do at once what the uplink's turn has called for."""
        if self._life is not None and self._life.spool.woken:
            self._life.spool.serve()

    # --- what befalls it ---

    def cut(self) -> None:
        """Take its link away."""
        self._down = True
        if self._life is not None:
            self._life.uplink.cut()
            self._life.seat.wake()

    def mend(self) -> None:
        """Give its link back."""
        self._down = False
        if self._life is not None:
            self._life.uplink.mend()

    def kill(self) -> None:
        """End it as a power cut of the process would, and start it again a little later."""
        if self._life is None:
            return
        (spool, uplink, seat), self._life = self._life, None
        self._ledger.killed(self._name, spool.epoch, self._clock.boot_ms())
        uplink.drop("killed")
        seat.abandon()
        spool.kill()
        self._loop.at(now_ms() + DEAD_MS, self.start)

    # --- the end ---

    def finish(self) -> None:
        """Read nothing more, and seal what there is."""
        self._making = False
        if self._life is not None:
            self._life.spool.flush()
            self._life.spool.serve()

    def leave(self) -> None:
        """Say goodbye to the broker."""
        if self._life is not None:
            self._life.seat.stop()

    @property
    def left(self) -> bool:
        """Whether the goodbye is over."""
        return self._life is None or self._life.seat.over

    def close(self) -> None:
        """Close the spool; call it once, at the end."""
        if self._life is not None:
            self._life.spool.close()

    # --- figures ---

    @property
    def alive(self) -> bool:
        return self._life is not None

    @property
    def connected(self) -> bool:
        return self._life is not None and self._life.uplink.connected

    @property
    def waiting(self) -> int:
        """How much is not acknowledged for good; 1 while it is dead."""
        return 1 if self._life is None else self._life.spool.waiting()

    @property
    def backlog(self) -> int:
        return 0 if self._life is None else self._life.spool.backlog()

    @property
    def degraded(self) -> str:
        return "" if self._life is None else self._life.spool.degraded
