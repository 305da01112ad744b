"""The levers of a bus over lines as the kernel hands them out: every one ends as it should."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

import pytest

from edgenode.bus.levers import OFF_S, ON_S, ClearPins, Levers, Outcome, PowerPin
from tests.support.fake_chip import FLAGS, FakeChip

SCL, SDA, SUPPLY = 3, 2, 17
OPEN_DRAIN = 1 << 6


class HeldBus(dict[int, int]):
    """The levels of SCL and SDA while a slave holds SDA until it has seen so many clocks."""

    def __init__(self, clocks: int, *, scl_held: bool = False) -> None:
        super().__init__()
        self.left, self.scl_held = clocks, scl_held
        self.clocks = 0
        self.seen: list[tuple[int, int]] = []

    def __setitem__(self, line: int, level: int) -> None:
        if line == SCL and level and self.seen:
            self.clocks += 1
            self.left = max(0, self.left - 1)
        self.seen.append((line, level))
        super().__setitem__(line, level)

    def get(self, line: int, default: int | None = None) -> int | None:  # type: ignore[override]
        if (line == SDA and self.left) or (line == SCL and self.scl_held):
            return 0
        return super().get(line, default)


def nothing(_: float) -> None:
    """No time passes."""


def cleared(chip: FakeChip, bus: HeldBus) -> Outcome:
    chip.levels = bus
    return Levers(ClearPins(SCL, SDA, chip.path), pause=nothing).clear()


@pytest.mark.parametrize("clocks", [1, 4, 9])
def test_a_slave_is_clocked_until_it_lets_go_then_there_is_a_stop(
    chip: FakeChip, clocks: int
) -> None:
    bus = HeldBus(clocks)
    assert cleared(chip, bus) == Outcome(done=True, words=f"SDA was let go after {clocks} clocks")
    assert bus.clocks == clocks + 1  # the last one is in the STOP
    assert bus.seen[-4:] == [(SCL, 0), (SDA, 0), (SCL, 1), (SDA, 1)]


def test_nine_clocks_are_all_there_are(chip: FakeChip) -> None:
    bus = HeldBus(100)
    assert cleared(chip, bus) == Outcome(done=True, words="SDA is still low after 9 clocks")
    assert bus.clocks == 9 + 1


def test_a_bus_that_nobody_holds_gets_a_stop_alone(chip: FakeChip) -> None:
    bus = HeldBus(0)
    assert cleared(chip, bus) == Outcome(done=True, words="SDA was let go after 0 clocks")
    assert bus.clocks == 1


def test_a_held_clock_is_left_alone(chip: FakeChip) -> None:
    bus = HeldBus(3, scl_held=True)
    outcome = cleared(chip, bus)
    assert (outcome.done, outcome.usable) == (False, True)
    assert "SCL is held low" in outcome.words
    assert bus.clocks == 0


def test_both_lines_are_only_pulled_low_never_driven_high_and_given_back(chip: FakeChip) -> None:
    cleared(chip, HeldBus(2))
    for request in chip.requests:
        assert struct.unpack_from("<Q", request, FLAGS)[0] & OPEN_DRAIN
    assert all(chip._released(line) for line in (SCL, SDA))


def test_the_supply_is_off_for_two_seconds_and_on_before_anybody_reads(chip: FakeChip) -> None:
    slept: list[tuple[float, int]] = []
    levers = Levers(power=PowerPin(SUPPLY, chip.path))
    assert levers.power_on().done
    assert chip.levels[SUPPLY] == 1
    assert levers.power_cycle(lambda s: slept.append((s, chip.levels[SUPPLY]))).done
    assert slept == [(OFF_S, 0), (ON_S, 1)]
    assert len(chip.requests) == 1  # held from the beginning, so that nothing else takes it
    levers.close()
    assert chip.levels[SUPPLY] == 1


def test_a_sleep_that_is_broken_off_leaves_the_supply_on(chip: FakeChip) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    levers = Levers(power=PowerPin(SUPPLY, chip.path))
    with pytest.raises(KeyboardInterrupt):
        levers.power_cycle(interrupted)
    assert chip.levels[SUPPLY] == 1


def test_a_chip_that_refuses_is_told_of_and_asked_again_the_next_time(chip: FakeChip) -> None:
    levers = Levers(ClearPins(SCL, SDA, chip.path), PowerPin(SUPPLY, chip.path), pause=nothing)
    chip.refusal = errno.EBUSY
    for outcome in (levers.power_on(), levers.power_cycle(nothing), levers.clear()):
        assert (outcome.done, outcome.usable) == (False, False)
        assert "gpioinfo" in outcome.words
    chip.refusal = None
    assert levers.power_cycle(nothing).done


def test_a_supply_that_vanishes_half_way_is_told_of(chip: FakeChip) -> None:
    levers = Levers(power=PowerPin(SUPPLY, chip.path))
    levers.power_on()
    assert not levers.power_cycle(lambda _: chip.vanish()).done


def test_a_usb_port_is_forbidden_and_allowed_again(tmp_path: Path) -> None:
    switch = tmp_path / "1-1.2" / "authorized"
    switch.parent.mkdir()
    switch.write_text("1", encoding="ascii")
    seen: list[str] = []
    levers = Levers(usb_port="1-1.2", usb_devices=tmp_path)
    outcome = levers.usb_cycle(lambda _: seen.append(switch.read_text(encoding="ascii")))
    assert outcome.done
    assert seen == ["0", "1"]


def test_a_usb_port_that_is_not_there_is_told_of_with_its_path(tmp_path: Path) -> None:
    outcome = Levers(usb_port="1-9", usb_devices=tmp_path).usb_cycle(nothing)
    assert (outcome.done, outcome.usable) == (False, False)
    assert f"{tmp_path}/1-9/authorized" in outcome.words


def test_what_is_not_wired_does_nothing_and_says_so() -> None:
    levers = Levers()
    assert levers.power_on().done
    for outcome in (levers.clear(), levers.power_cycle(nothing), levers.usb_cycle(nothing)):
        assert not outcome.done
        assert outcome.words.startswith("no ")
    assert (levers.can_clear, levers.can_power, levers.usb_port) == (False, False, "")
