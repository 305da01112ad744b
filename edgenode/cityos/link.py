"""One broker: a thread that keeps a session, passes on what arrives and says what is to be said.

Each connection is a new paho client driven by paho's own thread; its callbacks only note and wake.
Subscribing, publishing and reconnecting happen in the link's thread.
"""

from __future__ import annotations

import queue
import random
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edgenode.cityos import topics
from edgenode.cityos.brokers import CityBroker
from edgenode.cityos.city import utc_ms
from edgenode.cityos.inbox import Delivery
from edgenode.cityos.intake import Incoming

KEEPALIVE_S = 30
CONNACK_S = 5.0  # of MQTT 5, where silence may be about the version
# A NATS cluster that elects leaders takes up to 8 s, and lets who gave up before end the
# connection of who came after.
CONNACK_OLD_S = 15.0  # of MQTT 3.1.1
SESSION_S = 30 * 86_400  # how long a broker keeps what it has not delivered to us
NO_SHARES = 0x9E  # SUBACK: the broker cannot share subscriptions
RECEIVE_MAXIMUM = 256  # unacknowledged deliveries (MQTT 5); 3.1.1 knows only the inbox's bound
PACKET_MAXIMUM = 512 << 10  # twice the largest message of the wire format
IN_FLIGHT = 20  # published and not yet confirmed
MAX_FETCHED = 1_024  # exact topics subscribed to at once
BACKOFF_S, BACKOFF_MAX_S = 0.5, 30.0
WRONG_VERSION = frozenset({0x01, 0x80, 0x81, 0x82, 0x84})  # CONNACK: try MQTT 3.1.1


@dataclass(slots=True)
class _Session:
    """What lives and dies with one client object."""

    client: mqtt.Client
    connected: bool = False
    refused: int | None = None
    over: str = ""  # why the session ended
    subscribed: bool = False
    fetching: set[str] = field(default_factory=set)
    in_flight: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    confirmed: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)


class Link(threading.Thread):
    """Keeps one broker connected until `close`; `deliver` is called for every message."""

    def __init__(
        self,
        broker: CityBroker,
        client_id: str,
        filters: list[str],
        deliver: Callable[[Delivery], None],
        report: Callable[[str], None],
        on_ready: Callable[[], None] = lambda: None,
        *,
        persistent: bool = True,
        share: str = "",
    ) -> None:
        super().__init__(name=f"broker {broker}", daemon=True)
        self.broker = broker
        self.ready = threading.Event()  # subscribed, at least once
        # Two addresses may be one cluster, where a client id is taken over.
        self._client_id = f"{client_id}-{zlib.crc32(str(broker).encode()):08x}"
        self._filters = filters
        self._deliver = deliver
        self._report = report
        self._on_ready = on_ready
        self._persistent = persistent
        self._share = share
        self._password = broker.password()
        self._tls = broker.context()
        self._protocol = mqtt.MQTTv5
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._lock = threading.Lock()  # guards the next two; never held while paho is called
        self._unsaid: dict[str, bytes] = {}  # topic -> newest retained payload, not yet confirmed
        self._fetch: dict[str, None] = {}

    # From any thread.

    def say(self, topic: str, payload: bytes) -> None:
        """Publish a retained message at QoS 1, as often as it takes; a newer one replaces it."""
        with self._lock:
            self._unsaid.pop(topic, None)
            self._unsaid[topic] = payload
        self._wake.set()

    def fetch(self, topic: str) -> None:
        """Subscribe to an exact topic: on some brokers only that brings what is retained."""
        with self._lock:
            self._fetch[topic] = None
            while len(self._fetch) > MAX_FETCHED:
                del self._fetch[next(iter(self._fetch))]
        self._wake.set()

    def fetched(self, topic: str) -> None:
        """Say that an exact topic has brought what was wanted."""
        with self._lock:
            if topic not in self._fetch:
                return
            del self._fetch[topic]
        self._wake.set()

    def close(self) -> None:
        """End the session and the thread; join it afterwards."""
        self._closing.set()
        self._wake.set()

    # In the link's thread.

    def run(self) -> None:
        """Connect, serve, wait, again."""
        failures = 0
        while not self._closing.is_set():
            protocol = self._protocol
            session = self._connect()
            if session is not None:
                failures = 0 if self._serve(session) else failures
            if protocol == mqtt.MQTTv5 and self._protocol != protocol:
                continue  # the other version at once
            failures += 1
            ceiling = min(BACKOFF_MAX_S, BACKOFF_S * 2.0 ** min(failures, 10))
            self._closing.wait(random.uniform(0, ceiling))  # noqa: S311 - jitter, no secret

    def _connect(self) -> _Session | None:
        session = _Session(self._client())
        self._listen(session)
        address = self.broker.host, self.broker.port, KEEPALIVE_S
        try:
            if self._protocol == mqtt.MQTTv5:
                start = not self._lasting()
                session.client.connect(*address, clean_start=start, properties=self._properties())
            else:
                session.client.connect(*address)
        except OSError as exc:
            self._report(f"broker {self.broker} cannot be reached: {exc}; trying again")
            return None
        return session

    def _client(self) -> mqtt.Client:
        five = self._protocol == mqtt.MQTTv5
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            self._client_id,
            clean_session=None if five else not self._persistent,
            protocol=self._protocol,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if self.broker.username:
            client.username_pw_set(self.broker.username, self._password)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        return client

    def _properties(self) -> Properties:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = PACKET_MAXIMUM
        if self._lasting():
            properties.SessionExpiryInterval = SESSION_S
        return properties

    def _listen(self, session: _Session) -> None:
        client = session.client

        def on_connect(_c: object, _u: object, _f: object, code: ReasonCode, _p: object) -> None:
            session.connected = not code.is_failure
            if code.is_failure:
                session.refused, session.over = code.value, f"refused: {code}"
            self._wake.set()

        def on_disconnect(_c: object, _u: object, _f: object, code: ReasonCode, _p: object) -> None:
            session.over = session.over or str(code)
            self._unshare([code])
            self._wake.set()

        def on_subscribe(
            _c: object, _u: object, _m: int, codes: list[ReasonCode], _p: object
        ) -> None:
            refused = [str(code) for code in codes if code.is_failure]
            self._unshare(codes)
            if refused and not session.subscribed:  # an exact topic may be refused
                session.over = session.over or f"subscription refused: {refused[0]}"
            session.subscribed = session.subscribed or not refused
            self._wake.set()

        def on_publish(_c: object, _u: object, mid: int, code: ReasonCode, _p: object) -> None:
            if code.is_failure:
                self._report(f"broker {self.broker} refused an ack: {code}; check its rights")
            session.confirmed.put(mid)
            self._wake.set()

        def on_message(_c: object, _u: object, m: mqtt.MQTTMessage) -> None:
            message = Incoming(m.topic, bytes(m.payload), utc_ms(), m.retain)
            self._deliver(Delivery(message, lambda: client.ack(m.mid, m.qos)))

        client.on_connect, client.on_disconnect = on_connect, on_disconnect
        client.on_subscribe, client.on_publish = on_subscribe, on_publish
        client.on_message = on_message

    def _serve(self, session: _Session) -> bool:
        """Serve one connection until it ends; tell whether it was of any use."""
        session.client.loop_start()
        try:
            if not self._greet(session):
                return False
            five = self._protocol == mqtt.MQTTv5
            self._report(f"connected to {self.broker} (MQTT {'5' if five else '3.1.1'})")
            self._subscribe(session, self._wanted())
            while not (self._closing.is_set() or session.over):
                if session.subscribed and not self.ready.is_set():
                    self.ready.set()
                    self._on_ready()
                self._work(session)
                self._wake.wait()
                self._wake.clear()
        finally:
            session.client.disconnect()
            session.client.loop_stop()
        if session.over and not self._closing.is_set():
            rights = "" if session.subscribed else " when asked for the subscriptions"
            advice = "trying again" if session.subscribed else "check the rights of this user there"
            self._report(f"lost {self.broker}: {session.over}{rights}; {advice}")
        return session.subscribed

    def _greet(self, session: _Session) -> bool:
        """Wait for the CONNACK; where it speaks against MQTT 5, go on with 3.1.1."""
        five = self._protocol == mqtt.MQTTv5
        timer = threading.Timer(CONNACK_S if five else CONNACK_OLD_S, self._wake.set)
        timer.daemon = True
        timer.start()
        while timer.is_alive() and not (
            session.connected or session.over or self._closing.is_set()
        ):
            self._wake.wait()
            self._wake.clear()
        timer.cancel()
        if session.connected or self._closing.is_set():
            return session.connected
        if session.refused is None or session.refused in WRONG_VERSION:
            self._protocol = mqtt.MQTTv311 if five else mqtt.MQTTv5
        self._report(f"broker {self.broker}: {session.over or 'no CONNACK'}; trying again")
        return False

    def _lasting(self) -> bool:
        """Tell whether the broker is to keep a session of MQTT 5 while we are away."""
        return self._persistent and not self._share  # who is away must not go on getting a share

    def _unshare(self, codes: list[ReasonCode]) -> None:
        if self._share and any(code.value == NO_SHARES for code in codes):
            self._share = ""  # the key of a batch decides whose copy is stored
            self._report(f"broker {self.broker} cannot share; every receiver gets all")

    def _wanted(self) -> list[str]:
        five = self._protocol == mqtt.MQTTv5
        return topics.shared(self._share, self._filters) if self._share and five else self._filters

    def _subscribe(self, session: _Session, filters: list[str]) -> None:
        if self._protocol == mqtt.MQTTv5:
            session.client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in filters])
        else:
            session.client.subscribe([(topic, 1) for topic in filters])

    def _work(self, session: _Session) -> None:
        """Say what is unsaid and subscribe to what is wanted."""
        while not session.confirmed.empty():
            topic, payload = session.in_flight.pop(session.confirmed.get(), ("", b""))
            with self._lock:
                if self._unsaid.get(topic) is payload:
                    del self._unsaid[topic]
        with self._lock:
            busy = set(session.in_flight.values())
            room = IN_FLIGHT - len(busy)
            saying = [item for item in self._unsaid.items() if item not in busy][: max(room, 0)]
            wanted = set(self._fetch)
        for topic, payload in saying:
            info = session.client.publish(topic, payload, qos=1, retain=True)
            session.in_flight[info.mid] = (topic, payload)
        if wanted - session.fetching:
            self._subscribe(session, sorted(wanted - session.fetching))
        if session.fetching - wanted:
            session.client.unsubscribe(sorted(session.fetching - wanted))
        session.fetching = wanted
