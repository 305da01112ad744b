import logging
import os
import signal
import threading
from collections.abc import Iterator

import pytest

from edgenode.node import Stop


@pytest.fixture
def stop() -> Iterator[Stop]:
    """A stop that listens; signals and threads are given back afterwards."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    handlers, hook = [signal.getsignal(number) for number in numbers], threading.excepthook
    made = Stop()
    made.listen()
    yield made
    threading.excepthook = hook
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


def fail() -> None:
    raise LookupError("a defect")


def died(name: str) -> None:
    thread = threading.Thread(target=fail, name=name)
    thread.start()
    thread.join(10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_the_end_and_is_no_defect(stop: Stop, number: int) -> None:
    os.kill(os.getpid(), number)
    assert stop.wait(5)
    assert not stop.defect


def test_a_thread_that_dies_of_a_defect_ends_the_daemon(
    stop: Stop, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL):
        died("bus-wire")
    assert stop.is_set()
    assert stop.defect
    assert "bus-wire died of a defect" in caplog.text
    assert "LookupError: a defect" in caplog.text


def test_who_is_left_behind_while_the_daemon_leaves_is_no_defect(stop: Stop) -> None:
    stop.set()
    died("bus-wire")
    assert not stop.defect
