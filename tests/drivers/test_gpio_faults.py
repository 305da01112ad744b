"""The GPIO wire's faults, from the drivers down to the ioctl and to a virtual line."""

from __future__ import annotations

import errno
import fcntl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgenode.driver import find
from edgenode.errors import BusError, BusTimeout
from edgenode.sensing.opening import Wires
from edgenode.virtual import Scenario, send_command
from edgenode.virtual.pulse import PulseSpec
from edgenode.virtual.series import Play
from tests.support.descriptors import open_descriptors
from tests.support.fake_chip import FakeChip
from tests.support.instruments import Street, street
from tests.support.ports import until

DRIVERS = ["pulse", "loop", "state"]
SCENARIO = Scenario(
    (PulseSpec("contact", line=4, every_ms=100, width_us=10_000, pulses=Play(offset=5)),)
)


@pytest.fixture
def chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeChip:
    fake = FakeChip(tmp_path)
    monkeypatch.setattr(fcntl, "ioctl", fake.ioctl)
    return fake


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Street]:
    with street(tmp_path, SCENARIO) as running:
        yield running


def opened(path: str, name: str, **more: object) -> Any:
    cls = find(name)
    options = msgspec.convert({"line": 4, **more}, cls.options)
    return Wires(path).opener(cls, options)()


def until_raised(call: Callable[[], object]) -> None:
    """Call again and again, 10 s at most; what it raises is the test's."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        call()
        time.sleep(0.005)


@pytest.mark.parametrize("name", DRIVERS)
class TestOnAChip:
    def test_that_is_absent_says_what_is_not_there(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(BusError, match="gpiochip7 line 4: No such file"):
            opened(str(tmp_path / "gpiochip7"), name)

    @pytest.mark.parametrize(
        ("number", "words"),
        [
            (errno.EBUSY, "another program holds this line; gpioinfo names it"),
            (errno.EACCES, "add the user to the group gpio"),
            (errno.EINVAL, "refuses this line, bias or debounce"),
            (errno.ENODEV, "is the chip gone"),
        ],
    )
    def test_that_refuses_says_what_to_do_and_leaves_nothing_open(
        self, chip: FakeChip, name: str, number: int, words: str
    ) -> None:
        chip.refusal = number
        before = open_descriptors()
        with pytest.raises(BusError, match=words):
            opened(chip.path, name)
        assert open_descriptors() == before

    def test_a_line_that_another_holds_is_had_once_he_lets_go(
        self, chip: FakeChip, name: str
    ) -> None:
        other = opened(chip.path, "pulse")
        with pytest.raises(BusError, match="gpioinfo names it"):
            opened(chip.path, name)
        other.close()
        opened(chip.path, name).close()

    def test_a_line_the_chip_does_not_have_is_refused(self, chip: FakeChip, name: str) -> None:
        with pytest.raises(BusError, match="line 77: the chip refuses this line"):
            opened(chip.path, name, line=77)

    def test_that_is_unplugged_ends_the_line_and_counts_what_came_before(
        self, chip: FakeChip, name: str
    ) -> None:
        driver = opened(chip.path, name)
        for high in (1, 0, 1):
            chip.edge(4, high)
        driver.feed(0)
        known = driver.counts()
        chip.vanish()
        with pytest.raises(BusError, match="the line ended; is the chip gone"):
            driver.feed(0)
        assert driver.counts() == known
        assert known == {"pulse": {"count": 2}, "loop": {"count": 2}, "state": {"changes": 3}}[name]
        driver.close()

    def test_that_returns_under_another_number_is_found_by_its_path(
        self, chip: FakeChip, name: str, tmp_path: Path
    ) -> None:
        stable = tmp_path / "by-name"
        stable.symlink_to(chip.path)
        driver = opened(str(stable), name)
        chip.vanish()
        with pytest.raises(BusError):
            driver.feed(0)
        driver.close()
        Path(chip.path).rename(tmp_path / "gpiochip5")
        stable.unlink()
        stable.symlink_to(tmp_path / "gpiochip5")
        chip.refusal = None
        again = opened(str(stable), name)
        chip.levels[4] = 0
        chip.edge(4, 1)
        again.feed(0)
        assert list(again.counts().values()) == [1]
        again.close()


@pytest.mark.parametrize("name", DRIVERS)
class TestOnAVirtualLine:
    def test_a_line_nobody_made_is_no_such_device(self, here: Street, name: str) -> None:
        with pytest.raises(BusError, match="line 5: No such device"):
            opened(here.path("gpio"), name, line=5)

    @pytest.mark.parametrize("action", ["nack", "vanish"])
    def test_one_that_is_gone_is_had_when_it_returns(
        self, here: Street, name: str, action: Any
    ) -> None:
        send_command(here.control, "contact", action)
        with pytest.raises(BusError, match="is the instrument there"):
            opened(here.path("gpio"), name)
        send_command(here.control, "contact", "return")
        opened(here.path("gpio"), name).close()

    def test_one_that_hangs_is_a_timeout(
        self, here: Street, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("edgenode.bus.simulated_lines.TIMEOUT_S", 0.05)
        send_command(here.control, "contact", "hang")
        with pytest.raises(BusTimeout, match="no answer in time"):
            opened(here.path("gpio"), name)

    def test_one_that_dies_ends_for_who_watches_it(self, here: Street, name: str) -> None:
        driver = opened(here.path("gpio"), name)
        send_command(here.control, "contact", "vanish")
        with pytest.raises(BusError, match="the line ended"):
            until_raised(lambda: driver.feed(0))
        driver.close()

    def test_a_contact_that_bounces_is_held_off_by_the_kernel(
        self, here: Street, name: str
    ) -> None:
        send_command(here.control, "contact", "garbage")
        driver = opened(here.path("gpio"), name, debounce_us=1_000)
        from_line = len(here.truth())

        def counted() -> bool:
            driver.feed(0)
            return int(sum(driver.counts().values())) >= 6

        until(counted, "six edges or pulses")
        pulses = [line for line in here.truth()[from_line:] if line["fate"] == "ok"]
        edges = 2 if name == "state" else 1
        assert sum(driver.counts().values()) <= edges * (len(pulses) + 2)
        assert "garbage" not in {line["fate"] for line in here.truth()[from_line:]}
        driver.close()
