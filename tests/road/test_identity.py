"""Cards are cloned, exchanged and restored; no reading hides behind another's identity."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edgenode.errors import CityError
from edgenode.spool import Sealed
from tests.support.road import NODE, Road, World


@pytest.fixture
def road(tmp_path: Path) -> Road:
    return Road(tmp_path, World())


def stored(road: Road) -> list[float]:
    return sorted(row.value or 0 for row in road.rows())


def test_two_nodes_on_a_cloned_spool_are_noticed_and_nothing_is_dropped(road: Road) -> None:
    road.sample(70)
    road.exchange()
    road.stop()
    original, clone = road.directory / "spool", road.directory / "clone"
    shutil.copytree(original, clone)
    road.start()
    road.sample(70)
    road.exchange()
    road.stop()
    first = stored(road)
    shutil.rmtree(original)
    shutil.move(clone, original)
    road.start()
    road.sample(75)
    road.exchange(acks=False)
    assert stored(road) == first, "the first durable copy wins"
    conflicts = road.sink.db.execute("SELECT count(*) FROM conflict").fetchone()[0]
    assert conflicts > 0
    assert road.sink.counters(NODE)["conflict"] == conflicts


def test_a_new_card_under_the_same_node_is_a_new_spool_and_the_old_readings_stay(
    road: Road,
) -> None:
    road.sample(70)
    road.exchange()
    road.stop()
    shutil.rmtree(road.directory / "spool")
    road.start()
    road.sample(70)
    road.stop()
    road.start()
    road.exchange()
    assert len(road.sink.spools(NODE)) == 2
    assert len(stored(road)) >= 2 * 70 + 2 * 60
    assert len(set(stored(road))) == len(stored(road))


def test_a_batch_that_the_broker_acked_and_lost_is_asked_for_and_comes_again(road: Road) -> None:
    lost: list[Sealed] = []

    def lose_the_second(sealed: Sealed) -> Sealed | None:
        if sealed.seq == 2 and not lost:
            lost.append(sealed)
            return None
        return sealed

    road.tamper = lose_the_second
    for _ in range(4):
        road.sample(70)
        road.exchange()
    assert lost
    for _ in range(8):  # seconds of patience pass, the city asks, the node sends again
        road.arrival += 5_000
        road.acknowledge()
        road.exchange()
    road.stop()
    road.start()
    road.exchange()
    assert stored(road) == sorted(float(value) for _, value in road.truth)


def test_an_ack_for_what_was_never_sent_is_refused_and_frees_nothing(road: Road) -> None:
    road.sample(70)
    road.exchange(acks=False)
    (honest,) = road.city.acks(road.arrival + 2_000, road.arrival)
    held = road.spool.stats().held_batches
    with pytest.raises(CityError):
        road.spool.outbox.city_acked(replace(honest, ranges={0: ((1, 1_000),)}))
    road.world.advance(120_000)
    road.spool.step()
    assert road.spool.stats().held_batches >= held
