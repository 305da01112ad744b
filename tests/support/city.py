"""A City OS in miniature: takes batches, remembers what it holds, acknowledges it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from edgenode.wire import Ack, Batch, Birth, State, decode, encode, schema_of
from tests.support.outbox import NODE, SPOOL
from tests.support.ports import until

PREFIX = "edgenode/v1"


class City:
    """Subscribes to everything of every node on one broker; `held` can outlive it.

    A `silent` one stores and says nothing. `copies` counts how often each batch came.
    """

    def __init__(
        self,
        port: int,
        *,
        held: dict[bytes, set[tuple[int, int]]] | None = None,
        silent: bool = False,
        ca: Path | None = None,
    ) -> None:
        self.held: dict[bytes, set[tuple[int, int]]] = {} if held is None else held
        self.copies: dict[tuple[bytes, int, int], int] = {}
        self.order: list[tuple[str, int, int]] = []  # kind, stream, seq, as they came
        self.batches: list[Batch] = []
        self.births: dict[bytes, Birth] = {}
        self.states: list[State] = []
        self.acking = not silent
        self.asking = False  # for what is missing between what is held
        self.topics: set[str] = set()
        self._granted = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="city", clean_session=False,
            reconnect_on_failure=True,
        )  # fmt: skip
        self._client.username_pw_set("receiver", "receiver")
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda *_: self._client.subscribe(f"{PREFIX}/+/#", qos=1)  # type: ignore[assignment]
        self._client.on_subscribe = lambda *_: self._granted.set()
        self._client.on_message = lambda _client, _userdata, message: self._take(message)
        if ca is not None:
            self._client.tls_set(str(ca))
        self._client.connect("127.0.0.1" if ca is None else "localhost", port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        assert self._granted.wait(10), "the city's own subscription was not granted"
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, leaf: str, payload: bytes, node: bytes = NODE) -> None:
        """Publish something retained under a node's topics."""
        info = self._client.publish(f"{PREFIX}/{node.hex()}/{leaf}", payload, qos=1, retain=True)
        assert info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS
        until(info.is_published, f"the city's own message on {leaf}")

    def acknowledge(
        self,
        spool: bytes = SPOOL,
        births: tuple[bytes, ...] = (),
        *,
        resend: tuple[tuple[int, int, int], ...] = (),
    ) -> None:
        """Publish a whole ack for one spool."""
        ack = self.ack(spool, births, resend=resend)
        self._client.publish(f"{PREFIX}/{NODE.hex()}/ack", encode(ack), qos=1, retain=True)

    def ack(
        self,
        spool: bytes = SPOOL,
        births: tuple[bytes, ...] = (),
        *,
        resend: tuple[tuple[int, int, int], ...] = (),
        node: bytes = NODE,
    ) -> Ack:
        """Return the ack of all that is held."""
        ranges: dict[int, tuple[tuple[int, int], ...]] = {}
        for stream, seq in sorted(self.held.get(spool, ())):
            found = ranges.get(stream, ())
            if found and found[-1][1] + 1 == seq:
                ranges[stream] = (*found[:-1], (found[-1][0], seq))
            else:
                ranges[stream] = (*found, (seq, seq))
        return Ack(node, spool, ranges, resend=resend, births=births)

    def gaps(self, spool: bytes) -> tuple[tuple[int, int, int], ...]:
        """Return what is missing between what is held, as ranges of one batch."""
        held = self.held.get(spool, set())
        newest = {stream: max(seq for s, seq in held if s == stream) for stream, _ in held}
        return tuple(
            (stream, seq, seq)
            for stream, last in sorted(newest.items())
            for seq in range(1, last)
            if (stream, seq) not in held
        )

    def has(self, count: int, spool: bytes = SPOOL) -> bool:
        """Tell whether that many batches of a spool are held."""
        return len(self.held.get(spool, ())) >= count

    def _take(self, message: mqtt.MQTTMessage) -> None:
        if message.topic.endswith("/ack") or not message.payload:
            return
        self.topics.add(message.topic)
        told = decode(bytes(message.payload))
        if isinstance(told, Batch):
            assert message.topic == f"{PREFIX}/{told.node.hex()}/batch/{told.stream}"
            key = (told.spool, int(told.stream), told.seq)
            self.copies[key] = self.copies.get(key, 0) + 1
            self.held.setdefault(told.spool, set()).add(key[1:])
            self.batches.append(told)
            self.order.append(("batch", *key[1:]))
            if self.acking:
                self.acknowledge(told.spool, resend=self.gaps(told.spool) if self.asking else ())
        elif isinstance(told, State):
            self.states.append(told)
            self.order.append(("state", 0, 0))
        else:
            if isinstance(told, Birth):
                self.births[schema_of(told.groups)] = told
            self.order.append(("birth" if isinstance(told, Birth) else "about", 0, 0))
