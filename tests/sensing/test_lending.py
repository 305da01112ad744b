"""A sensor is lent what others measure, before it is read and before it is fed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import ClassVar

from edgenode.reading import Event, Sample
from edgenode.sensing import Job
from edgenode.sensing.board import Board, Posted
from edgenode.sensing.rules import SensorRules
from edgenode.sensing.worker import BusWorker
from tests.support.clock import FakeClock
from tests.support.sensing import FakeDriver, FakeSink, group_of

SECOND_MS = 1_000


class Borrowing(FakeDriver):
    """Measures better where it knows the humidity."""

    borrows: ClassVar[Mapping[str, str]] = {"humidity": "%RH"}
    pace_s: ClassVar[float] = 1.0

    def __init__(self) -> None:
        super().__init__(lambda _: Sample((20.0,)))
        self.told: list[tuple[str, str, float | None]] = []
        self._now = ""

    def lend(self, quantity: str, value: float | None) -> None:
        self.told.append(("lent", quantity, value))

    def read(self, now_ms: int) -> Sample:
        self.told.append(("read", "", None))
        return super().read(now_ms)

    def fileno(self) -> int:
        return -1

    def feed(self, now_ms: int) -> Sequence[Event]:
        self.told.append(("fed", "", None))
        return ()


class Bench:
    """One sensor that borrows, and the board that it borrows from."""

    def __init__(self, sources: dict[str, str]) -> None:
        self.clock, self.board, self.sensor = FakeClock(), Board(), Borrowing()
        rules = SensorRules(sources=sources)
        group = group_of(Borrowing, 1)
        job = Job("gas", group, lambda: self.sensor, 10_000, stamp_ms=50, rules=rules)
        self.worker = BusWorker(
            "b", [job], FakeSink(), self.clock, threading.Event(), board=self.board
        )

    def post(self, value: float) -> None:
        self.board.post("air/humidity", Posted(value, self.clock.boot_ms(), SECOND_MS))

    def play(self, seconds: int) -> list[tuple[str, str, float | None]]:
        self.sensor.told.clear()
        for _ in range(seconds * 10):
            self.worker.turn()
            self.worker.wake()
            self.worker.listen(self.clock.boot_ms())
            self.clock.advance(100)
        return self.sensor.told


def test_it_is_lent_the_newest_value_before_each_read_and_each_feed() -> None:
    bench = Bench({"humidity": "air/humidity"})
    assert bench.board.wanted == {"air/humidity"}
    bench.post(61.5)
    lent = ("lent", "humidity", 61.5)
    assert bench.play(2) == [lent, ("read", "", None), lent, ("fed", "", None)]


def test_what_is_older_than_two_periods_is_lent_to_nobody() -> None:
    bench = Bench({"humidity": "air/humidity"})
    bench.post(61.5)
    bench.play(4)
    assert bench.sensor.told[-2] == ("lent", "humidity", None)


def test_without_a_source_nothing_is_lent_and_what_is_not_borrowed_neither() -> None:
    for sources in ({}, {"pm25": "dust/pm25"}):
        assert [what for what, _, _ in Bench(sources).play(2)] == ["read", "fed"]
