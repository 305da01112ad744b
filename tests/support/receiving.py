"""The city's receiver in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edgenode.cityos.brokers import CityBroker
from edgenode.cityos.city import CityOptions
from edgenode.cityos.receiver import Receiver
from edgenode.cityos.sink import Sink
from edgenode.errors import CityError


@contextmanager
def receiving(
    db: Path | str,
    brokers: Sequence[CityBroker],
    report: Callable[[str], None] = print,
    options: CityOptions | None = None,
    *,
    ready: bool = True,
) -> Iterator[Receiver]:
    """A receiver in a thread of its own, subscribed everywhere unless `ready` is false."""
    made: list[Receiver] = []
    failures: list[CityError] = []
    there = threading.Event()

    def run() -> None:
        with Sink.open(db) as sink:
            made.append(Receiver(brokers, sink, options or CityOptions(), report))
            there.set()
            try:
                made[0].run()
            except CityError as exc:
                failures.append(exc)

    thread = threading.Thread(target=run, name="city")
    thread.start()
    assert there.wait(10)
    try:
        if ready:
            assert len(made[0].wait_ready(15)) == len(brokers)
        yield made[0]
    finally:
        made[0].stop()
        thread.join(20)
    assert not thread.is_alive()
    assert failures == []
