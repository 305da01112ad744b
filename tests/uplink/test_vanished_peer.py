"""The peer's host vanishes while TCP stays open: the case in which gateways lose data."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.uplink import Broker
from tests.support.city import City
from tests.support.mosquitto import Mosquitto
from tests.support.netns import OUTSIDE, Namespace
from tests.support.outbox import SPOOL
from tests.support.ports import free_port, until
from tests.uplink.rig import Node

pytestmark = pytest.mark.root


@pytest.fixture
def far() -> Iterator[Namespace]:
    with Namespace() as namespace:
        yield namespace


def _vanish(far: Namespace, tmp_path: Path, seconds: float, **options: Any) -> None:
    """Seal ten batches a second through a cut of so many seconds; all must arrive."""
    port = free_port()
    lines = [f"listener {port} {OUTSIDE}"]
    with (
        Mosquitto(tmp_path / "broker", lines) as broker,
        City(broker.port) as city,
        Node([Broker(OUTSIDE, port, tls=False)], before=far.enter, **options) as node,
    ):
        node.box.seal()
        node.delivered()
        far.cut()
        ends = time.monotonic() + seconds
        wait = threading.Event()
        while time.monotonic() < ends:
            node.box.seal()
            wait.wait(0.1)
        sealed = len(node.box.held()) + 1
        assert sealed >= seconds * 5
        assert node.box.unconfirmed() == 0  # nothing was called delivered on the way
        far.mend()
        node.delivered(60)
        assert len(city.held[SPOOL]) == sealed
        assert node.box.aside == []
        until(lambda: node.uplink.stats().connected, "connected again")


def test_a_vanished_host_costs_nothing(far: Namespace, tmp_path: Path) -> None:
    _vanish(far, tmp_path, 4, puback_ms=1_500, connect_ms=500, connack_ms=500)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_host_that_vanished_for_a_minute_costs_nothing(far: Namespace, tmp_path: Path) -> None:
    """With the deadlines as shipped."""
    _vanish(far, tmp_path, 60)
