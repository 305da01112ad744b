"""Every wait ends on the stop, also those that cannot be interrupted."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

from pytest_mock import MockerFixture

from edgenode.clock import SystemClock
from edgenode.uplink import Broker, UplinkOptions
from edgenode.uplink.dial import Dialer
from edgenode.uplink.stats import UplinkStats
from edgenode.uplink.wait import Waiter
from tests.support.descriptors import open_descriptors
from tests.support.outbox import NODE
from tests.support.ports import until
from tests.uplink.paho import FakeClient
from tests.uplink.rig import Node, plain


class _Resolving(FakeClient):
    """A connect that hangs, as name resolution can."""

    begun = threading.Event()
    go_on = threading.Event()

    def connect(self, *_args: Any, **_kwargs: Any) -> int:
        self.begun.set()
        self.go_on.wait(30)
        return 0


def test_a_stop_does_not_wait_for_name_resolution(mocker: MockerFixture) -> None:
    mocker.patch("edgenode.uplink.session.mqtt.Client", _Resolving)
    node = Node([Broker("slow.example", tls=False)])
    try:
        with node:
            assert _Resolving.begun.wait(5)
            began = time.monotonic()
        assert time.monotonic() - began < 1.0
    finally:
        _Resolving.go_on.set()
    dials = [one for one in threading.enumerate() if one.name == "uplink-dial"]
    for thread in dials:
        thread.join(5)
        assert not thread.is_alive()


def test_a_stop_does_not_wait_for_the_backoff() -> None:
    node = Node(plain(1), backoff_ms=3_600_000)
    with node:
        until(lambda: node.uplink.stats().last_error, "a failed attempt")
        began = time.monotonic()
    assert time.monotonic() - began < 1.0


def test_progress_goes_on_while_nothing_else_does(mocker: MockerFixture) -> None:
    """A watchdog must not take a dead network for a dead thread."""
    with Node(plain(1), backoff_ms=3_600_000) as node:
        for _ in range(3):
            _progresses(node)


def _progresses(node: Node) -> None:
    before = node.uplink.progress
    until(lambda: node.uplink.progress > before, "progress", 3)


class _Lingering(Waiter):
    """Wakes while the thread that does so is not over yet, as it happens on a busy machine."""

    over = threading.Event()
    in_vain = False

    def wake(self) -> None:
        super().wake()
        self.in_vain = not self.over.wait(2)


def test_a_dial_goes_on_as_soon_as_it_is_woken() -> None:
    options = UplinkOptions(node=NODE, brokers=plain(1))
    waiter = _Lingering(threading.Event(), lambda: None)
    dialer = Dialer(options, SystemClock(), UplinkStats(), lambda: None)
    assert waiter.drive(dialer.attempt(plain(1)[0], waiter)) is None
    assert not waiter.in_vain
    waiter.over.set()


def test_an_uplink_that_has_ended_holds_no_descriptor() -> None:
    """As after a reload: what is no longer used is collected much later."""
    node = Node(plain(1), backoff_ms=3_600_000)
    gc.collect()  # what other tests left is not this one's to count
    before = open_descriptors()
    with node:
        until(lambda: node.uplink.stats().last_error, "a failed attempt")
    assert open_descriptors() == before
    node.uplink.wake()
