"""Lamps: steady, blinking, dark, and dark at the end."""

from __future__ import annotations

import threading
import time

import pytest

from edgenode.bus import Lamp, open_lamp
from edgenode.errors import BusError
from tests.support.fake_chip import FakeChip


def until_changed(chip: FakeChip, level: int) -> None:
    deadline = time.monotonic() + 5
    while chip.levels[6] == level:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def shown(lamp: Lamp, every_s: float) -> None:
    """Show a rhythm again and again."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        lamp.show(every_s, every_s)
        time.sleep(every_s)


@pytest.mark.parametrize("active_low", [False, True])
def test_a_lamp_is_dark_until_told_and_dark_when_closed(
    chip: FakeChip, *, active_low: bool
) -> None:
    lamp: Lamp = open_lamp(chip.path, 6, active_low=active_low)
    assert chip.levels[6] == int(active_low)
    lamp.show(1, 0)
    assert chip.levels[6] == int(not active_low)
    lamp.show(0, 1)
    assert chip.levels[6] == int(active_low)
    lamp.show(1, 0)
    lamp.close()
    lamp.close()
    assert chip.levels[6] == int(active_low)


def test_a_rhythm_goes_on_by_itself_until_told_otherwise(chip: FakeChip) -> None:
    lamp = open_lamp(chip.path, 6)
    lamp.show(0.002, 0.002)
    for level in (0, 1, 0):
        until_changed(chip, level)
    lamp.show(0, 1)
    assert chip.levels[6] == 0
    lamp.close()


def test_telling_the_same_rhythm_again_does_not_begin_it_anew(chip: FakeChip) -> None:
    lamp = open_lamp(chip.path, 6)
    lamp.show(60, 60)
    blinking = {thread.ident for thread in threading.enumerate()}
    lamp.show(60, 60)
    assert {thread.ident for thread in threading.enumerate()} == blinking
    lamp.close()
    assert {thread.ident for thread in threading.enumerate()} < blinking


def test_a_chip_that_goes_is_a_bus_error_of_the_next_show_and_of_no_thread(
    chip: FakeChip, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    lamp = open_lamp(chip.path, 6)
    lamp.show(0.001, 0.001)
    chip.vanish()
    with pytest.raises(BusError, match="chip gone"):
        shown(lamp, 0.001)
    lamp.close()
    assert died == []


def test_a_line_of_another_program_is_a_bus_error(chip: FakeChip) -> None:
    chip.refusal = 16
    with pytest.raises(BusError, match="gpioinfo names it"):
        open_lamp(chip.path, 6)
