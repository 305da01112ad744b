"""From nothing to a session: brokers in order, MQTT 5 before 3.1.1, and backoff between rounds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from paho.mqtt.enums import MQTTProtocolVersion

from edgenode.clock import Clock
from edgenode.errors import NodeError
from edgenode.uplink.backoff import Backoff, phase
from edgenode.uplink.meter import Tally
from edgenode.uplink.options import Broker, UplinkOptions
from edgenode.uplink.session import V5, V311, Connack, End, Session, Will
from edgenode.uplink.stats import UplinkStats
from edgenode.uplink.wait import Desk, Turns, Wish, pause

REMEMBER_MS = 86_400_000  # a broker that knew only 3.1.1 is asked for 5 again after a day
# CONNACK codes that may be about the version. paho turns 3.1.1's 0x01 into 0x84.
VERSION_CODES = frozenset({0x01, 0x80, 0x81, 0x82, 0x84})
NAMES = {V5: "5", V311: "3.1.1"}
# Silence may be about MQTT 5, and about no other version. A NATS cluster that elects leaders takes
# up to 8 s for a CONNACK, and lets who gave up before end the connection of who came after.
PATIENCE = {V5: 1, V311: 3}  # times `connack_ms`


class Failure(NamedTuple):
    """Why an attempt came to nothing. `version`: the broker may speak another version only."""

    text: str
    version: bool = False


class Dialled(NamedTuple):
    """A session whose CONNECT was accepted."""

    session: Session
    connack: Connack


class Versions:
    """Which MQTT version to try first with each broker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._old_since: dict[Broker, int] = {}

    def first(self, broker: Broker) -> MQTTProtocolVersion:
        """Return 3.1.1 where only that worked within the last day, else 5."""
        since = self._old_since.get(broker)
        return V5 if since is None or self._clock.boot_ms() - since >= REMEMBER_MS else V311

    def worked(self, broker: Broker, version: MQTTProtocolVersion) -> None:
        """Remember an accepted version; a memory of 3.1.1 is not prolonged by its own use."""
        if version == V5:
            self.forget(broker)
        elif self.first(broker) == V5:
            self._old_since[broker] = self._clock.boot_ms()

    def forget(self, broker: Broker) -> None:
        """Try 5 first again."""
        self._old_since.pop(broker, None)


class _Opening(threading.Thread):
    """`Session.open` beside the uplink's thread: name resolution cannot be interrupted.

    A stop leaves it behind; it then closes what it still may open. At most one of them runs.
    """

    def __init__(self, session: Session, desk: Desk) -> None:
        super().__init__(name="uplink-dial", daemon=True)
        self.failure: Failure | None = None
        self.abandoned = False
        self.done = False  # before the wake-up; the thread may be alive for a while after it
        self._session = session
        self._desk = desk

    def run(self) -> None:
        try:
            self._session.open()
        except NodeError as exc:
            self.failure = Failure(str(exc))
        except (OSError, ValueError) as exc:
            self.failure = Failure(f"{self._session.broker.address}: {exc}")
        self.done = True
        if self.abandoned:
            self._session.drop("abandoned")
        else:
            self._desk.wake()


class Dialer:
    """Finds the first broker of the list that answers, for as long as it takes."""

    def __init__(
        self,
        options: UplinkOptions,
        clock: Clock,
        stats: UplinkStats,
        will: Callable[[], Will | None],
        tally: Tally | None = None,
    ) -> None:
        self._options = options
        self._clock = clock
        self._stats = stats
        self._will = will  # made anew for each connection
        self._tally = tally
        self._versions = Versions(clock)
        self._backoff = Backoff(options.backoff_ms, options.backoff_max_ms, phase(options.node))
        self._next = 0  # which broker is tried next
        self._due = False  # a pause comes before the next attempt

    def dial(self, desk: Desk) -> Turns[Dialled | None]:
        """Return the first session that is accepted; None when stopped."""
        while not desk.stopped:
            if self._due:
                yield from pause(desk, self._clock, self._backoff.next_ms())
                self._due = False
                continue
            dialled = yield from self.attempt(self._options.brokers[self._next], desk)
            if dialled is not None:
                return dialled
            self.over(proved=False)
        return None

    def over(self, *, proved: bool) -> None:
        """Note the end of a session or attempt; `proved` when it brought at least one PUBACK.

        After a proved session the list begins anew, after a short pause: the others that lost the
        same broker come back too. Otherwise the next broker is tried at once, and after the last
        of the list the backoff grows.
        """
        if proved:
            self._backoff.reset()
        self._next = 0 if proved else (self._next + 1) % len(self._options.brokers)
        self._due = self._next == 0

    def attempt(self, broker: Broker, desk: Desk) -> Turns[Dialled | None]:
        """Try one broker once, in both versions where that may help; None: see `last_error`."""
        version = self._versions.first(broker)
        got = yield from self._connect(broker, version, desk)
        if isinstance(got, Failure) and got.version and not desk.stopped:
            self._versions.forget(broker)
            if version == V5:
                version = V311
                got = yield from self._connect(broker, version, desk)
        if isinstance(got, Failure):
            self._stats.last_error = got.text
            return None
        self._versions.worked(broker, version)
        return got

    def _connect(
        self, broker: Broker, version: MQTTProtocolVersion, desk: Desk
    ) -> Turns[Dialled | Failure]:
        """Open one connection and await its CONNACK."""
        self._stats.broker, self._stats.protocol = broker.address, NAMES[version]
        session = Session(broker, version, self._options, self._will(), self._clock, self._tally)
        opening = _Opening(session, desk)
        opening.start()
        while opening.is_alive() and not (opening.done or desk.stopped):
            yield Wish(self._options.connect_ms)
        opening.abandoned = desk.stopped
        if opening.failure is not None:
            return opening.failure
        if desk.stopped:
            got: Dialled | Failure = Failure("stopped")
        else:
            got = yield from self._await_connack(session, desk)
        if isinstance(got, Failure):
            session.drop(got.text)
        return got

    def _await_connack(self, session: Session, desk: Desk) -> Turns[Dialled | Failure]:
        where = f"{session.broker.address}, MQTT {NAMES[session.version]}"
        patience_ms = self._options.connack_ms * PATIENCE[session.version]
        until = self._clock.boot_ms() + patience_ms
        while session.connack is None and session.ended is None and not desk.stopped:
            left = until - self._clock.boot_ms()
            if left <= 0:
                return Failure(f"{where}: no CONNACK in {patience_ms} ms", True)
            fd = session.fileno()
            events = yield Wish(left, (fd,), fd if session.wants_write else None)
            session.pump(events.get(fd, 0))
        if session.connack is None:
            over = session.ended or End("stopped")
            cert = session.ended and session.broker.cert  # the usual reason, and brokers keep it
            hint = f"; does it accept the certificate {cert}?" if cert else ""
            return Failure(f"{over.text} before CONNACK of {where}{hint}", over.by_peer)
        if session.connack.code:
            refused = f"{where}: refused: {session.connack.text}; check user name and password"
            return Failure(refused, session.connack.code in VERSION_CODES)
        if session.connack.qos_max < 1:
            return Failure(f"{where}: the broker takes QoS 0 only; it cannot keep custody")
        return Dialled(session, session.connack)
