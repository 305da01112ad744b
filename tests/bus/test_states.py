"""States of a line as changes with boot-time stamps, on a chip and on a virtual instrument."""

from __future__ import annotations

import select
import time
from pathlib import Path

import pytest

from edgenode.bus import Bias, StateLine, open_state
from edgenode.bus.states import GpiozeroState
from edgenode.errors import BusError
from tests.support.descriptors import open_descriptors
from tests.support.fake_chip import FakeChip


@pytest.mark.parametrize(("active_low", "high"), [(False, 1), (True, 0)])
def test_a_line_begins_as_it_is_found(chip: FakeChip, *, active_low: bool, high: int) -> None:
    chip.levels[4] = high
    line = open_state(chip.path, 4, active_low=active_low)
    assert line.active
    assert line.changes() == ([], 0)
    line.close()


@pytest.mark.parametrize("bias", ["as-is", "pull-up", "pull-down", "disabled"])
@pytest.mark.parametrize("active_low", [False, True])
def test_every_pull_goes_with_either_polarity(
    chip: FakeChip, bias: Bias, *, active_low: bool
) -> None:
    flags = {"as-is": 0, "pull-up": 1 << 8, "pull-down": 1 << 9, "disabled": 1 << 10}
    line = open_state(chip.path, 4, bias=bias, active_low=active_low, debounce_us=20_000)
    assert chip.held[4].flags == 1 << 2 | 1 << 4 | 1 << 5 | flags[bias]
    chip.edge(4, 1)
    assert [change.active for change in line.changes()[0]] == [not active_low]
    chip.edge(4, 0)
    assert [change.active for change in line.changes()[0]] == [active_low]
    line.close()


def test_changes_carry_the_kernels_stamp_in_boot_time(
    chip: FakeChip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenode.bus.gpio.suspended_ns", lambda: 7_000_000_000)
    line = open_state(chip.path, 4)
    chip.edge(4, 1, stamp_ns=1_500_000_000)
    chip.edge(4, 0, stamp_ns=1_750_999_999)
    assert line.changes() == ([(8_500, True), (8_750, False)], 0)
    line.close()


def test_the_clocks_differ_by_the_time_suspended_and_no_more() -> None:
    from edgenode.bus.gpio import suspended_ns  # noqa: PLC0415

    ahead = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    assert abs(suspended_ns() - ahead) < 100_000_000
    assert suspended_ns() >= 0


def test_active_moves_only_as_changes_are_taken_in(chip: FakeChip) -> None:
    line = open_state(chip.path, 4)
    chip.edge(4, 1)
    assert not line.active
    line.changes()
    assert line.active
    line.close()


def test_the_descriptor_is_readable_with_the_next_change(chip: FakeChip) -> None:
    line = open_state(chip.path, 4)
    assert not select.select([line.fileno()], [], [], 0)[0]
    chip.edge(4, 1)
    assert select.select([line.fileno()], [], [], 1)[0]
    line.close()


def test_changes_that_the_kernel_dropped_are_told_once(chip: FakeChip) -> None:
    line = open_state(chip.path, 4)
    chip.edge(4, 1)
    line.changes()
    chip.unread(4, 4)
    chip.edge(4, 0)
    changes, dropped = line.changes()
    assert ([change.active for change in changes], dropped) == ([False], 4)
    assert line.changes() == ([], 0)
    line.close()


def test_an_edge_to_where_the_line_already_is_counts_as_one_that_was_not_kept(
    chip: FakeChip,
) -> None:
    line = open_state(chip.path, 4)
    chip.edge(4, 1)
    line.changes()
    chip.unread(4, 1)
    chip.edge(4, 1)
    assert line.changes() == ([], 2)
    assert line.active
    line.close()


@pytest.mark.parametrize("active_low", [False, True])
def test_a_change_while_the_line_was_opened_is_told_once(
    chip: FakeChip, *, active_low: bool
) -> None:
    """The kernel has queued it, and gpiozero has read the line after it."""
    chip.levels[4] = 1
    line = open_state(chip.path, 4, active_low=active_low)
    chip.edge(4, 1, stamp_ns=1_500_000)
    chip.edge(4, 0)
    changes, dropped = line.changes()
    assert [change.active for change in changes] == [not active_low, active_low]
    assert dropped == 0
    line.close()


def test_a_line_that_ends_is_a_bus_error(chip: FakeChip) -> None:
    line = open_state(chip.path, 4)
    chip.vanish()
    with pytest.raises(BusError, match="the line ended"):
        line.changes()
    line.close()


@pytest.mark.parametrize(
    ("number", "words"), [(16, "gpioinfo names it"), (22, "refuses this line"), (13, "group gpio")]
)
def test_a_line_that_cannot_be_had_says_what_to_do(chip: FakeChip, number: int, words: str) -> None:
    chip.refusal = number
    with pytest.raises(BusError, match=words):
        open_state(chip.path, 4)


def test_a_chip_that_is_not_there_is_a_bus_error(tmp_path: Path) -> None:
    with pytest.raises(BusError, match="No such file"):
        open_state(str(tmp_path / "gpiochip9"), 4)


def test_closing_twice_gives_the_line_back_once(chip: FakeChip) -> None:
    before = open_descriptors()
    line: StateLine = GpiozeroState(chip.path, 4)
    line.close()
    line.close()
    GpiozeroState(chip.path, 4).close()
    chip.vanish()
    assert open_descriptors() == before
