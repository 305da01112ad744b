"""The run of a fleet: processes started, told what to do, watched, and ended whatever happens."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from edgenode.errors import NodeError
from edgenode.fleet.ledger import Ledger
from edgenode.fleet.plan import LEDGER, Plan
from edgenode.fleet.real import Real
from edgenode.fleet.second import Load, Pace, Second, quantiles
from edgenode.fleet.sensors import sensors
from edgenode.fleet.watch import Watch, families, listeners, receivers
from edgenode.fleet.worker import FINISH, LEAVE, START, Told, work

READY_S: Final = 60.0  # for a busy machine to start a process
LOOK_S: Final = 0.5
ASK_S: Final = 5.0
LEAVE_S: Final = 5.0  # for the goodbyes of all nodes of a process


class Outcome(NamedTuple):
    """How a run ended. `settled`: everything was acknowledged in time."""

    settled: bool
    settle_s: float
    last: Second
    attempts: tuple[int, ...]  # in each second of the run
    latencies: Mapping[str, int | None]  # of the whole run, named as those of a Second


def _port(url: str) -> int | None:
    """Return the port of a database's URL, wherever it stands in it; None where none does."""
    parts = urlsplit(url)
    named = parse_qs(parts.query).get("port", [""])[0]
    return int(named) if named.isdecimal() else parts.port


class _Worker:
    """One process, and what it told last."""

    def __init__(self, plan: Plan, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.orders, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=work, args=(plan, number, theirs), name=f"fleet-{number}", daemon=True
        )
        self.process.start()
        theirs.close()
        self.told: list[Told] = []

    def hear(self) -> None:
        """Take in what it tells; raises NodeError when it is gone."""
        try:
            while self.orders.poll():
                self.told.append(self.orders.recv())
        except (EOFError, OSError):
            self.process.join(1)
            raise NodeError(
                f"a process of the fleet ended with code {self.process.exitcode}; "
                "what it said stands above"
            ) from None

    def take(self) -> Told:
        """Return what it told last; latencies of what was not taken yet are in it too."""
        told, self.told = self.told, self.told[-1:]
        last = told[-1]
        self.told = [last._replace(puback={}, live={}, late={})]
        return last._replace(
            puback=_sum([one.puback for one in told]),
            live=_sum([one.live for one in told]),
            late=_sum([one.late for one in told]),
        )

    def order(self, word: str) -> None:
        try:
            self.orders.send(word)
        except OSError:
            return  # it is gone, which `hear` tells

    def end(self) -> None:
        """Let it leave, and insist."""
        self.order(LEAVE)
        self.process.join(LEAVE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.orders.close()


def _sum(counts: list[dict[int, int]]) -> dict[int, int]:
    total: dict[int, int] = {}
    for one in counts:
        for bucket, count in one.items():
            total[bucket] = total.get(bucket, 0) + count
    return total


class Fleet:
    """A run of `plan`; `city` names the receiver's sink, where it is known. Use it as a context."""

    def __init__(self, plan: Plan, city: Path | str | None = None) -> None:
        self.real = Real(plan)
        self._plan = plan
        self._city = city
        self._workers: list[_Worker] = []
        self._stack = ExitStack()
        self._asked = 0.0  # when the daemons were asked, and how many were connected
        self._connected = 0
        self._pace = Pace(city=plan.custody == "city")

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._end)
            self._plan.directory.mkdir(parents=True, exist_ok=True)
            if self._plan.real:
                stack.enter_context(self.real)
            ledger = Ledger(self._plan.directory / LEDGER)
            ledger.sensors(sensors(self._plan.channels, self._plan.every_ms))
            ledger.close()
            processes = self._plan.processes if self._plan.nodes else 0
            for number in range(processes):
                self._workers.append(_Worker(self._plan, number))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _end(self) -> None:
        for worker in self._workers:
            worker.order(LEAVE)
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def run(self, tell: Callable[[Second], None]) -> Outcome:
        """Make readings for as long as planned, then wait until all are acknowledged.

        Raises NodeError when a process ends before its time.
        """
        self._wait_ready()
        self._watches = self._watched()
        self._began = self._looked = time.monotonic()
        second = self._go_on(self._plan.seconds, tell, lambda _: False)
        for worker in self._workers:
            worker.order(FINISH)
        self.real.stop()
        finished = time.monotonic()
        second = self._go_on(
            self._plan.settle_s, tell, lambda second: not (second.making or second.waiting)
        )
        drained = self.real.drain(self._plan.settle_s)
        return Outcome(
            not second.waiting and drained,
            time.monotonic() - finished,
            second,
            tuple(self._pace.attempts),
            quantiles(self._pace.kinds),
        )

    def _wait_ready(self) -> None:
        """Let all processes begin together, when each has said that it is there."""
        until = time.monotonic() + READY_S
        while not all(worker.told for worker in self._workers):
            self._listen(LOOK_S)
            if time.monotonic() > until:
                raise NodeError(f"not all processes of the fleet are ready after {READY_S:g} s")
        for worker in self._workers:
            worker.order(START)

    def _watched(self) -> dict[str, Watch]:
        ports = {broker.port for broker in self._plan.brokers}
        found = {
            "nodes": Watch(lambda: [worker.process.pid or 0 for worker in self._workers]),
            "broker": Watch(lambda: listeners(ports)),
        }
        if self._plan.real:
            found["real"] = Watch(self.real.pids)
        city = self._city
        if city is not None:
            found["receiver"] = Watch(lambda: receivers(city))
        if isinstance(city, str) and (port := _port(city)):
            found["database"] = Watch(lambda: families(listeners([port])))
        return found

    def _go_on(
        self, seconds: float, tell: Callable[[Second], None], enough: Callable[[Second], bool]
    ) -> Second:
        """Tell each second until it is enough, or so many seconds are over."""
        until = time.monotonic() + seconds
        while True:
            second = self._next()
            tell(second)
            if enough(second) or time.monotonic() >= until:
                return second

    def _next(self) -> Second:
        """Wait until each process told something new, a second at least."""
        due = self._looked + 1.0
        while (left := due - time.monotonic()) > 0:
            self._listen(left)
        told = [worker.take() for worker in self._workers if worker.told]
        now = time.monotonic()
        took, self._looked = now - self._looked, now
        load = {
            name: Load(*found)
            for name, watch in self._watches.items()
            if (found := watch.look(took)) is not None
        }
        return self._pace.second(now - self._began, told, self._real_connected(now), load)

    def _real_connected(self, now: float) -> int:
        """Ask the daemons now and then: each answers for a millisecond or two of its own."""
        if self._plan.real and now - self._asked >= ASK_S:
            self._asked = now
            self._connected = self.real.connected()
        return self._connected

    def _listen(self, seconds: float) -> None:
        """Take in what processes tell within this time."""
        if not self._workers:
            time.sleep(seconds)
            return
        ready = wait([worker.orders for worker in self._workers], seconds)
        for worker in self._workers:
            if worker.orders in ready:
                worker.hear()
