"""Every driver behind a gate that can hold or refuse its calls, beside a neighbour.

The drivers are the real ones, on fake wires. Each bus has a thread of its own, and time is in the
test's hand: the neighbour's turn must end in every step, whatever the bus at fault is doing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from drivers.bme280 import BME280, BME280Options
from drivers.health import Health, HealthOptions
from drivers.loop import Loop, LoopOptions
from drivers.pms5003 import PMS5003, PMS5003Options
from drivers.pulse import Pulse, PulseOptions
from drivers.sdm import SDM230, SDMOptions
from drivers.sht4x import SHT4x, SHT4xOptions
from drivers.state import State, StateOptions
from edgenode.driver import Driver
from edgenode.errors import BusError
from edgenode.reading import Group, Quality
from edgenode.sensing import BusWorker, Job
from tests.drivers.test_bme280 import TRIM_HIGH, TRIM_LOW, results
from tests.drivers.test_sht4x import ANSWERS
from tests.support.boards import WHOLE, FakeTree
from tests.support.fake_i2c import FakeBME280
from tests.support.fake_line import FakeLine, FakeState
from tests.support.fake_sensirion import FakeSensirion
from tests.support.fake_serial import FakeSerial
from tests.support.meters import SINGLE, THREE, metered
from tests.support.pms5003 import frame
from tests.support.sensing import Bench

STEP_MS = 100
PATH, STABLE, ELSEWHERE = "port0", "by-id", "port1"
WAIT_S = 10.0
UNGATED = {"fileno", "close", "clock"}  # nothing of these goes over the wire
BAD = frozenset(Quality) - {Quality.OK, Quality.SETTLING}


class Site:
    """What is plugged in where; calls over a wire pass `passed`."""

    def __init__(self) -> None:
        self.plugged: dict[str, Callable[[], Any]] = {}  # what makes a wire to the part
        self.links: dict[str, str] = {}
        self.wires: list[tuple[Any, Callable[[], Any]]] = []  # ever opened, and to what
        self.spoil: Callable[[Any], None] | None = None
        self.hangs = False
        self.inside, self.release = threading.Event(), threading.Event()

    def opened(self, name: str) -> Gate:
        path = self.links.get(name, name)
        if path not in self.plugged:
            raise BusError(f"{path}: no such port")
        wire = self.plugged[path]()
        if self.spoil:
            self.spoil(wire)
        self.wires.append((wire, self.plugged[path]))
        return Gate(wire, self)

    def there(self) -> list[Any]:
        """Return the open wires whose part is plugged in."""
        parts = self.plugged.values()
        return [wire for wire, part in self.wires if part in parts and not wire.closed]

    def passed(self, wire: Any) -> None:
        if self.hangs:
            self.inside.set()
            self.release.wait(30)
        if not any(wire is other for other in self.there()):
            raise BusError("fake: the wire is gone")


class Gate:
    """A wire that is reached through its site."""

    def __init__(self, wire: Any, site: Site) -> None:
        self._wire, self._site = wire, site

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._wire, name)
        if not callable(found) or name in UNGATED:
            return found

        def gated(*args: Any, **kwargs: Any) -> Any:
            self._site.passed(self._wire)
            return found(*args, **kwargs)

        return gated


@dataclass(frozen=True)
class Kind:
    """A wire with a part on it: how it is made, opened, spoils and is exchanged."""

    cls: type[Driver]
    plug: Callable[[], Any]
    open: Callable[[Any], Driver]
    step: Callable[[Any, int], None] = lambda *_: None  # what the part does by itself, and when
    garbage: Callable[[Any], None] | None = None
    other: Callable[[], Any] | None = None  # another part at its place


NOISE = b"\x42\x00noise"


def noise(wire: Any) -> None:
    wire.memory[0x88:] = b"\xff" * (256 - 0x88)


def another_chip() -> FakeBME280:
    chip = FakeBME280(TRIM_LOW, TRIM_HIGH, results())
    chip.memory[0xD0] = 0x58
    return chip


def flipped(wire: Any) -> None:
    for command, answer in wire.answers.items():
        wire.answers[command] = bytes(byte ^ 0x10 for byte in answer)


def babble(wire: Any) -> None:
    wire.parts = [lambda _: b"\x55" * 60]


KINDS = {
    "bme280": Kind(
        BME280,
        lambda: FakeBME280(TRIM_LOW, TRIM_HIGH, results()),
        lambda wire: BME280(wire, BME280Options(), sleep=lambda _: None),
        garbage=noise,
        other=another_chip,
    ),
    "sht4x": Kind(
        SHT4x,
        lambda: FakeSensirion(ANSWERS),
        lambda wire: SHT4x(wire, SHT4xOptions(), sleep=lambda _: None),
        garbage=flipped,
        other=lambda: FakeSensirion({b"\x89": bytes(6)}),
    ),
    "pms5003": Kind(
        PMS5003,
        lambda: FakeSerial(frame(7, 8, 9)),
        lambda wire: PMS5003(wire, PMS5003Options(), clock=wire.clock),
        step=lambda wire, _: wire.say(getattr(wire, "speech", frame(7, 8, 9))),
        garbage=lambda wire: vars(wire).update(speech=NOISE, coming=[NOISE]),
        other=lambda: FakeSerial(*[frame(7, length=36)] * 3),
    ),
    "sdm": Kind(
        SDM230,
        lambda: metered(SINGLE)[0],
        lambda wire: SDM230(wire, SDMOptions()),
        garbage=babble,
        other=lambda: metered(THREE)[0],
    ),
    "pulse": Kind(
        Pulse,
        FakeLine,
        lambda wire: Pulse(wire, PulseOptions(line=1)),
        step=lambda wire, _: wire.pulse(),
    ),
    "loop": Kind(
        Loop,
        FakeLine,
        lambda wire: Loop(wire, LoopOptions(line=1)),
        step=lambda wire, now_ms: wire.edge(now_ms),
    ),
    "state": Kind(
        State,
        FakeState,
        lambda wire: State(wire, StateOptions(line=1)),
        step=lambda wire, now_ms: wire.change(now_ms),
    ),
    "health": Kind(
        Health,
        lambda: FakeTree(dict(WHOLE), works=True),
        lambda wire: Health(wire, HealthOptions()),
        garbage=lambda wire: wire.files.update(dict.fromkeys(wire.files, "\x00?")),
    ),
}
ALL = sorted(KINDS)


class Rig:
    """The bus at fault, its neighbour, and the clock of both."""

    def __init__(self, kind: str, name: str = PATH) -> None:
        self.kind, self.site = KINDS[kind], Site()
        self.bench = Bench()  # the neighbour
        self.clock, self.sink = self.bench.clock, self.bench.sink
        self.faulty = self._worker("faulty", self._job(name))
        self.neighbour = self._worker("neighbour", self.bench.job(1, STEP_MS))
        self.threads = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self.turn: Future[int] | None = None
        self.steps = 0

    def _worker(self, name: str, job: Job) -> BusWorker:
        return BusWorker(name, [job], self.sink, self.clock, threading.Event())

    def _job(self, name: str) -> Job:
        named = (replace(c, name=f"s9/{c.name}") for c in self.kind.cls.channels)
        opener = lambda: self.kind.open(self.site.opened(name))  # noqa: E731 - one expression
        return Job("s9", Group(9, tuple(named)), opener, 1000, stamp_ms=50)

    def plug(self, path: str = PATH, part: Callable[[], Any] | None = None) -> None:
        make = part or self.kind.plug
        self.site.plugged[path] = lambda: make()  # noqa: PLW0108 - another part each time

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds * 1000 / STEP_MS)):
            if not self.site.hangs:
                for wire in self.site.there():
                    self.kind.step(wire, self.clock.boot_ms())
            self._step()
            self.clock.advance(STEP_MS)

    def _step(self) -> None:
        faulty, neighbour = self.threads
        if self.turn is None or self.turn.done():
            self.turn = faulty.submit(self.faulty.turn)
        if not self.site.hangs:
            self.turn.result(WAIT_S)
        while not self.turn.done() and not self.site.inside.wait(0.001):
            """Its calls end, or it is seen to hang."""
        neighbour.submit(self.neighbour.turn).result(WAIT_S)
        self.faulty.check()
        self.steps += 1

    @property
    def state(self) -> str:
        return self.faulty.stats().sensors[0].state

    @property
    def reason(self) -> int | None:
        return self.faulty.stats().sensors[0].reason

    def codes(self) -> list[int]:
        return [event.code for _, gid, event in self.sink.events if gid == 9]

    def nothing_good_since(self, t_ms: int) -> bool:
        """Whether no row of the bus at fault since then has a number that passes for good."""
        rows = [sample for at_ms, sample in self.sink.of(9) if at_ms > t_ms]
        return all(sample.quality and all(q in BAD for q in sample.quality) for sample in rows)

    def close(self) -> None:
        """Let everybody go, and hold the neighbour to what it promised."""
        self.site.hangs = False
        self.site.release.set()
        if self.turn:
            self.turn.result(WAIT_S)
        for thread in self.threads:
            thread.shutdown()
        stats = self.neighbour.stats()
        assert (stats.lateness_ms_p99, stats.sensors[0].missed) == (0, 0)
        assert stats.sensors[0].reads == len(self.sink.of(1)) == self.steps
        assert [gid for _, gid, _ in self.sink.events if gid == 1] == []
