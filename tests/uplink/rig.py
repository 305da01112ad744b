"""A node's uplink in its thread, with an outbox in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Self

from edgenode.clock import Clock, SystemClock
from edgenode.reading import Event
from edgenode.spool import Traffic
from edgenode.uplink import Broker, Uplink, UplinkOptions
from edgenode.wire import About, encode
from tests.support.outbox import NODE, MemoryOutbox
from tests.support.ports import until

ABOUT = encode(About(NODE, {"name": "Test corner"}))
QUICK = {"backoff_ms": 100, "backoff_max_ms": 400, "backlog_per_s": float("inf")}


def plain(*ports: int) -> tuple[Broker, ...]:
    """Brokers of the loopback without TLS, in this order."""
    return tuple(Broker("127.0.0.1", port, tls=False) for port in ports)


class Node:
    """Runs an uplink; `options` overrule the quick ones, `before` is called in its thread first."""

    def __init__(
        self,
        brokers: Sequence[Broker],
        *boxes: MemoryOutbox,
        clock: Clock | None = None,
        before: Callable[[], None] | None = None,
        traffic: Traffic | None = None,
        identity: bytes = NODE,
        **options: Any,
    ) -> None:
        self.boxes = boxes or (MemoryOutbox(),)
        self.box = self.boxes[0]
        self.events: list[Event] = []
        merged = {**QUICK, **options}
        self.uplink = Uplink(
            UplinkOptions(node=identity, brokers=tuple(brokers), **merged),
            self.boxes,
            ABOUT if identity == NODE else encode(About(identity, {"name": "Test corner"})),
            clock or SystemClock(),
            self.events.append,
            traffic,
        )
        self._stop = threading.Event()
        self._before = before
        self._thread = threading.Thread(target=self._run, name="uplink")

    def _run(self) -> None:
        if self._before is not None:
            self._before()
        self.uplink.run(self._stop)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it; its thread must end soon."""
        self._stop.set()
        self.uplink.wake()
        self._thread.join(8)
        assert not self._thread.is_alive(), "the uplink did not stop"

    def connected(self, seconds: float = 15.0) -> None:
        """Wait for a session with its first PUBACK."""
        until(lambda: self.uplink.stats().last_puback_ms is not None, "first PUBACK", seconds)

    def delivered(self, seconds: float = 15.0) -> None:
        """Wait until the City OS has acknowledged all there is."""
        until(lambda: not self.box.held(), f"custody given away: {self.uplink.stats()}", seconds)
