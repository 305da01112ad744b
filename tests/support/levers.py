"""A bus that is run by hand, with levers that remember who pulled them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from edgenode.bus.levers import Levers, Outcome, Sleep
from edgenode.reading import EventCode
from edgenode.sensing import BusWorker, Since
from tests.support.clock import FakeClock
from tests.support.sensing import Bench


@dataclass
class FakeLevers(Levers):
    """Remembers which were pulled, and lets `effects` happen."""

    clock: FakeClock
    names: tuple[str, ...] = ("nine-clocks", "power", "usb")
    pulled: list[tuple[str, int]] = field(default_factory=list)
    effects: dict[str, Callable[[], Outcome]] = field(default_factory=dict)
    supplied: int = 0
    closed: bool = False

    def __post_init__(self) -> None:
        self.usb_port = "1-1.2" if "usb" in self.names else ""

    @property
    def can_clear(self) -> bool:
        return "nine-clocks" in self.names

    @property
    def can_power(self) -> bool:
        return "power" in self.names

    def clear(self) -> Outcome:
        return self._pull("nine-clocks")

    def power_cycle(self, sleep: Sleep) -> Outcome:
        return self._pull("power")

    def usb_cycle(self, sleep: Sleep) -> Outcome:
        return self._pull("usb")

    def power_on(self) -> Outcome:
        self.supplied += 1
        effect = self.effects.get("supply")
        return effect() if effect else Outcome(done=True, words="on")

    def close(self) -> None:
        self.closed = True

    def _pull(self, name: str) -> Outcome:
        self.pulled.append((name, self.clock.boot))
        effect = self.effects.get(name)
        return effect() if effect else Outcome(done=True, words=f"{name} was pulled")


class Rig:
    """A bus of two sensors, run by hand."""

    def __init__(
        self,
        *names: str,
        every_ms: int = 1000,
        other_in_ms: int = 0,
        other_every_ms: int = 0,
        since_stuck: Since | None = None,
    ) -> None:
        self.bench, self.other = Bench(), Bench()
        self.clock = self.other.clock = self.bench.clock
        self.sink = self.other.sink = self.bench.sink
        self.levers = FakeLevers(self.clock, names)
        jobs = [
            self.bench.job(1, every_ms),
            self.other.job(2, other_every_ms or every_ms, phase_ms=other_in_ms or every_ms // 2),
        ]
        self.worker = BusWorker(
            "b",
            jobs,
            self.sink,
            self.clock,
            threading.Event(),
            levers=self.levers,
            since_stuck=since_stuck,
        )

    def run(self, ms: int) -> None:
        until = self.clock.boot + ms
        while (due := self.worker.turn()) < until:
            self.clock.advance(max(1, due - self.clock.boot))
        self.clock.advance(until - self.clock.boot)

    def fail(self, error: Exception | None) -> None:
        self.bench.error = self.other.error = error

    def heal(self) -> Outcome:
        self.fail(None)
        return Outcome(done=True, words="that did it")

    def told(self, *codes: EventCode) -> list[object]:
        return [event.value for _, _, event in self.sink.events if event.code in codes]
