"""The lamp shows how the node is, and is not needed for anything."""

from edgenode.errors import BusError
from edgenode.health import Health
from edgenode.node.beacon import RETRY_MS, RHYTHMS, STARTING, WORKING, Beacon, beacon_of
from tests.support.clock import FakeClock


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


def beacon_on(lamp: FakeLamp, clock: FakeClock | None = None) -> Beacon:
    return Beacon(lambda: lamp, clock or FakeClock())


def wrong(beacon: Beacon) -> str:
    return "".join(condition.what for condition in beacon.conditions())


def test_each_health_has_a_rhythm_of_its_own() -> None:
    lamp = FakeLamp()
    beacon = beacon_on(lamp)
    for health in Health:
        beacon.tell(health, maintenance=False)
    beacon.tell(Health.STALLED, maintenance=True)
    assert lamp.shown == [STARTING, *(RHYTHMS[health] for health in Health), WORKING]
    assert len(set(lamp.shown)) == len(lamp.shown)
    assert not wrong(beacon)


def test_what_goes_on_is_not_disturbed() -> None:
    lamp = FakeLamp()
    beacon = beacon_on(lamp)
    for _ in range(5):
        beacon.tell(Health.WELL, maintenance=False)
    assert lamp.shown == [STARTING, RHYTHMS[Health.WELL]]


def test_a_lamp_that_breaks_is_a_condition_until_it_burns_again() -> None:
    lamp, clock = FakeLamp(), FakeClock()
    beacon = beacon_on(lamp, clock)
    beacon.tell(Health.WELL, maintenance=False)
    lamp.broken = True
    beacon.tell(Health.WELL, maintenance=False)
    assert wrong(beacon) == "the lamp cannot be lit: fake: the chip is gone"
    assert lamp.closed == 1
    lamp.broken = False
    beacon.tell(Health.WELL, maintenance=False)
    assert wrong(beacon), "it is tried once a minute, not with each look"
    clock.advance(RETRY_MS)
    beacon.tell(Health.WELL, maintenance=False)
    beacon.tell(Health.WELL, maintenance=False)
    assert not wrong(beacon)
    beacon.close()
    assert lamp.closed == 2


def test_a_lamp_that_is_not_there_is_a_condition_and_no_error() -> None:
    def absent() -> FakeLamp:
        raise BusError("there is no such line")

    beacon = Beacon(absent, FakeClock())
    assert wrong(beacon) == "the lamp cannot be lit: there is no such line"
    beacon.tell(Health.WELL, maintenance=False)
    beacon.close()


def test_a_node_without_a_lamp_shows_nothing_and_lacks_nothing() -> None:
    beacon = beacon_of(None, FakeClock())
    beacon.tell(Health.WELL, maintenance=False)
    assert not wrong(beacon)
    beacon.close()
