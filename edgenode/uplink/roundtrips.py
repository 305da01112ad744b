"""How good the way to a broker is: how long a connection and small messages take, what is lost."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from dataclasses import dataclass, replace
from typing import Final

from edgenode.clock import Clock
from edgenode.uplink.dial import Dialer
from edgenode.uplink.options import Broker, UplinkOptions
from edgenode.uplink.session import Session
from edgenode.uplink.stats import UplinkStats
from edgenode.uplink.topics import Topics
from edgenode.uplink.wait import Turns, Waiter, Wish
from edgenode.wire import NO_SPOOL, State, encode

ACK_MS: Final = 5_000  # a message that is not acknowledged by then counts as lost
_TOTAL_RETRANS: Final = 100  # offset of tcpi_total_retrans in struct tcp_info of linux/tcp.h
_U32: Final = struct.Struct("=I")


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """`connect_ms` is of name, TCP, TLS and CONNACK together; None: no session came about."""

    connect_ms: float | None
    acks_ms: tuple[float, ...] = ()  # from each publish to its PUBACK; shorter than `sent`: lost
    sent: int = 0
    repeated: int | None = None  # segments that TCP had to send again; None: the kernel is silent


def round_trips(
    options: UplinkOptions, broker: Broker, clock: Clock, stop: threading.Event, count: int
) -> RoundTrips:
    """Publish `count` small messages one after another, on the node's own `state`.

    As in a trial none is retained and each is of no spool, so nobody minds them. Ends
    within the deadlines for connecting and ACK_MS a message, or on `stop`.
    """
    own = replace(options, client=f"{options.node.hex()}-trial", brokers=(broker,))
    waiter = Waiter(stop, lambda: None)
    began = time.monotonic()
    dialled = waiter.drive(Dialer(own, clock, UplinkStats(), lambda: None).attempt(broker, waiter))
    if dialled is None:
        return RoundTrips(None)
    connect_ms, session = _ms_since(began), dialled.session
    try:
        acks, sent = waiter.drive(_trips(own, session, waiter, count))
        return RoundTrips(connect_ms, acks, sent, _repeated(session.fileno()))
    finally:
        session.leave()


def _trips(
    options: UplinkOptions, session: Session, waiter: Waiter, count: int
) -> Turns[tuple[tuple[float, ...], int]]:
    topic = Topics(options.prefix, options.node).state
    said = encode(State(options.node, NO_SPOOL, online=False, epoch=0, connect_ms=0))
    acks: list[float] = []
    for sent in range(count):
        if session.ended is not None or waiter.stopped:
            return tuple(acks), sent
        began = time.monotonic()
        number = session.publish(topic, said, retain=False)
        yield from _until_acked(number, session, waiter)
        if _acked(number, session):
            acks.append(_ms_since(began))
    return tuple(acks), count


def _acked(number: int | None, session: Session) -> bool:
    return any(puback.mid == number for puback in session.pubacks)


def _until_acked(number: int | None, session: Session, waiter: Waiter) -> Turns[None]:
    """Move bytes until the message is acknowledged, or the session or the time is over."""
    until = time.monotonic() + ACK_MS / 1000
    while not _acked(number, session) and session.ended is None and not waiter.stopped:
        left_ms = int((until - time.monotonic()) * 1000)
        if left_ms <= 0:
            return
        fd = session.fileno()
        events = yield Wish(left_ms, (fd,), fd if session.wants_write else None)
        session.pump(events.get(fd, 0))


def _ms_since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)


def _repeated(descriptor: int) -> int | None:
    """Return how many segments of a connection were sent again."""
    if descriptor < 0:
        return None
    try:
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            info = copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TOTAL_RETRANS + _U32.size)
    except OSError:
        return None
    short = len(info) < _TOTAL_RETRANS + _U32.size
    return None if short else int(_U32.unpack_from(info, _TOTAL_RETRANS)[0])
