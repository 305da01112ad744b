"""Whether the node is well: conditions with their "since when", and a watchdog fed by progress.

A thread that is alive proves nothing. What counts is that work which is due gets done: each
`Duty` counts something that must grow while it is due, and a count that stands still for longer
than its limit is a condition like any other, with advice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Health(StrEnum):
    """How the node is."""

    WELL = "well"
    DEGRADED = "degraded"  # something needs care, the rest works on
    STALLED = "stalled"  # work that is due does not get done; a restart is the cure


class Condition(NamedTuple):
    """Something that keeps the node from being well, as a room reports it now."""

    key: str  # the same key is the same condition going on, e.g. "bus i2c1 stuck"
    what: str
    advice: str
    restart: bool = False  # whether a restart of the daemon is the cure


class Problem(NamedTuple):
    """A condition and the boot-time ms since which it has been so."""

    condition: Condition
    since_ms: int


class Verdict(NamedTuple):
    """How the node is, since which boot-time ms, and why."""

    health: Health
    since_ms: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Duty:
    """Work that must get done: `progress` must grow within `limit_ms` while it is `due`."""

    room: str
    progress: Callable[[], int]
    due: Callable[[], bool]
    limit_ms: int
    advice: str
    restart: bool = True


class _Count(NamedTuple):
    value: int
    since_ms: int


class Watch:
    """Looks at duties and conditions from one thread; the last verdict may be read by any."""

    def __init__(self, duties: Sequence[Duty], now_ms: int) -> None:
        self._duties = duties
        self._counts = {duty.room: _Count(-1, now_ms) for duty in duties}
        self._since: dict[str, int] = {}
        self.verdict = Verdict(Health.WELL, now_ms, ())

    def look(self, conditions: Iterable[Condition], now_ms: int) -> Verdict:
        """Judge the node at boot-time `now_ms`; `conditions` are those that hold now."""
        held = {condition.key: condition for condition in (*conditions, *self._stalled(now_ms))}
        self._since = {key: self._since.get(key, now_ms) for key in held}
        problems = tuple(Problem(held[key], since) for key, since in self._since.items())
        health = _worst(problems)
        same = health is self.verdict.health
        since = self.verdict.since_ms if same else now_ms
        self.verdict = Verdict(health, since, problems)
        return self.verdict

    def _stalled(self, now_ms: int) -> Iterable[Condition]:
        for duty in self._duties:
            value, last = duty.progress(), self._counts[duty.room]
            if value != last.value or not duty.due():
                self._counts[duty.room] = _Count(value, now_ms)
            elif now_ms - last.since_ms > duty.limit_ms:
                what = f"{duty.room} has made no progress for more than {duty.limit_ms // 1000} s"
                yield Condition(f"{duty.room} stalled", what, duty.advice, duty.restart)


def _worst(problems: Sequence[Problem]) -> Health:
    if any(problem.condition.restart for problem in problems):
        return Health.STALLED
    return Health.DEGRADED if problems else Health.WELL
