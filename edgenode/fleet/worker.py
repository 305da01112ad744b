"""One process of a fleet: its share of the nodes in one loop, told about once a second."""

from __future__ import annotations

import resource
import signal
from contextlib import suppress
from multiprocessing.connection import Connection
from random import Random
from typing import Final, NamedTuple

from edgenode.fleet.custody import Tally
from edgenode.fleet.ledger import Ledger
from edgenode.fleet.loop import Loop, now_ms
from edgenode.fleet.node import Node
from edgenode.fleet.plan import LEDGER, Plan

TELL_MS: Final = 1_000
LOOK_MS: Final = 100
FILES_EACH: Final = 12  # descriptors of a node
FILES_MORE: Final = 200
FLAP_S: Final = (2.0, 20.0)  # how long an outage of one node lasts
HOUR_MS: Final = 3_600_000
START, FINISH, LEAVE = "start", "finish", "leave"  # what the fleet orders


class Told(NamedTuple):
    """What one process tells; counts are since its start, latencies since it last told."""

    nodes: int = 0
    started: int = 0
    connected: int = 0
    made: int = 0
    broker_acked: int = 0
    city_acked: int = 0
    attempts: int = 0
    sessions: int = 0
    backlog: int = 0
    waiting: int = 0
    making: int = 0  # 1 until the order to finish
    sent_bytes: int = 0
    received_bytes: int = 0
    late_ms: int = 0  # the latest read since it last told
    degraded: str = ""  # what is wrong with one of its spools
    puback: dict[int, int] = {}  # noqa: RUF012 - never changed
    live: dict[int, int] = {}  # noqa: RUF012 - the same
    late: dict[int, int] = {}  # noqa: RUF012 - the same


def work(plan: Plan, worker: int, orders: Connection) -> None:
    """Run a share of the fleet until the order to leave, or until who gives orders is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the fleet, which ends us in order
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _allow_files(len(plan.mine(worker)))
    share = Share(plan, worker, orders)
    try:
        share.run()
    finally:
        share.close()


def _allow_files(nodes: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(most, nodes * FILES_EACH + FILES_MORE)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


class Share:
    """The nodes of one process."""

    def __init__(self, plan: Plan, worker: int, orders: Connection) -> None:
        self._plan = plan
        self._orders = orders
        self._loop = Loop()
        self._ledger = Ledger(plan.directory / LEDGER)
        self._tally = Tally()
        self.nodes = [
            Node(plan, index, self._loop, self._ledger, self._tally) for index in plan.mine(worker)
        ]
        self._chance = Random(f"{plan.run} worker {worker}")  # noqa: S311 - plays only
        self._making = True
        self._leaving = False

    def run(self) -> None:
        """Say that we are there, and do what is ordered."""
        self._look()
        self._tell()
        self._loop.run()

    def _start(self) -> None:
        """Start the nodes within the ramp, each at a moment of its own; plan what befalls them."""
        now, plan = now_ms(), self._plan
        for node in self.nodes:
            self._loop.at(now + round(self._chance.uniform(0, plan.ramp_s) * 1000), node.start)
        if plan.outage is not None:
            begin = now + round(plan.outage.at_s * 1000)
            for node in self.nodes:
                self._loop.at(begin, node.cut)
                self._loop.at(begin + round(plan.outage.for_s * 1000), node.mend)
        self._plan_flaps(now, round(plan.seconds * 1000))
        self._plan_kills(now, round(plan.ramp_s * 1000), round(plan.seconds * 1000))

    def _plan_flaps(self, now: int, ends_ms: int) -> None:
        for node in self.nodes:
            at = self._until_flap()
            while at < ends_ms:
                for_ms = round(self._chance.uniform(*FLAP_S) * 1000)
                self._loop.at(now + at, node.cut)
                self._loop.at(now + at + for_ms, node.mend)
                at += for_ms + self._until_flap()

    def _plan_kills(self, now: int, first_ms: int, ends_ms: int) -> None:
        plan = self._plan
        kills = Random(f"{plan.run} kills").sample(range(plan.nodes), plan.kills)  # noqa: S311 - plays
        for node in self.nodes:
            if node.index in kills:
                at = self._chance.randint(first_ms, max(first_ms, ends_ms - 1_000))
                self._loop.at(now + at, node.kill)

    def _until_flap(self) -> int:
        per_h = self._plan.flaps_per_h
        return round(self._chance.expovariate(per_h / HOUR_MS)) if per_h else 1 << 62

    def _look(self) -> None:
        """Take orders."""
        try:
            while self._orders.poll():
                self._obey(self._orders.recv())
        except (EOFError, OSError):  # nobody is there to give any
            self._loop.stop()
            return
        if self._leaving and all(node.left for node in self.nodes):
            self._loop.stop()
            return
        self._loop.at(now_ms() + LOOK_MS, self._look)

    def _obey(self, order: str) -> None:
        if order == START:
            self._start()
        elif order == FINISH:
            self._making = False
            for node in self.nodes:
                node.mend()
                node.finish()
            self._ledger.flush()
        elif order == LEAVE:
            self._leaving = True
            for node in self.nodes:
                node.leave()

    def _tell(self) -> None:
        self._ledger.flush()
        with suppress(OSError):
            self._orders.send(self._told())
        self._loop.at(now_ms() + TELL_MS, self._tell)

    def _told(self) -> Told:
        nodes, tally = self.nodes, self._tally
        late = max((node.most_late_ms for node in nodes), default=0)
        for node in nodes:
            node.most_late_ms = 0
        return Told(
            nodes=len(nodes),
            started=sum(node.alive for node in nodes),
            connected=sum(node.connected for node in nodes),
            made=tally.made,
            broker_acked=tally.broker_acked,
            city_acked=tally.city_acked,
            attempts=tally.attempts,
            sessions=tally.sessions,
            backlog=sum(node.backlog for node in nodes),
            waiting=sum(node.waiting for node in nodes),
            making=int(self._making),
            sent_bytes=tally.sent_bytes,
            received_bytes=tally.received_bytes,
            late_ms=late,
            degraded=next((node.degraded for node in nodes if node.degraded), ""),
            puback=tally.puback.take(),
            live=tally.live.take(),
            late=tally.late.take(),
        )

    def close(self) -> None:
        """Close every spool."""
        for node in self.nodes:
            node.close()
        self._ledger.close()
        self._loop.close()
        self._orders.close()
