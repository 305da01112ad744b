"""What of a node's standing needs somebody, how badly, and in which words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from edgenode.cityos import wording
from edgenode.cityos.operate.conditions import Condition, endless, number
from edgenode.cityos.operate.nodes import Standing
from edgenode.reading import EventCode

CARD_WORN = 80  # % of its life, told in tenths (JESD84-B51, DEVICE_LIFE_TIME_EST_TYP)
CARD_ENDED = 100
DISK_LOW = 200e6  # bytes; a node evicts what it has before its disk is full
CERTIFICATE_S = 30 * 86_400  # time enough to send somebody
CLOCK_MS = 1_000  # readings are told to the second
BACKLOG = 10  # batches; fewer are on their way
RECENT_MS = 30 * 86_400_000  # what no event ends is shown for so long
# Of events: what stands only by somebody's will is no trouble.
_WEIGHTS = {
    EventCode.SIGNAL_CONFLICT: 85, EventCode.TAMPER: 75, EventCode.SPOOL_DEGRADED: 70,
    EventCode.BUS_STUCK: 65, EventCode.SENSOR_LOST: 60, EventCode.SUPPLY_LOW: 55,
    EventCode.LEAK_SUSPECTED: 50, EventCode.LIMIT_EXCEEDED: 45, EventCode.SENSOR_END_OF_LIFE: 40,
    EventCode.CLOCK_LOST: 30, EventCode.LINK_LOST: 20, EventCode.MAINTENANCE_BEGUN: 0,
}  # fmt: skip


class Trouble(NamedTuple):
    """One thing that needs somebody; `weight` 1 to 100 orders them, 0 is only a note."""

    weight: int
    kind: str  # a word that does not change: silent, conflict, an event's name, …
    what: str
    since: int | None = None  # POSIX ms


def troubles(one: Standing, now: int, silence_ms: int) -> list[Trouble]:
    """Return what troubles a node, the worst first."""
    found = [
        *_presence(one, silence_ms),
        *_account(one),
        *(_condition(x) for x in one.conditions if _shown(x, now)),
        *_clock(one),
        *_wear(one),
    ]
    return sorted(found, key=lambda x: (-x.weight, x.kind, x.what))


def worst(found: list[Trouble]) -> int:
    """Return the weight of a node: 0 is well."""
    return max((x.weight for x in found), default=0)


def _presence(one: Standing, silence_ms: int) -> Iterator[Trouble]:
    ended = next((x for x in one.successions if x.old.node == one.node and not x.old.sensor), None)
    if ended is not None:
        if one.last_seen > ended.since + silence_ms and one.silent_ms <= silence_ms:
            what = f"was replaced by {ended.new} and still sends: give it an identity of its own"
            yield Trouble(80, "replaced-sends", what, ended.since)
        return
    if one.presence == "offline":
        yield Trouble(95, "offline", "its link is gone", one.last_seen)
    elif one.presence == "silent" or one.silent_ms > silence_ms:
        yield Trouble(100, "silent", "nothing was heard of it", one.last_seen)


def _account(one: Standing) -> Iterator[Trouble]:
    if one.conflicts:
        what = f"{one.conflicts} messages came twice with different bytes: a cloned card?"
        yield Trouble(90, "conflict", what)
    if one.faulty:
        yield Trouble(78, "faulty", f"{one.faulty} batches contradict their birth; see audit")
    if one.backlog > BACKLOG:
        yield Trouble(15, "backlog", f"{one.backlog} batches are still at the node")


def _shown(condition: Condition, now: int) -> bool:
    recent = condition.since is None or now - condition.since <= RECENT_MS
    return recent or not endless(condition.code, condition.value)


def _condition(condition: Condition) -> Trouble:
    name = wording.event(condition.code)
    value = number(condition.value)
    which = (condition.channel or "").removesuffix("/*")
    detail = ""
    if value is not None:
        if condition.code == EventCode.SPOOL_DEGRADED:
            which = wording.degraded(value)
        elif condition.code == EventCode.LIMIT_EXCEEDED and condition.channel is None:
            which = wording.limit(value)
        elif condition.code == EventCode.SENSOR_END_OF_LIFE:
            detail = f" ({value} %)"
    what = f"{name.replace('-', ' ')}{detail}{': ' + which if which else ''}"
    return Trouble(_WEIGHTS[EventCode(condition.code)], name, what, condition.since)


def _clock(one: Standing) -> Iterator[Trouble]:
    if one.clock is None:
        return
    if one.clock.err is None:
        yield Trouble(35, "no-clock", "nothing vouches for the time of its readings")
    elif one.clock.err > CLOCK_MS:
        source = wording.clock(one.clock.source)
        what = f"its time ({source}) may be wrong by {one.clock.err / 1000:.1f} s"
        yield Trouble(30, "clock-error", what)


def _wear(one: Standing) -> Iterator[Trouble]:
    used, free, left = one.wear
    if left is not None and left <= CERTIFICATE_S:
        days = left / 86_400
        what = "its certificate has ended" if left <= 0 else f"its certificate ends in {days:.0f} d"
        yield Trouble(88 if left <= 0 else 58, "certificate", what)
    if used is not None and used >= CARD_WORN:
        what = f"{used:.0f} % of its card's life is used: exchange the card"
        yield Trouble(57 if used >= CARD_ENDED else 42, "card-worn", what)
    if free is not None and free < DISK_LOW:
        yield Trouble(44, "disk-low", f"{free / 1e6:.0f} MB are free on its disk")
