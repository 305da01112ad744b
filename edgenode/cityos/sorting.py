"""What a message is, by its bytes and its topic alone."""

from __future__ import annotations

from typing import NamedTuple

from edgenode.cityos.topics import Address, parse
from edgenode.errors import UnknownVersion, WireError
from edgenode.wire import About, Ack, Batch, Birth, State, decode


class Refusal(NamedTuple):
    """Why a message is not accepted, and whose topic it came on."""

    node: bytes
    reason: str
    detail: str


Sorted = Batch | Birth | About | State | Refusal | None  # None: a retained message was cleared


def sort(prefix: str, topic: str, payload: bytes) -> Sorted:
    """Say what a message is, or why it is refused."""
    address = parse(prefix, topic)
    if address is None:
        return Refusal(b"", "topic", "no node publishes on this topic")
    if not payload:
        return None
    try:
        decoded = decode(payload)
    except UnknownVersion as exc:
        return Refusal(address.node, "version", str(exc))
    except WireError as exc:
        return Refusal(address.node, "bytes", str(exc))
    if decoded.node != address.node:
        detail = f"the message of node {decoded.node.hex()} came on {topic}"
        return Refusal(address.node, "forged", detail)
    return _placed(address, topic, decoded)


def _placed(
    address: Address, topic: str, decoded: Batch | Birth | About | State | Ack
) -> Batch | Birth | About | State | Refusal:
    """Hold a message against the topic it came on."""
    reason, detail = "kind", f"a {type(decoded).__name__.lower()} does not belong on {topic}"
    match address.kind, decoded:
        case "batch", Batch():
            if int(address.detail) == decoded.stream:
                return decoded
            reason, detail = "stream", f"a batch of stream {decoded.stream} came on {topic}"
        case "birth", Birth():
            if address.detail == decoded.schema.hex():
                return decoded
            reason, detail = "forged", f"the birth of schema {decoded.schema.hex()} came on {topic}"
        case "about", About():
            return decoded
        case "state", State():
            return decoded
    return Refusal(address.node, reason, detail)
