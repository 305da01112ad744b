"""Brokers that know only MQTT 3.1.1, each with its own way to refuse 5 (broker-notes)."""

from __future__ import annotations

from tests.support.proxy import Instead, Proxy


def asks_for_5(data: bytes) -> bool:
    """Tell a CONNECT of MQTT 5 by its protocol level (section 3.1.2.2)."""
    return data[:1] == b"\x10" and b"\x00\x04MQTT\x05" in data[:16]


class OldOnly(Proxy):
    """Stands before a broker and refuses MQTT 5; counts how often it was asked for it."""

    def __init__(self, target: int, refusal: Instead) -> None:
        super().__init__(target)
        self.refused = 0
        self._refusal = refusal
        self.meddle = self._refuse

    def _refuse(self, data: bytes) -> Instead | None:
        if not asks_for_5(data):
            return None
        self.refused += 1
        return self._refusal


def end_of_file(target: int) -> OldOnly:
    """RabbitMQ 3.10 closes without a word."""
    return OldOnly(target, Instead())


def connack(target: int, code: int) -> OldOnly:
    """NATS 2.9 answers 0x01 in the words of 3.1.1, then closes; 5's own codes have properties."""
    body = bytes([0, code]) if code < 0x80 else bytes([0, code, 0])
    return OldOnly(target, Instead(bytes([0x20, len(body)]) + body))


def silence(target: int) -> OldOnly:
    """Make a broker like amqtt 0.12: it hangs without a byte."""
    return OldOnly(target, Instead(close=False))
