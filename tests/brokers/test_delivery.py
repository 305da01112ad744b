"""The same claims for every make of broker, each with the configuration that deploy/ has for it."""

from __future__ import annotations

from collections import Counter

import pytest

from edgenode.reading import ClockSource
from edgenode.wire import About, Birth, decode
from tests.brokers.sites import GUARDED, SITES
from tests.brokers.stories import BACKLOG, Drained, Late, Told
from tests.support.running import ERR_MS

everywhere = pytest.mark.parametrize("make", SITES)
where_rights_are = pytest.mark.parametrize("make", GUARDED)


@everywhere
def test_a_node_speaks_the_newest_version_that_the_broker_knows(make: str, late: Late) -> None:
    assert late.uplink.protocol == SITES[make].protocol


@everywhere
def test_birth_about_and_state_reach_a_receiver_that_comes_later(make: str, late: Late) -> None:
    assert isinstance(decode(late.birth or b""), Birth), make
    assert isinstance(decode(late.about or b""), About)
    assert late.presences == ("online", "offline")


@everywhere
def test_what_was_acknowledged_while_nobody_listened_is_asked_for(make: str, late: Late) -> None:
    # On MQTT 5 a broker may say that nobody heard it, and it waits at the node.
    assert late.uplink.acked + late.uplink.parked >= 5, make
    assert late.rows == Counter(late.truth)


@everywhere
def test_every_reading_is_in_the_sink_once_after_a_death_in_the_middle_of_a_drain(
    make: str, drain: Drained
) -> None:
    assert drain.uplink.reconnects >= 1, make
    assert drain.found == Counter(drain.truth)
    assert len(drain.rows) == len(drain.truth)
    assert drain.audit.well


@everywhere
def test_the_node_gives_custody_away_and_loses_nothing(make: str, drain: Drained) -> None:
    assert drain.spool.held_batches == 0, make
    assert drain.spool.pruned_batches >= BACKLOG
    assert (drain.spool.evicted_readings, drain.spool.overflow_readings) == (0, 0)


@everywhere
def test_fresh_batches_overtake_the_backlog(make: str, drain: Drained) -> None:
    assert drain.overtaken > BACKLOG / 10, make  # none, if they had waited for it


@everywhere
def test_every_reading_keeps_the_time_at_which_it_was_taken(make: str, drain: Drained) -> None:
    for row in drain.rows:
        assert row.clock == ClockSource.NTP, make
        assert row.utc is not None
        assert row.err is not None
        assert abs(row.utc - (row.mono + drain.ahead_ms)) <= row.err + ERR_MS


@where_rights_are
def test_a_trial_tells_in_words_that_a_node_may_not_use_anothers_name(
    make: str, strangers: Told
) -> None:
    asked = "may it?" in strangers.tried or "it may not write it" in strangers.tried
    assert asked or "check the rights" in strangers.tried, make


REFUSALS = {
    "mosquitto": "refused with reason code 0x87",
    "mosquitto-certificates": "refused with reason code 0x87",
    "mosquitto-3.1.1": "",  # acknowledged and dropped without a word: only a trial finds it
    "nats-cluster": "/ack: refused with reason code 0x87",
    "rabbitmq": ": may it?",
}


@where_rights_are
def test_the_uplink_says_what_the_broker_lets_it_know_and_keeps_the_batches(
    make: str, strangers: Told
) -> None:
    assert REFUSALS[make] in strangers.uplink
    assert strangers.spool.held_batches == strangers.spool.seals > 0
    assert strangers.stored == 0


@where_rights_are
def test_a_wrong_password_or_certificate_is_named(make: str, strangers: Told) -> None:
    word = (
        "does it accept the certificate"
        if make == "mosquitto-certificates"
        else "user name and password"
    )
    assert word in strangers.password
    assert "wrong-secret" not in strangers.password


@pytest.mark.parametrize("make", ["nats-cluster", "rabbitmq"])  # Mosquitto grants, and withholds
def test_a_receiver_without_its_rights_is_told(make: str, trespass: list[str]) -> None:
    assert any("check the rights" in text for text in trespass), make
