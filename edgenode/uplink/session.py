"""One connection to one broker: a new paho client each time, driven by its own thread.

paho keeps unacknowledged messages and sends them again by itself when its `reconnect` is called.
Here the spool decides what is sent again, so a client lives for one connection only: it is never
reconnected, and nothing is ever published into it while it is not connected.
"""

from __future__ import annotations

import logging
import select
import socket
import ssl
from contextlib import suppress
from typing import Any, NamedTuple

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edgenode.clock import Clock
from edgenode.uplink import tls
from edgenode.uplink.meter import Meter, Tally
from edgenode.uplink.options import Broker, UplinkOptions
from edgenode.uplink.wait import TROUBLE

SEND_BUFFER = 65_536  # SO_SNDBUF: what a dead link can swallow before we notice
USER_TIMEOUT_MS = 20_000  # TCP_USER_TIMEOUT: sent and unacknowledged for so long is a dead link
RECEIVE_MAX = 262_144 + 1_024  # an ack of the largest size edge-batch v1 allows, and its topic
RECEIVE_MAXIMUM_DEFAULT = 65_535  # MQTT 5, section 3.2.2.3.3
# A TLS connection that ends without its goodbye is closed by the broker too: RabbitMQ does that.
HUNG_UP = (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError)
V5 = MQTTProtocolVersion.MQTTv5
V311 = MQTTProtocolVersion.MQTTv311


class Connack(NamedTuple):
    """The broker's answer to CONNECT, with the limits that paho does not keep by itself."""

    code: int  # a reason code of MQTT 5; those of 3.1.1 are translated by paho
    text: str
    receive_maximum: int = RECEIVE_MAXIMUM_DEFAULT
    packet_max: int | None = None  # MaximumPacketSize
    qos_max: int = 1


class Puback(NamedTuple):
    """A message id and its reason code; always 0 on MQTT 3.1.1."""

    mid: int
    code: int


class End(NamedTuple):
    """Why a session is over. `by_peer`: the broker closed it, the link did not just go silent."""

    text: str
    by_peer: bool = False
    code: int = 0  # of the broker's DISCONNECT


class Will(NamedTuple):
    """What the broker publishes, retained, when we vanish."""

    topic: str
    payload: bytes


class _LastError(logging.Handler):
    """Keeps the error that paho logs and does not hand over: why a socket was given up."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.error: OSError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        args = record.args if isinstance(record.args, tuple) else ()
        self.error = next((arg for arg in args if isinstance(arg, OSError)), self.error)


class Session:
    """From `open` to `ended`; what paho reports is collected for the forwarder to read."""

    def __init__(
        self,
        broker: Broker,
        version: MQTTProtocolVersion,
        options: UplinkOptions,
        will: Will | None,
        clock: Clock,
        tally: Tally | None = None,
    ) -> None:
        self.broker = broker
        self.version = version
        self.connack: Connack | None = None
        self.ended: End | None = None
        self.pubacks: list[Puback] = []
        self.messages: list[tuple[str, bytes]] = []
        self.refused_topics = 0  # filters that a SUBACK refused
        self.moved_ms = clock.boot_ms()  # when the kernel last took bytes of ours
        self.stamp: tuple[int, ...] = ()  # of the node's certificate that the broker was shown
        self._clock = clock
        self._meter = Meter(tally or Tally())
        self._options = options
        self._last = _LastError()
        self._client = self._make(version, options, will)

    def _make(
        self, version: MQTTProtocolVersion, options: UplinkOptions, will: Will | None
    ) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=options.client or options.node.hex(),
            clean_session=None if version == V5 else True,
            protocol=version,
            reconnect_on_failure=False,
        )
        client.connect_timeout = options.connect_ms / 1000
        client.max_inflight_messages_set(0)  # no limit in paho: beyond one it would queue
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        logger = logging.Logger("paho", logging.ERROR)  # noqa: LOG001 - this connection's own
        logger.addHandler(self._last)
        client.enable_logger(logger)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        return client

    def open(self) -> None:
        """Connect and send CONNECT; blocks for name resolution, TCP and TLS.

        Raises OSError (ssl.SSLError included) for the network, ValueError for a host name that
        cannot be one, NodeError for files of ours.
        """
        broker, options = self.broker, self._options
        self.stamp = tls.stamp(broker)  # before it is read: what is replaced meanwhile is noticed
        context = tls.context(broker)
        if context is not None:
            self._client.tls_set_context(context)
        self._client.username_pw_set(
            broker.username or options.node.hex(), tls.password(broker.password_file)
        )
        properties = None
        if self.version == V5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = RECEIVE_MAX
        self._client.connect(
            broker.host, broker.port, keepalive=options.keepalive_s, properties=properties
        )

    def fileno(self) -> int:
        """Return the socket's descriptor, -1 when there is none any more."""
        sock = self._client.socket()
        return -1 if sock is None else sock.fileno()

    @property
    def wants_write(self) -> bool:
        """Bytes of ours are waiting for the kernel to take them."""
        return self._client.want_write()

    def pump(self, events: int) -> None:
        """Move bytes as poll(2) found it possible, and let paho keep the keepalive."""
        sock = self._client.socket()
        if self.ended is not None or sock is None:
            return
        if events & select.POLLOUT:
            self.moved_ms = self._clock.boot_ms()
            self._check(self._client.loop_write())
        if events & (select.POLLIN | TROUBLE):
            self._read(sock)
        if self.ended is None:
            self._check(self._client.loop_misc())
        if (sock := self._client.socket()) is not None:
            self._meter.read(sock)

    def _read(self, sock: Any) -> None:
        """Read until poll(2) can be trusted again: TLS may hold more than the socket shows."""
        pending = getattr(sock, "pending", lambda: 0)
        while self.ended is None:
            self._check(self._client.loop_read())
            if self.ended is not None or not pending():
                return

    def subscribe(self, *topics: str) -> None:
        """Ask for topics at QoS 1; what is retained there arrives among `messages`."""
        if self.ended is None:
            code, _ = self._client.subscribe([(topic, 1) for topic in topics])
            self._check(code)

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> int | None:
        """Hand a message to the socket at QoS 1; return its id, None when the session is over."""
        if self.ended is not None:
            return None
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        self._check(info.rc)
        self._meter.handed(self.packet_size(topic, payload))
        return info.mid if self.ended is None else None

    def packet_size(self, topic: str, payload: bytes) -> int:
        """Return the size of such a PUBLISH packet in bytes (MQTT 5, section 3.3)."""
        rest = 2 + len(topic.encode()) + 2 + (self.version == V5) + len(payload)
        length_bytes = max(1, -(-rest.bit_length() // 7))  # seven bits of it in each byte
        return 1 + length_bytes + rest

    def leave(self) -> None:
        """Say goodbye, so that the broker keeps the Last Will to itself, and close."""
        if self.ended is None:
            self.ended = End("left")
            self._client.disconnect()
        self.drop("left")

    def drop(self, why: str) -> None:
        """Close without a word: the broker then publishes the Last Will."""
        if self.ended is None:
            self.ended = End(why)
        sock = self._client.socket()
        if sock is not None:
            self._meter.read(sock)
            sock.close()

    def _check(self, code: MQTTErrorCode | int) -> None:
        """End the session on an error code of paho, unless its disconnect callback did."""
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS and self.ended is None:
            self.drop(f"{self.broker.address}: {mqtt.error_string(code)}")

    def _on_socket_open(self, _client: mqtt.Client, _userdata: Any, sock: Any) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)

    def _on_socket_close(self, _client: mqtt.Client, _userdata: Any, sock: Any) -> None:
        self._meter.read(sock)  # paho closes it after this call

    def _on_connect(
        self, _client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, properties: Any
    ) -> None:
        self.connack = Connack(
            code=reason.value,
            text=str(reason),
            receive_maximum=getattr(properties, "ReceiveMaximum", RECEIVE_MAXIMUM_DEFAULT),
            packet_max=getattr(properties, "MaximumPacketSize", None),
            qos_max=getattr(properties, "MaximumQoS", 1),
        )

    def _on_disconnect(
        self, _client: mqtt.Client, _userdata: Any, flags: Any, reason: Any, _properties: Any
    ) -> None:
        if self.ended is not None:
            return
        where, error = self.broker.address, self._last.error
        if flags.is_disconnect_packet_from_server:
            code = reason.value if reason is not None else 0
            self.ended = End(f"{where}: broker disconnected: {reason}", by_peer=True, code=code)
        elif isinstance(error, HUNG_UP):
            self.ended = End(f"{where}: {error}", by_peer=True)
        elif error is not None:  # TCP_USER_TIMEOUT, no route, a TLS alert
            self.ended = End(f"{where}: {error}")
        elif reason.getName() == "Keep alive timeout":
            self.ended = End(f"{where}: no answer to a ping within the keepalive")
        elif reason.getName() == "Protocol error":
            self.ended = End(f"{where}: the answer is not of this MQTT version", by_peer=True)
        else:
            self.ended = End(f"{where}: connection closed by the broker", by_peer=True)

    def _on_publish(
        self, _client: mqtt.Client, _userdata: Any, mid: int, reason: Any, _properties: Any
    ) -> None:
        self.pubacks.append(Puback(mid, reason.value))

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        with suppress(UnicodeDecodeError):  # no topic that was asked for looks like that
            self.messages.append((message.topic, bytes(message.payload)))

    def _on_subscribe(
        self, _client: mqtt.Client, _userdata: Any, _mid: int, reasons: Any, _properties: Any
    ) -> None:
        self.refused_topics += sum(reason.is_failure for reason in reasons)
