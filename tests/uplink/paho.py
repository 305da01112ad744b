"""The boundary to paho: a client that records, and answers when it is told to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

from pytest_mock import MockerFixture

from edgenode.reading import Event
from edgenode.spool import Traffic
from edgenode.uplink import Broker, UplinkOptions
from edgenode.uplink.acks import Acks
from edgenode.uplink.alarms import Alarms
from edgenode.uplink.backoff import phase
from edgenode.uplink.bucket import TokenBucket
from edgenode.uplink.budget import Budget
from edgenode.uplink.forwarder import Forwarder
from edgenode.uplink.office import Office
from edgenode.uplink.poison import Suspects
from edgenode.uplink.presence import Presence
from edgenode.uplink.resend import Resends
from edgenode.uplink.session import V5, Connack, End, Session
from edgenode.uplink.stats import UplinkStats
from edgenode.uplink.topics import Topics
from tests.support.clock import FakeClock
from tests.support.outbox import NODE, SCHEMA, MemoryOutbox
from tests.uplink.rig import ABOUT


class Published(NamedTuple):
    """One call of publish."""

    mid: int
    topic: str
    payload: bytes
    retain: bool


class FakeClient:
    """Stands for paho.mqtt.client.Client: nothing leaves, PUBACKs come when a test says so."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.made_with = kwargs
        self.published: list[Published] = []
        self.topics: list[str] = []
        self.rc = 0  # what the next publish returns
        self.on_publish: Any = None
        self.on_message: Any = None

    def __getattr__(self, name: str) -> Any:
        return lambda *_args, **_kwargs: 0  # settings, and loops in which nothing happens

    def socket(self) -> None:
        return None

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> SimpleNamespace:
        assert qos == 1
        self.published.append(Published(len(self.published) + 1, topic, payload, retain))
        return SimpleNamespace(rc=self.rc, mid=len(self.published))

    def subscribe(self, topics: list[tuple[str, int]]) -> tuple[int, int]:
        self.topics += [topic for topic, _ in topics]
        return 0, 1

    def puback(self, mid: int, code: int = 0) -> None:
        self.on_publish(self, None, mid, SimpleNamespace(value=code), None)

    def arrive(self, topic: str, payload: bytes) -> None:
        self.on_message(self, None, SimpleNamespace(topic=topic, payload=payload))


class Desk:
    """A forwarder in a session that was just accepted, with a clock in hand."""

    def __init__(
        self,
        mocker: MockerFixture,
        box: MemoryOutbox | None = None,
        *,
        connack: Connack | None = None,
        primed: bool = True,
        traffic: Traffic | None = None,
        **options: Any,
    ) -> None:
        mocker.patch("edgenode.uplink.session.mqtt.Client", FakeClient)
        self.clock = FakeClock()
        self.box = box or MemoryOutbox()
        self.primed = primed
        self.events: list[Event] = []
        self.traffic = traffic or Traffic()
        self.connack = connack or Connack(0, "Success")
        brokers = (Broker("broker.example"),)
        self.options = UplinkOptions(
            node=NODE, brokers=brokers, **{"backlog_per_s": float("inf"), **options}
        )
        self.office = self._office()
        self.stats = self.office.stats
        self.session: Session
        self.client: Any
        self.forwarder: Forwarder
        self.connect()

    def _office(self) -> Office:
        stats, alarms = UplinkStats(), Alarms(self.events.append, self.clock)
        jitter, options = phase(NODE), self.options
        bucket = TokenBucket(options.backlog_per_s, self.clock)
        boxes, report = (self.box,), self.events.append
        self.budget = Budget(options, self.traffic, self.clock, boxes, bucket, stats, report)
        return Office(
            options=options,
            topics=Topics(options.prefix, NODE),
            boxes=(self.box,),
            about=ABOUT,
            clock=self.clock,
            jitter=jitter,
            bucket=bucket,
            budget=self.budget,
            stats=stats,
            alarms=alarms,
            acks=Acks(NODE, (self.box,), self.clock, stats, alarms),
            suspects=Suspects(),
            resends=[
                Resends(self.box, options.resend_ms, options.resend_max_ms, self.clock, jitter)
            ],
        )

    def connect(self) -> None:
        """Begin a new session, in which state, about and birth are already acknowledged."""
        presence = Presence(NODE, self.box, self.clock)
        will = presence.will(self.office.topics)
        self.session = Session(self.options.brokers[0], V5, self.options, will, self.clock)
        self.client = self.session._client
        self.forwarder = Forwarder(self.office, self.session, self.connack, presence)
        self.forwarder.begin()
        if self.primed:
            self.forwarder._prelude.wanted((self.box,), (SCHEMA,))
        for _ in range(3):
            self.forwarder.turn()
            for mid in list(self.forwarder._in_flight):
                if self.client.published[mid - 1].retain and self.primed:
                    self.client.puback(mid)
        self.forwarder.turn()

    def seal(self, count: int = 1) -> None:
        """Seal batches, which then go out as far as they may."""
        self.box.seal(count)
        self.flow()

    def flow(self) -> None:
        """Let the forwarder look into the outbox and send."""
        self.forwarder.signal()
        self.forwarder.turn()

    def batches(self) -> list[Published]:
        """Return what was published of batches in this session."""
        return [item for item in self.client.published if "/batch/" in item.topic]

    def answer(self, code: int = 0) -> None:
        """Send the PUBACK of all that is in flight."""
        for mid in list(self.forwarder._in_flight):
            self.client.puback(mid, code)
        self.forwarder.turn()

    def end(self, why: str = "lost", *, by_peer: bool = False) -> bool:
        """Lose the connection."""
        self.session.ended = End(why, by_peer=by_peer)
        return self.forwarder.end(stopped=False)
