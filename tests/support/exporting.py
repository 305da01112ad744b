"""An exporter that does not wait, with what it said and how long it would have waited."""

from __future__ import annotations

from collections.abc import Sequence

from edgenode.cityos.export.drain import Drain
from edgenode.cityos.export.entities import Mapper
from edgenode.cityos.export.ngsild import NgsiLd
from edgenode.cityos.export.places import Places
from edgenode.cityos.export.state import State
from edgenode.cityos.export.web import Client, target
from edgenode.cityos.outbox import Outbox
from edgenode.cityos.sink import Sink
from edgenode.reading import Privacy
from tests.support.ngsild import Broker
from tests.support.told import START


class Waits:
    """Stands for waiting: remembers how long, and tells to stop after `most` waits."""

    def __init__(self, most: int = 50) -> None:
        self.seconds: list[float] = []
        self.most = most

    def __call__(self, seconds: float) -> bool:
        if seconds:
            self.seconds.append(seconds)
        return len(self.seconds) > self.most


class Export:
    """An exporter to the strict broker, with what it said and how long it waited."""

    def __init__(self, sink: Sink, broker: Broker) -> None:
        self.sink = sink
        self.broker = broker
        self.waits = Waits()
        self.said: list[str] = []
        self.state = State(sink, "ngsi-ld")

    def run(
        self,
        *,
        context: Sequence[str] = (),
        temporal: bool = True,
        most_private: Privacy = Privacy.OPEN,
    ) -> int:
        """Drain the outbox once with a fresh exporter, as after a restart."""
        places = Places(self.sink)
        client = Client(target(self.broker.url), self.waits, self.said.append)
        exporter = NgsiLd(
            client, Mapper(places), self.state, lambda: START, context=context, temporal=temporal
        )
        outbox = Outbox(self.sink, "ngsi-ld")
        try:
            drain = Drain(outbox, places, exporter, self.said.append, most_private)
            return drain.run(self.waits, once=True)
        finally:
            client.close()

    def rewind(self) -> None:
        """Forget that anything was handed on, as a crash before the commit would."""
        self.sink.db.execute("UPDATE exporter SET position = 0")
