"""How buses, sensors and channels are doing, as frozen values for whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from edgenode.reading import Quality
from edgenode.sensing.breaker import Position
from edgenode.sensing.channels import quantity
from edgenode.sensing.life import LifeStats
from edgenode.sensing.rungs import Rungs, added
from edgenode.sensing.runner import Runner, State

# A channel is doubted where it has had one of these, and no good value, for longer than both.
DOUBT_MS: Final = 60_000
DOUBT_PERIODS: Final = 3
DOUBTS: Final = frozenset(
    {
        Quality.FAULT,
        Quality.OUT_OF_RANGE,
        Quality.CLAMPED,
        Quality.STUCK,
        Quality.RATE_OF_CHANGE,
        Quality.DISAGREES,
    }
)


@dataclass(frozen=True, slots=True)
class FailureStats:
    """A try that came to nothing."""

    reason: int  # errors.Reason
    detail: str  # the same in words
    t_ms: int  # boot-time


@dataclass(frozen=True, slots=True)
class SensorStats:
    """How one sensor is doing, for status."""

    sensor: str
    state: State
    reason: int | None  # errors.Reason of the last failure while lost or faulty
    detail: str  # the same in words
    reads: int
    failures: int
    missed: int  # slots that passed while the bus was busy
    opens: int
    last_ok_ms: int | None  # boot-time of the last good read
    breaker: Position = "closed"
    retry_ms: int | None = None  # boot-time from which it is tried again; None while closed
    reasons: dict[str, int] = field(default_factory=dict)  # failed tries, by errors.Reason
    rungs: Rungs = field(default_factory=dict)
    last_failure: FailureStats | None = None  # the newest, also where it is long found again
    settled_ms: int | None = None  # boot-time until which it settles; None: it was never open
    doubted: dict[str, str] = field(default_factory=dict)  # quantity to quality, see DOUBT_MS
    leaks_s: dict[str, float] = field(default_factory=dict)  # quantity to how long it flows
    life: LifeStats | None = None  # of what wears, where its hours are known


@dataclass(frozen=True, slots=True)
class LeverStats:
    """How one lever of a bus is doing."""

    name: str  # as in the table of rungs, or "usb"
    tried: int
    helped: int
    failed: int  # it could not even be used
    last: str  # what came of it, in words
    last_ms: int | None  # boot-time of its last use
    next_ms: int  # boot-time before which it is not used again
    usable: bool = True  # False: it was at fault itself when it was last wanted, see `last`


@dataclass(frozen=True, slots=True)
class WorkerStats:
    """How one bus is doing, for status and for the watchdog."""

    bus: str
    stuck: bool  # a call into a driver is past its budget right now
    times_stuck: int
    lateness_ms_p50: int
    lateness_ms_p99: int
    sensors: tuple[SensorStats, ...]
    stuck_since_ms: int | None = None  # boot-time
    silent_since_ms: int | None = None  # boot-time since which no sensor of the bus answers
    rungs: Rungs = field(default_factory=dict)  # of the bus and all its sensors
    levers: tuple[LeverStats, ...] = ()
    held: bool = False  # told of as stuck, and nothing on it has answered since
    told_of: str = ""  # the sensor whose bus-stuck has no bus-recovered yet


@dataclass(frozen=True, slots=True)
class TwinStats:
    """What a channel is compared with."""

    channel: str
    value: float | None  # the newest of it
    difference: float | None  # ours less its, as last compared; None where one was not fresh


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known about one channel: the chain behind `why`, a line of `sensors`."""

    channel: str
    bus: str
    unit: str
    value: float | None
    quality: int | None  # None before the first sample
    t_ms: int | None  # boot-time of the newest sample
    took_ms: int | None
    good_value: float | None
    good_ms: int | None
    unchanged_since_ms: int | None
    unchanged_reads: int
    rate_per_s: float | None  # of the last two numbers
    twin: TwinStats | None
    calibration: tuple[str, str] | None  # date, id
    history: tuple[tuple[int, float | None], ...]  # boot-time and value, oldest first, up to 64
    sensor: SensorStats


def sensor_stats(runner: Runner, now_ms: int) -> SensorStats:
    """Return how the sensor is doing."""
    lost, failure, last = runner.lost, runner.failure, runner.last_failure
    return SensorStats(
        sensor=runner.job.sensor,
        state=runner.state,
        reason=int(failure.reason) if lost else None,
        detail=failure.detail if lost else "",
        reads=runner.reads,
        failures=runner.failures,
        missed=runner.schedule.missed,
        opens=runner.opens,
        last_ok_ms=runner.last_ok_ms,
        breaker=runner.breaker.position(now_ms),
        retry_ms=runner.breaker.retry_ms,
        reasons={reason.word: count for reason, count in runner.reasons.copy().items()},
        rungs=added([runner.rungs]),
        last_failure=FailureStats(int(last.reason), last.detail, last.t_ms) if last else None,
        settled_ms=runner.settled_ms,
        doubted=dict(_doubted(runner, now_ms)),
        leaks_s=dict(_leaks(runner)),
        life=runner.pipeline.life.stats if runner.pipeline.life else None,
    )


def _leaks(runner: Runner) -> Iterator[tuple[str, float]]:
    for n, leak in runner.pipeline.leaks.items():
        flows_ms = leak.flows_ms
        if flows_ms is not None:
            yield quantity(runner.job.group.channels[n]), flows_ms / 1000


def _doubted(runner: Runner, now_ms: int) -> Iterator[tuple[str, str]]:
    newest = runner.record.newest
    if runner.lost or newest is None or not newest.sample.quality:
        return
    least_ms = max(DOUBT_MS, DOUBT_PERIODS * runner.job.every_ms)
    for n, quality in enumerate(newest.sample.quality):
        good = runner.record.good(n)
        since_ms = max(good.t_ms if good else 0, runner.settled_ms or 0)
        if quality in DOUBTS and now_ms - since_ms > least_ms:
            name = quantity(runner.job.group.channels[n])
            yield name, Quality(quality).word


def evidence(runner: Runner, n: int, bus: str, now_ms: int) -> Evidence:
    """Return what is known about the channel at index `n` of the sensor."""
    channel, record = runner.job.group.channels[n], runner.record
    newest, good, unchanged = record.newest, record.good(n), record.unchanged(n)
    history = record.history(n)
    return Evidence(
        channel=channel.name,
        bus=bus,
        unit=channel.unit,
        value=newest.sample.values[n] if newest else None,
        quality=int(_quality(newest.sample.quality, n)) if newest else None,
        t_ms=newest.t_ms if newest else None,
        took_ms=newest.took_ms if newest else None,
        good_value=good.value if good else None,
        good_ms=good.t_ms if good else None,
        unchanged_since_ms=unchanged[0] if unchanged else None,
        unchanged_reads=unchanged[1] if unchanged else 0,
        rate_per_s=_rate(history),
        twin=_twin(runner, n),
        calibration=channel.calibration,
        history=tuple(history),
        sensor=sensor_stats(runner, now_ms),
    )


def place(runner: Runner, channel: str) -> int | None:
    """Return the index of a channel of the sensor, by its name in the birth or its quantity."""
    for n, known in enumerate(runner.job.group.channels):
        if channel in {known.name, f"{runner.job.sensor}/{quantity(known)}"}:
            return n
    return None


def _quality(quality: tuple[Quality, ...], n: int) -> Quality:
    return quality[n] if quality else Quality.OK


def _twin(runner: Runner, n: int) -> TwinStats | None:
    twin = runner.pipeline.twins.get(n)
    return TwinStats(twin.name, twin.value, twin.difference) if twin else None


def _rate(history: list[tuple[int, float | None]]) -> float | None:
    numbers = [(t_ms, value) for t_ms, value in history if value is not None][-2:]
    if len(numbers) < 2 or numbers[0][0] >= numbers[1][0]:
        return None
    (before_ms, before), (now_ms, value) = numbers
    return (value - before) * 1000 / (now_ms - before_ms)
