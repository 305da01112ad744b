import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from edgenode.errors import NodeError
from edgenode.node import Stop
from edgenode.node.stop import ERRANDS


@pytest.fixture
def stop() -> Iterator[Stop]:
    """A stop that listens; signals and threads are given back afterwards."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
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


def test_a_hang_up_asks_to_reload_once_and_wakes_at_once(stop: Stop) -> None:
    os.kill(os.getpid(), signal.SIGHUP)
    assert not stop.pause(60)
    assert stop.reload_asked()
    assert not stop.reload_asked()


def asked(stop: Stop, work: Callable[[], object]) -> list[object]:
    """Ask from another thread while this one, the main thread, serves."""
    got: list[object] = []

    def ask() -> None:
        try:
            got.append(stop.ask(work, 10))
        except NodeError as exc:
            got.append(str(exc))

    thread = threading.Thread(target=ask)
    thread.start()
    stop.pause(10)
    stop.serve()
    thread.join(10)
    return got


def test_an_errand_is_done_by_the_main_thread_and_answered(stop: Stop) -> None:
    assert asked(stop, lambda: threading.current_thread().name) == ["MainThread"]


def test_an_errand_that_fails_tells_whoever_asked(stop: Stop) -> None:
    def fails() -> None:
        raise NodeError("not with this file")

    assert asked(stop, fails) == ["not with this file"]
    assert not stop.is_set()


def test_more_errands_than_can_wait_are_refused_at_once(stop: Stop) -> None:
    for _ in range(ERRANDS):
        with pytest.raises(NodeError, match="do it later"):
            stop.ask(lambda: None, 0)
    with pytest.raises(NodeError, match="too much to do"):
        stop.ask(lambda: None, 60)


def test_the_end_is_seen_at_once_although_nothing_else_happens(stop: Stop) -> None:
    stop.set()
    assert stop.pause(60)
