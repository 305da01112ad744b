"""Topics of edge-batch v1: `<prefix>/<node>/batch/<stream>` and its sisters."""

from __future__ import annotations

import re
from typing import NamedTuple

PREFIX = "edgenode/v1"
BATCHES = "batch/#"
KINDS = (BATCHES, "birth/#", "about", "state")  # what a receiver subscribes to
_REST = re.compile(
    r"([0-9a-f]{8,32})/(?:(batch)/(1[0-5]|[0-9])|(birth)/([0-9a-f]{16})|(about|state))"
)


class Address(NamedTuple):
    """A topic taken apart: `detail` is the stream of a batch or the schema of a birth."""

    node: bytes
    kind: str  # batch, birth, about, state
    detail: str = ""


def parse(prefix: str, topic: str) -> Address | None:
    """Take a topic apart; None when no node of this prefix publishes there."""
    if not topic.startswith(f"{prefix}/"):
        return None
    found = _REST.fullmatch(topic, len(prefix) + 1)
    if found is None or len(found[1]) % 2:
        return None
    kind = found[2] or found[4] or found[6]
    return Address(bytes.fromhex(found[1]), kind, found[3] or found[5] or "")


def filters(prefix: str, node: bytes | None = None) -> list[str]:
    """Return what to subscribe to: of one node or of all."""
    who = "+" if node is None else node.hex()
    return [f"{prefix}/{who}/{kind}" for kind in KINDS]


def shared(group: str, filters: list[str]) -> list[str]:
    """Return the filters of one of a group of receivers: the batches are shared among them.

    What is retained does not come by a shared subscription (MQTT 5, 4.8.2).
    """
    return [f"$share/{group}/{x}" if x.endswith(BATCHES) else x for x in filters]


def exact(prefix: str, node: bytes, schema: bytes | None = None) -> list[str]:
    """Return the exact topics of a node, which bring retained messages on every broker."""
    base = f"{prefix}/{node.hex()}"
    births = [] if schema is None else [f"{base}/birth/{schema.hex()}"]
    return [*births, f"{base}/about", f"{base}/state"]


def ack(prefix: str, node: bytes) -> str:
    """Return where a node reads its acks."""
    return f"{prefix}/{node.hex()}/ack"
