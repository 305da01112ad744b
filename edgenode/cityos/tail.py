"""Readings as they arrive at a broker: a listener that stores nothing and acknowledges nothing."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import TypeVar

from edgenode.cityos import topics
from edgenode.cityos.brokers import CityBroker
from edgenode.cityos.inbox import Delivery, Inbox
from edgenode.cityos.link import Link
from edgenode.cityos.plain import Plain, rows
from edgenode.cityos.timing import Timeline
from edgenode.errors import WireError
from edgenode.reading import Anchor
from edgenode.wire import Batch, Birth, decode

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_WAITING = 256  # batches kept until their birth comes, the oldest given up
MAX_KNOWN = 1_024  # births and boots remembered
TAKE = 64
WAIT_S = 60.0


class Tail:
    """Follows one node or all of them; `rows` ends after `stop`."""

    def __init__(
        self,
        broker: CityBroker,
        prefix: str,
        node: bytes | None,
        report: Callable[[str], None],
    ) -> None:
        self._prefix = prefix
        self._report = report
        self._inbox = Inbox()
        self._stop = threading.Event()
        self._births: OrderedDict[tuple[bytes, bytes], Birth] = OrderedDict()
        self._anchors: OrderedDict[tuple[bytes, bytes, int], set[Anchor]] = OrderedDict()
        self._waiting: deque[Batch] = deque(maxlen=MAX_WAITING)
        filters = [topic for topic in topics.filters(prefix, node) if "/b" in topic]
        name = f"tail-{secrets.token_hex(6)}"
        self._link = Link(broker, name, filters, self._inbox.put, report, persistent=False)

    def stop(self) -> None:
        """End `rows` soon; safe in a signal handler."""
        self._stop.set()
        self._inbox.wake()

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until the broker has granted the subscriptions; False when it did not in time."""
        return self._link.ready.wait(timeout_s)

    def rows(self) -> Iterator[Plain]:
        """Yield readings and events as plain values with their "node", as they come."""
        self._link.start()
        try:
            while not self._stop.is_set():
                for delivery in self._inbox.take(TAKE, WAIT_S):
                    delivery.release()
                    yield from self._take(delivery)
        finally:
            self._inbox.close()
            self._link.close()
            self._link.join()

    def _take(self, delivery: Delivery) -> Iterator[Plain]:
        topic, payload, _, _ = delivery.message
        try:
            message = decode(payload)
            if isinstance(message, Birth):
                yield from self._birth(message, topic)
            elif isinstance(message, Batch):
                yield from self._batch(message)
        except WireError as exc:
            self._report(f"{topic}: {exc}")

    def _birth(self, birth: Birth, topic: str) -> Iterator[Plain]:
        _remember(self._births, (birth.node, birth.schema), birth)
        self._link.fetched(topic)
        waiting, self._waiting = self._waiting, deque(maxlen=MAX_WAITING)
        for batch in waiting:
            yield from self._batch(batch)

    def _batch(self, batch: Batch) -> Iterator[Plain]:
        boot = (batch.node, batch.spool, batch.epoch)
        anchors = self._anchors.get(boot, set()) | set(batch.anchors)
        _remember(self._anchors, boot, anchors)
        birth = self._births.get((batch.node, batch.schema))
        if birth is None:
            self._waiting.append(batch)
            self._link.fetch(topics.exact(self._prefix, batch.node, batch.schema)[0])
            return
        for row in rows(batch, birth, Timeline(anchors)):
            yield {"node": batch.node.hex(), **row}


def _remember(table: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > MAX_KNOWN:
        table.popitem(last=False)
