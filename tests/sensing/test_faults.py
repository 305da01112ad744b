"""Every wire, every way to fail: no number passes for good, and no other bus is late for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from edgenode.errors import Reason
from edgenode.reading import EventCode, Quality
from tests.support.faults import ALL, BAD, ELSEWHERE, KINDS, PATH, STABLE, WAIT_S, Rig


@pytest.fixture
def rigs() -> Iterator[Callable[..., Rig]]:
    made: list[Rig] = []

    def make(kind: str, name: str = PATH) -> Rig:
        made.append(Rig(kind, name))
        return made[-1]

    yield make
    for rig in made:
        rig.close()


LOST_AND_FOUND = [EventCode.SENSOR_LOST, EventCode.SENSOR_FOUND]


@pytest.mark.parametrize("kind", ALL)
def test_absent_at_the_start_it_is_found_when_it_comes(rigs: Callable[..., Rig], kind: str) -> None:
    rig = rigs(kind)
    rig.run(20)
    assert (rig.state, rig.reason) == ("lost", Reason.NO_ANSWER)
    assert rig.nothing_good_since(0)
    rig.plug()
    rig.run(40)
    assert rig.state in {"ok", "settling"}
    assert [code for code in rig.codes() if code in LOST_AND_FOUND] == LOST_AND_FOUND


@pytest.mark.parametrize("kind", ALL)
def test_what_dies_is_lost_once_and_found_once(rigs: Callable[..., Rig], kind: str) -> None:
    rig = rigs(kind)
    rig.plug()
    rig.run(5)
    assert rig.state in {"ok", "settling"}
    died_ms = rig.clock.boot_ms()
    del rig.site.plugged[PATH]
    rig.run(20)
    assert (rig.state, rig.reason) == ("lost", Reason.NO_ANSWER)
    assert rig.nothing_good_since(died_ms)
    rig.plug()
    rig.run(40)
    assert rig.state in {"ok", "settling"}
    assert [code for code in rig.codes() if code in LOST_AND_FOUND] == LOST_AND_FOUND


@pytest.mark.parametrize("kind", ALL)
def test_what_hangs_is_stuck_and_comes_back(rigs: Callable[..., Rig], kind: str) -> None:
    rig = rigs(kind)
    rig.plug()
    rig.run(5)
    rig.site.hangs = True
    rig.run(20)
    stats = rig.faulty.stats()
    assert stats.stuck
    assert stats.stuck_since_ms is not None
    assert rig.codes()[-1] == EventCode.BUS_STUCK
    rig.site.hangs = False
    rig.site.release.set()
    assert rig.turn is not None
    rig.turn.result(WAIT_S)
    rig.site.inside.clear()
    rig.run(40)
    assert rig.state in {"ok", "settling"}
    told = [c for c in rig.codes() if c in {EventCode.BUS_STUCK, EventCode.BUS_RECOVERED}]
    assert told == [EventCode.BUS_STUCK, EventCode.BUS_RECOVERED]


@pytest.mark.parametrize("kind", [kind for kind in ALL if KINDS[kind].garbage])
def test_garbage_is_never_taken_for_a_measurement(rigs: Callable[..., Rig], kind: str) -> None:
    rig = rigs(kind)
    rig.plug()
    rig.run(5)
    rig.site.spoil = rig.kind.garbage
    assert rig.site.spoil
    rig.site.spoil(rig.site.there()[0])
    rig.run(12)  # a talker's last frame grows stale before it is given up
    spoilt_ms = rig.clock.boot_ms()
    rig.run(8)
    rows = [sample for at_ms, sample in rig.sink.of(9) if at_ms > spoilt_ms]
    measured = {c.name for c in rig.kind.cls.channels} - {"disk_free", "clock_error"}
    for sample in rows:
        qualities = sample.quality or (Quality.OK,) * len(sample.values)
        named = zip(rig.kind.cls.channels, qualities, strict=True)
        assert all(q in BAD for channel, q in named if channel.name in measured)
    rig.site.spoil = None
    rig.plug()
    rig.run(40)
    assert rig.state in {"ok", "settling"}


@pytest.mark.parametrize("kind", [kind for kind in ALL if KINDS[kind].other])
def test_a_wrong_part_is_refused_for_as_long_as_it_is_there(
    rigs: Callable[..., Rig], kind: str
) -> None:
    rig = rigs(kind)
    other = rig.kind.other
    assert other
    rig.plug(part=other)
    rig.run(5)
    assert (rig.state, rig.reason) == ("lost", Reason.WRONG_DEVICE)
    assert rig.nothing_good_since(0)
    rig.plug()
    rig.run(40)
    assert rig.state in {"ok", "settling"}


@pytest.mark.parametrize("kind", ALL)
def test_what_returns_under_another_name_is_found_by_its_stable_one(
    rigs: Callable[..., Rig], kind: str
) -> None:
    rig = rigs(kind, STABLE)
    rig.site.links[STABLE] = PATH
    rig.plug()
    rig.run(5)
    del rig.site.plugged[PATH]
    rig.run(10)
    assert rig.state == "lost"
    rig.site.links[STABLE] = ELSEWHERE
    rig.plug(ELSEWHERE)
    rig.run(40)
    assert rig.state in {"ok", "settling"}


@pytest.mark.parametrize("kind", ALL)
def test_what_returns_under_another_name_is_not_guessed_at_without_one(
    rigs: Callable[..., Rig], kind: str
) -> None:
    rig = rigs(kind)
    rig.plug()
    rig.run(5)
    del rig.site.plugged[PATH]
    rig.plug(ELSEWHERE)
    rig.run(40)
    assert rig.state == "lost"
