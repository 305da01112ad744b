"""Whether a system that is tried has proved good: pure decisions over what was seen.

Three proofs are asked for: the spool commits, every sensor that worked before samples, and a batch
is in the hands of whom custody names. Where there is no network the third is not to be had. They
count once the daemon has run for a while: its watchdog may kill it again and again, and between two
restarts it does all of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from edgenode.update.record import Trial

MINUTE_MS: Final = 60_000
WORKS: Final = frozenset({"ok", "settling"})  # states of a sensor that is read
LISTED: Final = 5  # names in a sentence
DELIVERY: Final = "no batch has arrived yet"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is waited, in ms; how often the daemon may be started anew in this boot.

    `steady_ms` is three times WatchdogSec= of edgenode.service.
    """

    deadline_ms: int = 45 * MINUTE_MS
    linkless_ms: int = 30 * MINUTE_MS
    steady_ms: int = 3 * MINUTE_MS
    restarts: int = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the node. `status` is the document of docs/cli.md, None: nobody answered."""

    now_ms: int  # boot-time
    status: Mapping[str, Any] | None
    network: bool  # whether there is a way out of this machine
    restarts: int = 0  # of the daemon, by systemd, since the boot


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier looks have left. Times in boot-time ms."""

    linkless_since_ms: int | None = None  # since when there has been no network
    steady_since_ms: int | None = None  # since when the daemon was not started anew
    restarts: int = 0
    connection: int = 0  # in which the first PUBACK was seen; 0: none was
    city_acks: int = 0  # that had come by then


class Step(Enum):
    """What is to be done."""

    WAIT = "wait"
    KEEP = "keep"  # mark the slot good
    LEAVE = "leave"  # reboot, which leads back


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, why, and what is still lacking, in words."""

    step: Step
    why: str
    lacking: tuple[str, ...] = ()


def works(status: Mapping[str, Any] | None) -> frozenset[str]:
    """Return the names of the sensors that have been read since the daemon started."""
    return frozenset(
        sensor["sensor"]
        for sensor in _sensors(status)
        if sensor["state"] in WORKS and sensor["reads"] > 0
    )


def linked(status: Mapping[str, Any] | None) -> bool:
    """Whether a broker is connected."""
    uplink = status["uplink"] if status else None
    return bool(uplink and uplink["connected"])


def commits(status: Mapping[str, Any] | None) -> bool:
    """Whether the spool has committed since the daemon started, and is in order."""
    return status is not None and status["spool"]["commits"] > 0 and not status["spool"]["degraded"]


def _sensors(status: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    for bus in status["buses"] if status else ():
        yield from bus["sensors"]


def looked(past: Past, seen: Seen) -> Past:
    """Return what is to be known at the next look.

    A retained ack comes with every connection and may tell of what was sent long before: only one
    that comes after a PUBACK, in the same connection, proves that the city takes batches now.
    """
    linkless = None if seen.network else _or(past.linkless_since_ms, seen.now_ms)
    steady = past.steady_since_ms if seen.restarts == past.restarts else None
    past = replace(
        past,
        linkless_since_ms=linkless,
        steady_since_ms=_or(steady, seen.now_ms),
        restarts=seen.restarts,
    )
    uplink = seen.status["uplink"] if seen.status else None
    if not uplink or not uplink["acked"]:
        return replace(past, connection=0)
    if uplink["connections"] != past.connection:
        return replace(past, connection=uplink["connections"], city_acks=uplink["city_acks"])
    return past


def _or(since_ms: int | None, now_ms: int) -> int:
    return now_ms if since_ms is None else since_ms


def delivered(past: Past, seen: Seen) -> bool:
    """Whether a batch has come to whom custody names, since the daemon started.

    With custody of the broker a batch leaves the spool on its PUBACK, and no city acks anything.
    """
    uplink = seen.status["uplink"] if seen.status else None
    if not uplink or not uplink["acked"]:
        return False
    if uplink["city_acks"]:
        same = uplink["connections"] == past.connection
        return bool(same and uplink["city_acks"] > past.city_acks)
    return bool(seen.status and seen.status["spool"]["pruned_batches"])


def judge(trial: Trial | None, past: Past, seen: Seen, began_ms: int, limits: Limits) -> Verdict:
    """Say what to do at this look; `past` includes it.

    Without a trial (the bundle was not installed by `edgenode update`) nobody knows what worked:
    then any sensor will do.
    """
    lacking = tuple(_lacking(trial, past, seen, limits))
    if not lacking:
        return Verdict(Step.KEEP, "the spool commits, the sensors sample, a batch has arrived")
    if seen.restarts >= limits.restarts:
        why = f"the daemon was started anew {seen.restarts} times; {'; '.join(lacking)}"
        return Verdict(Step.LEAVE, why, lacking)
    if seen.now_ms - began_ms >= limits.deadline_ms:
        why = f"not within {limits.deadline_ms // MINUTE_MS} minutes: {'; '.join(lacking)}"
        return Verdict(Step.LEAVE, why, lacking)
    if lacking == (DELIVERY,) and _excused(trial, past, seen, limits):
        minutes = limits.linkless_ms // MINUTE_MS
        why = (
            "the spool commits and the sensors sample; that batches arrive is not proved, "
            f"since there has been no network for {minutes} minutes"
        )
        return Verdict(Step.KEEP, why, lacking)
    return Verdict(Step.WAIT, "; ".join(lacking), lacking)


def _excused(trial: Trial | None, past: Past, seen: Seen, limits: Limits) -> bool:
    """Whether delivery may be left unproved: no network for long, and none before the update.

    A network that was there before and is not there now may be what the update has broken; so may
    one of which nobody knows.
    """
    since = past.linkless_since_ms
    long = since is not None and seen.now_ms - since >= limits.linkless_ms
    return long and trial is not None and not trial.linked


def _lacking(trial: Trial | None, past: Past, seen: Seen, limits: Limits) -> Iterator[str]:
    if seen.status is None:
        yield "the daemon does not answer"
        return
    if seen.now_ms - _or(past.steady_since_ms, seen.now_ms) < limits.steady_ms:
        yield f"the daemon has run for less than {limits.steady_ms // MINUTE_MS} minutes"
    if not commits(seen.status):
        why = seen.status["spool"]["degraded"]
        yield f"the spool does not keep anything: {why}" if why else "nothing is committed yet"
    there = frozenset(sensor["sensor"] for sensor in _sensors(seen.status))
    working = works(seen.status)
    wanted = there if trial is None else there & frozenset(trial.sensors)
    missing = sorted(wanted - working)
    if missing and (trial is not None or not working):
        yield f"not read, though {'read before' if trial else 'configured'}: {_few(missing)}"
    if not delivered(past, seen):
        yield DELIVERY


def _few(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
