"""A round trip through a broker: the only proof of a node's rights there.

A granted subscription proves nothing (Mosquitto grants what it then withholds), and on MQTT 3.1.1
neither does the PUBACK of a publish. So something is said on the node's own `state` and must come
back: that topic alone may be both written and read by a node.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from edgenode.clock import Clock
from edgenode.uplink.dial import NAMES, Dialer
from edgenode.uplink.options import Broker, UplinkOptions
from edgenode.uplink.session import Session
from edgenode.uplink.stats import UplinkStats
from edgenode.uplink.topics import Topics
from edgenode.uplink.verdict import REFUSED
from edgenode.uplink.wait import Turns, Waiter, Wish
from edgenode.wire import NO_SPOOL, State, encode

BEST_EFFORT = (
    'custody = "broker": a broker acknowledges what it may still drop or lose; readings are safe '
    'only with custody = "city"'
)
ADVICE = "check the rights of this node there: see docs/brokers.md"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it. `problems` are sentences, none when all is well; `protocol` may be ""."""

    protocol: str
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def trial(options: UplinkOptions, broker: Broker, clock: Clock, stop: threading.Event) -> Trial:
    """Try one broker as the node would use it; a daemon that runs meanwhile is not disturbed.

    The message is not retained and of no spool, so consumers of states ignore it.
    Ends within the deadlines for connecting and PUBACK, or on `stop`.
    """
    warnings = (BEST_EFFORT,) if options.custody == "broker" else ()
    own = replace(options, client=f"{options.node.hex()}-trial", brokers=(broker,))
    stats, waiter = UplinkStats(), Waiter(stop, lambda: None)
    dialled = waiter.drive(Dialer(own, clock, stats, lambda: None).attempt(broker, waiter))
    if dialled is None:
        return Trial("", (stats.last_error or "stopped",), warnings)
    session = dialled.session
    try:
        problems = waiter.drive(_round_trip(own, session, clock, waiter))
    finally:
        session.leave()
    return Trial(NAMES[session.version], tuple(problems), warnings)


def _round_trip(
    options: UplinkOptions, session: Session, clock: Clock, waiter: Waiter
) -> Turns[list[str]]:
    """Say something on our own state and hear it; return what went wrong."""
    topics = Topics(options.prefix, options.node)
    said = encode(State(options.node, NO_SPOOL, online=False, epoch=0, connect_ms=0))
    session.subscribe(topics.ack, topics.state)
    session.publish(topics.state, said, retain=False)
    until = clock.boot_ms() + options.puback_ms
    while session.ended is None and not waiter.stopped and (left := until - clock.boot_ms()) > 0:
        if session.pubacks and (
            session.pubacks[0].code >= REFUSED or (topics.state, said) in session.messages
        ):
            break
        fd = session.fileno()
        events = yield Wish(left, (fd,), fd if session.wants_write else None)
        session.pump(events.get(fd, 0))
    return list(_judge(session, topics, (topics.state, said) in session.messages))


def _judge(session: Session, topics: Topics, heard: bool) -> list[str]:  # noqa: FBT001 - a fact
    where = session.broker.address
    if session.ended is not None:
        return [f"{session.ended.text} while the node wrote {topics.state}: may it?"]
    problems = []
    if session.refused_topics:
        problems.append(
            f"{where} refuses to let the node read {topics.ack} or {topics.state}; {ADVICE}"
        )
    if not session.pubacks:
        problems.append(f"{where} does not acknowledge what is published on {topics.state}")
    elif session.pubacks[0].code >= REFUSED:
        code = session.pubacks[0].code
        problems.append(
            f"{where} refuses what is published on {topics.state}: 0x{code:02x}; {ADVICE}"
        )
    elif not heard and not session.refused_topics:
        problems.append(
            f"{where}: what the node writes on {topics.state} does not come back; "
            "it may not write it, or not read it (and its acks): see docs/brokers.md"
        )
    return problems
