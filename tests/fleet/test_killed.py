"""Whatever is killed, and whenever: what nodes made is what PostgreSQL holds, row by row."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edgenode.cityos.sink import Sink
from edgenode.fleet import Fleet, Plan
from edgenode.fleet.verdict import judge
from edgenode.uplink import Broker
from tests.support.place import Place

SEED: Final = 20  # of what is killed, and when
SECONDS: Final = 10.0
QUIET_S: Final = 2.5  # at the end, so that the last batches meet whoever has to store them
PAUSE_S: Final = (0.2, 0.9)  # between a part that is back and the next that is killed


@contextmanager
def struck(place: Place) -> Iterator[list[str]]:
    """Kill one part after the other, in a thread of its own; yield which."""
    chance = random.Random(SEED)
    over = threading.Event()
    blows: dict[str, Callable[[], None]] = {
        "PostgreSQL": place.kill_postgres,
        "first receiver": lambda: place.kill_receiver(0),
        "second receiver": lambda: place.kill_receiver(1),
        "first broker": lambda: place.kill_broker(0),
        "second broker": lambda: place.kill_broker(1),
    }
    struck: list[str] = []

    def strike() -> None:
        bag: list[str] = []
        while not over.wait(chance.uniform(*PAUSE_S)):
            bag = bag or chance.sample(sorted(blows), len(blows))
            struck.append(bag.pop())
            blows[struck[-1]]()

    thread = threading.Thread(target=strike, name="blows")
    timer = threading.Timer(SECONDS - QUIET_S, over.set)
    thread.start()
    timer.start()
    try:
        yield struck
    finally:
        timer.cancel()
        over.set()
        thread.join()


def test_the_ledger_is_the_table_whoever_was_killed_meanwhile(tmp_path: Path) -> None:
    """Two brokers, two receivers that share, PostgreSQL, six simulated nodes and two daemons."""
    with Place(tmp_path, save_s=1) as place:
        plan = Plan(
            run=1,
            directory=tmp_path / "fleet",
            brokers=tuple(Broker("127.0.0.1", each.port, tls=False) for each in place.brokers),
            nodes=6,
            real=2,
            channels=6,
            every_ms=500,
            seconds=SECONDS,
            commit_ms=200,
            window_ms=500,
            ramp_s=0.3,
            settle_s=60.0,
            flaps_per_h=0.0,
            kills=3,
        )
        with Fleet(plan, place.url) as fleet, struck(place) as blows:
            outcome = fleet.run(lambda _: None)
        with Sink.open(place.url, readonly=True) as sink:
            verdict = judge(plan, fleet.real, outcome, sink)
    assert len(set(blows)) == 5, blows
    assert verdict.simulated is not None
    assert verdict.simulated.found.made > 6 * 6 * 12
    assert verdict.well, (blows, verdict)
