"""A node's bare MQTT client: publishes what it is given and hears its acks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edgenode.cityos.intake import Incoming
from edgenode.wire import Ack, decode
from tests.support.sender import Sender


class Wire:
    """A node's own client on one broker: publishes, and hears its acks."""

    def __init__(self, port: int, sender: Sender) -> None:
        self.acks: list[Ack] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_message = lambda _c, _u, m: self.acks.append(self._ack(m.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe(f"{sender.base}/ack", 1)

    @staticmethod
    def _ack(payload: bytes | bytearray) -> Ack:
        ack = decode(bytes(payload))
        assert isinstance(ack, Ack)
        return ack

    def publish(self, messages: Sequence[Incoming]) -> None:
        for message in messages:
            retain = "/batch/" not in message.topic
            self._client.publish(message.topic, message.payload, 1, retain).wait_for_publish(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def acked(self, last: int) -> bool:
        return any(ack.ranges == {0: ((1, last),)} for ack in self.acks)


@contextmanager
def wire(port: int, sender: Sender) -> Iterator[Wire]:
    connected = Wire(port, sender)
    try:
        yield connected
    finally:
        connected.close()
