"""The lamp shows how the node is, and is not needed for anything."""

import pytest

from edgenode.errors import BusError
from edgenode.health import Health
from edgenode.node.beacon import RHYTHMS, STARTING, WORKING, Beacon


class FakeLamp:
    """A lamp that goes on with a rhythm that it is told again."""

    def __init__(self) -> None:
        self.shown: list[tuple[float, float]] = []
        self.closed = 0
        self.broken = False

    def show(self, on_s: float, off_s: float) -> None:
        if self.broken:
            raise BusError("fake: the chip is gone")
        if (on_s, off_s) not in self.shown[-1:]:
            self.shown.append((on_s, off_s))

    def close(self) -> None:
        self.closed += 1


def test_each_health_has_a_rhythm_of_its_own() -> None:
    lamp = FakeLamp()
    beacon = Beacon(lamp)
    for health in Health:
        beacon.tell(health, maintenance=False)
    beacon.tell(Health.STALLED, maintenance=True)
    assert lamp.shown == [STARTING, *(RHYTHMS[health] for health in Health), WORKING]
    assert len(set(lamp.shown)) == len(lamp.shown)


def test_what_goes_on_is_not_disturbed() -> None:
    lamp = FakeLamp()
    beacon = Beacon(lamp)
    for _ in range(5):
        beacon.tell(Health.WELL, maintenance=False)
    assert lamp.shown == [STARTING, RHYTHMS[Health.WELL]]


def test_a_lamp_that_breaks_is_told_once_and_given_up(caplog: pytest.LogCaptureFixture) -> None:
    lamp = FakeLamp()
    beacon = Beacon(lamp)
    lamp.broken = True
    beacon.tell(Health.WELL, maintenance=False)
    beacon.tell(Health.DEGRADED, maintenance=False)
    beacon.close()
    assert caplog.text.count("the chip is gone") == 1
    assert lamp.closed == 1


def test_a_lamp_that_breaks_while_nothing_changes_is_told_of_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lamp = FakeLamp()
    beacon = Beacon(lamp)
    beacon.tell(Health.WELL, maintenance=False)
    lamp.broken = True
    beacon.tell(Health.WELL, maintenance=False)
    assert "the chip is gone" in caplog.text


def test_a_node_without_a_lamp_shows_nothing() -> None:
    beacon = Beacon(None)
    beacon.tell(Health.WELL, maintenance=False)
    beacon.close()
