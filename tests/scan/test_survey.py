"""All wires at once: what stops, hangs or fails on one of them costs the others nothing."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator

import pytest

from edgenode.scan import Seen, Wire, survey
from edgenode.scan.survey import DEFECT, STOPPED

WIRES = [Wire("i2c", "/dev/i2c-1"), Wire("gpio", "/dev/gpiochip0")]
module = sys.modules["edgenode.scan.survey"]  # its name is that of a function, too


@pytest.fixture
def released() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_scan_that_is_stopped_tells_what_was_seen_though_a_wire_hangs(
    monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> None:
    stop = threading.Event()

    def hanging(_path: str, _stop: threading.Event) -> Iterator[Seen]:
        yield Seen("0x40", "a part")
        stop.set()
        released.wait(30)

    monkeypatch.setattr(module, "GRACE_S", 0.05)
    monkeypatch.setattr(module, "survey_i2c", hanging)
    monkeypatch.setattr(module, "survey_gpio", lambda *_: iter([Seen("", "lines")]))
    began = time.monotonic()
    first, second = survey(WIRES, stop)
    assert time.monotonic() - began < 1
    assert (first.seen, first.problem) == ((Seen("0x40", "a part"),), STOPPED)
    assert second.seen == (Seen("", "lines"),)


def test_a_wire_that_was_done_before_is_not_told_as_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop, done = threading.Event(), threading.Event()

    def late(_path: str, _stop: threading.Event) -> Iterator[Seen]:
        done.wait(5)
        stop.set()
        yield Seen("", "lines")

    def early(_path: str, _stop: threading.Event) -> Iterator[Seen]:
        yield Seen("0x40", "a part")

    monkeypatch.setattr(module, "survey_i2c", early)
    monkeypatch.setattr(module, "survey_gpio", late)
    found = survey(WIRES, stop)
    first = next(found)
    done.set()
    second = next(found)
    assert (first.problem, second.problem) == ("", STOPPED)


def test_a_driver_that_fails_costs_its_own_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_path: str, _stop: threading.Event) -> Iterator[Seen]:
        yield Seen("0x40", "a part")
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(module, "survey_i2c", failing)
    monkeypatch.setattr(module, "survey_gpio", lambda *_: iter([Seen("", "lines")]))
    first, second = survey(WIRES, threading.Event())
    assert first.problem == f"ZeroDivisionError: division by zero; {DEFECT}"
    assert (len(first.seen), len(second.seen)) == (1, 1)
