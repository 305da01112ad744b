"""What happens on every make of broker: real spool and uplink, and the city's real receiver."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from edgenode.cityos.audit import Audit
from edgenode.cityos.sink import ReadingRow
from edgenode.spool import SpoolStats
from edgenode.uplink import Broker, UplinkOptions, UplinkStats, trial
from tests.brokers.looks import Looks
from tests.brokers.sites import NODES, RECEIVER, STRANGER, Site
from tests.support.ports import until
from tests.support.receiving import receiving
from tests.support.running import Running, Truth
from tests.uplink.rig import Node

BACKLOG = 300  # batches
PACE = 100.0  # of them a second
DEAD_AT = 60  # so many are in the sink when the broker dies
PATIENCE_S = 60.0


@contextmanager
def sending(site: Site, running: Running, way: list[Broker]) -> Iterator[Node]:
    """The node's spool and uplink, each in its thread."""
    options: dict[str, Any] = {
        "backlog_per_s": PACE, "connack_ms": site.connack_ms, "puback_ms": 6_000,
    }  # fmt: skip
    box: Any = running.spool.outbox
    running.start()
    try:
        with Node(way, box, identity=running.node, clock=running.clock, **options) as node:
            yield node
    finally:
        running.stop()


def settle(running: Running) -> None:
    """Wait for the acks of all, sampling on: an ack that a broker lost is whole in the next one."""
    deadline = time.monotonic() + PATIENCE_S
    while not running.emptied():
        assert time.monotonic() < deadline, f"never acked: {running.spool.stats()}"
        running.append(1, 0.0)
        for _ in range(40):
            time.sleep(0.1)
            if running.emptied():
                return


class Late(NamedTuple):
    """What a receiver holds that came after the node."""

    uplink: UplinkStats  # before it came
    truth: list[Truth]
    rows: Counter[Truth]
    birth: bytes | None
    about: bytes | None
    presences: tuple[str, str]  # of the node's session, and after its farewell


def late(site: Site, directory: Path) -> Late:
    """Let a node say everything while nobody listens, then let a receiver come."""
    running = Running(directory / "spool", NODES["late"])
    looks = Looks(directory / "city.db", running.node)
    running.fill(5)
    with sending(site, running, site.brokers(running.node.hex())) as node:
        until(lambda: _answered(running, node.uplink.stats()) >= 5, "PUBACKs", PATIENCE_S)
        before = node.uplink.stats()
        with receiving(directory / "city.db", site.city(), site.report):
            running.append(4, 0.01)  # its batch tells the receiver what it missed
            until(lambda: looks.truth() == Counter(running.truth), "all rows", PATIENCE_S)
            settle(running)
            online = looks.presence()
            node.stop()
            until(lambda: looks.presence() != online, "the farewell")
        schema = running.spool.schema
    return Late(
        before, running.truth, looks.truth(), looks.birth(schema), looks.about(),
        (online, looks.presence()),
    )  # fmt: skip


def _answered(running: Running, stats: UplinkStats) -> int:
    """Return how many batches have a PUBACK; a broker of MQTT 5 may say that nobody heard them."""
    return running.spool.outbox.unconfirmed() + stats.parked


class Drained(NamedTuple):
    """What a sink and a spool hold after a drain over a death."""

    uplink: UplinkStats
    spool: SpoolStats
    truth: list[Truth]
    found: Counter[Truth]
    rows: list[ReadingRow]
    ahead_ms: int  # of POSIX time before the time since boot
    audit: Audit
    overtaken: int  # batches of the backlog stored after the first fresh one


def past(directory: Path) -> Running:
    """Return a node that was offline for long, and whose power is off."""
    made = Running(directory, NODES["drain"])
    made.fill(BACKLOG)
    made.stop()
    return made


def drain(site: Site, directory: Path, before: Running) -> Drained:
    """Drain a backlog while the node samples on, kill the broker in the middle, bring it back."""
    running = before.go_on(directory / "spool")
    looks = Looks(directory / "city.db", running.node)
    way = site.brokers(running.node.hex())
    with (
        receiving(directory / "city.db", site.city(), site.report),
        sending(site, running, way) as node,
    ):
        with running.sampling(0.1):
            until(lambda: looks.batches() > DEAD_AT, "some of the backlog", PATIENCE_S)
            until(lambda: looks.overtaken(before.past), "a fresh batch ahead of it", PATIENCE_S)
            site.lose()
            until(lambda: not node.uplink.stats().connected, "the loss is noticed")
            if not site.carries_on:
                site.restore()
            until(lambda: looks.has(before.truth), "the whole backlog", PATIENCE_S)
            if site.carries_on:
                site.restore()
        settle(running)
        until(lambda: looks.truth() == Counter(running.truth), "the last rows")
        uplink, spool = node.uplink.stats(), running.spool.stats()
    ahead_ms = running.clock.utc_ms() - running.clock.boot_ms()
    return Drained(
        uplink, spool, running.truth, looks.truth(), looks.rows(), ahead_ms, looks.audit(),
        looks.overtaken(before.past),
    )  # fmt: skip


class Told(NamedTuple):
    """What is said about a lack of rights, and what became of the batches."""

    tried: str  # by a trial in another node's name
    password: str  # by a trial with a wrong one
    uplink: str  # by the daemon's uplink in another node's name
    spool: SpoolStats
    stored: int  # batches in the city's sink


def strangers(site: Site, directory: Path) -> Told:
    """Connect as one node in another's name, and with a wrong password."""
    running = Running(directory / "spool", NODES["own"])
    looks = Looks(directory / "city.db", running.node)
    running.fill(3)
    options = UplinkOptions(node=running.node, brokers=tuple(site.brokers(STRANGER.hex())))
    stop = threading.Event()
    tried = trial(options, options.brokers[0], running.clock, stop).problems
    (wrong, *_) = site.brokers(running.node.hex(), "wrong")
    password = trial(options, wrong, running.clock, stop).problems
    with (
        receiving(directory / "city.db", site.city(), site.report),
        sending(site, running, list(options.brokers)) as node,
    ):
        until(
            lambda: node.uplink.stats().last_error or running.spool.outbox.unconfirmed() >= 3,
            "a word, or PUBACKs of what is dropped",
        )
        said, spool = node.uplink.stats().last_error, running.spool.stats()
        stored = looks.batches()
    return Told("; ".join(tried), "; ".join(password), said, spool, stored)


def trespass(site: Site, directory: Path) -> list[str]:
    """Receive with the rights of a node; return what the receiver reports."""
    said: list[str] = []
    with receiving(directory / "city.db", site.city(STRANGER.hex()), said.append, ready=False):
        until(lambda: any("rights" in text for text in said), f"words about {RECEIVER}'s rights")
    return said


STORIES: Mapping[str, Callable[..., Any]] = {  # death comes last
    "late": late, "strangers": strangers, "trespass": trespass, "drain": drain,
}  # fmt: skip
