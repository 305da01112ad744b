"""The thread of the uplink: dial, serve the session until it ends, back off, dial again."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from edgenode.clock import Clock
from edgenode.reading import Event
from edgenode.spool import Traffic
from edgenode.uplink.acks import Acks
from edgenode.uplink.alarms import Alarms
from edgenode.uplink.backoff import phase
from edgenode.uplink.bucket import TokenBucket
from edgenode.uplink.budget import Budget
from edgenode.uplink.dial import Dialer
from edgenode.uplink.forwarder import Forwarder
from edgenode.uplink.office import Office
from edgenode.uplink.options import UplinkOptions
from edgenode.uplink.outbox import Outbox
from edgenode.uplink.poison import Suspects
from edgenode.uplink.presence import Presence
from edgenode.uplink.replaced import Replaced
from edgenode.uplink.resend import Resends
from edgenode.uplink.session import Connack, Session, Will
from edgenode.uplink.stats import UplinkStats
from edgenode.uplink.topics import Topics
from edgenode.uplink.wait import Desk, Turns, Waiter, Wish


class Uplink:
    """Sends from the outboxes, the present spool's first, to the first broker that answers.

    `about` is the encoded about message; `report` takes the alarms that the uplink itself raises;
    `traffic` keeps the bytes of days and months where they survive, which is the spool's; `told`
    are the refusals that an earlier process told of, and not the end.
    `progress` grows with every turn of the thread and every wait: a watchdog reads it.
    """

    def __init__(
        self,
        options: UplinkOptions,
        outboxes: Sequence[Outbox],
        about: bytes,
        clock: Clock,
        report: Callable[[Event], None],
        traffic: Traffic | None = None,
        told: Iterable[int] = (),
    ) -> None:
        self.progress = 0
        self._options = options
        self._boxes = tuple(outboxes)
        self._clock = clock
        self._stats = UplinkStats()
        self._waiter: Waiter | None = None
        alarms = Alarms(report, clock, told)
        bucket = TokenBucket(options.backlog_per_s, clock)
        self._budget = Budget(
            options, traffic or Traffic(), clock, self._boxes, bucket, self._stats, report
        )
        jitter = phase(options.node)
        self._office = Office(
            options=options,
            topics=Topics(options.prefix, options.node),
            boxes=self._boxes,
            about=about,
            clock=clock,
            jitter=jitter,
            bucket=bucket,
            budget=self._budget,
            stats=self._stats,
            alarms=alarms,
            acks=Acks(options.node, self._boxes, clock, self._stats, alarms),
            suspects=Suspects(),
            resends=[
                Resends(box, options.resend_ms, options.resend_max_ms, clock, jitter)
                for box in self._boxes
            ],
        )
        self._dialer = Dialer(options, clock, self._stats, self._will, self._budget.tally)
        self._presence = self._appear()

    def stats(self) -> UplinkStats:
        """Return a copy of the counters; safe from any thread."""
        return replace(self._stats)

    def wake(self) -> None:
        """End the thread's present wait at once, after setting its stop; safe from any thread."""
        waiter = self._waiter
        if waiter is not None:
            waiter.wake()

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set; every wait in here ends on it."""
        self._waiter = waiter = Waiter(stop, self._tick)
        waiter.drive(self.turns(waiter))
        self._waiter = None  # it calls us, and would hold its descriptor until it is collected

    def turns(self, desk: Desk) -> Turns[None]:
        """Yield what is waited for until the desk is stopped: what `run` does, for any driver."""
        while (dialled := (yield from self._dialer.dial(desk))) is not None:
            self._dialer.over(proved=(yield from self._serve(*dialled, desk)))

    def _tick(self) -> None:
        self.progress += 1
        self._budget.look()  # also while nothing can be sent: days end then too

    def _appear(self) -> Presence:
        return Presence(self._options.node, self._boxes[0], self._clock)

    def _will(self) -> Will:
        """Begin a new presence for the connection that is about to be made."""
        self._presence = self._appear()
        return self._presence.will(self._office.topics)

    def _serve(self, session: Session, connack: Connack, desk: Desk) -> Turns[bool]:
        """Forward until the session ends or the stop; True when it brought a PUBACK."""
        stats = self._stats
        stats.connected, stats.since_ms = True, self._clock.boot_ms()
        stats.connections += 1
        forwarder = Forwarder(self._office, session, connack, self._presence)
        forwarder.begin()
        replaced = Replaced(session, self._clock)
        while session.ended is None and not desk.stopped and not replaced():
            yield from self._move(session, forwarder, forwarder.turn())
        ours = desk.stopped or session.ended is None
        if session.ended is None:
            yield from self._say_goodbye(session, forwarder)
        stats.connected, stats.since_ms = False, None
        return forwarder.end(stopped=ours)

    def _move(self, session: Session, forwarder: Forwarder, rest_ms: int) -> Turns[None]:
        """Wait for the socket, the outboxes or the time, and move bytes."""
        fd = session.fileno()
        if fd < 0:
            return
        ready = {box.ready_fd for box in self._boxes}
        events = yield Wish(rest_ms, (fd, *ready), fd if session.wants_write else None)
        for signalled in ready & events.keys():
            with suppress(BlockingIOError):
                os.eventfd_read(signalled)
            forwarder.signal()
        session.pump(events.get(fd, 0))

    def _say_goodbye(self, session: Session, forwarder: Forwarder) -> Turns[None]:
        """Tell that we leave, and give what is in flight a moment to be acknowledged."""
        forwarder.leave()
        until = self._clock.boot_ms() + self._options.farewell_ms
        while (
            session.ended is None
            and not forwarder.settle()
            and (left := until - self._clock.boot_ms()) > 0
        ):
            yield from self._move(session, forwarder, left)
        session.leave()
