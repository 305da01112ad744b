"""The parts of the uplink by themselves: versions, suspects, verdicts, resends, alarms."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from edgenode.errors import ConfigError, NodeError
from edgenode.uplink import Broker, UplinkOptions, tls
from edgenode.uplink.budget import ALL
from edgenode.uplink.dial import Versions
from edgenode.uplink.lanes import Lane
from edgenode.uplink.poison import Identity, Suspects
from edgenode.uplink.presence import Presence
from edgenode.uplink.resend import Resends
from edgenode.uplink.session import V5, V311
from edgenode.uplink.verdict import Verdict, judge
from edgenode.wire import State, decode, encode
from tests.support.clock import FakeClock
from tests.support.outbox import NODE, SPOOL, MemoryOutbox

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
BROKER = Broker("broker.example")


# --- versions ---


def test_mqtt_5_is_tried_again_daily_even_while_3_1_1_works() -> None:
    clock = FakeClock()
    versions = Versions(clock)
    assert versions.first(BROKER) == V5
    versions.worked(BROKER, V311)
    for _ in range(23):
        clock.advance(HOUR)
        assert versions.first(BROKER) == V311
        versions.worked(BROKER, V311)
    clock.advance(HOUR)
    assert versions.first(BROKER) == V5


def test_the_version_is_remembered_for_each_broker() -> None:
    versions = Versions(FakeClock())
    versions.worked(BROKER, V311)
    assert versions.first(Broker("another.example")) == V5


# --- suspects ---

A, B, C = (Identity(SPOOL, 0, seq) for seq in (1, 2, 3))


def test_a_message_in_flight_at_one_drop_is_no_suspect() -> None:
    suspects = Suspects()
    suspects.dropped([A, B], by_peer=True)
    assert A not in suspects


def test_a_message_in_flight_at_two_successive_drops_is_a_suspect() -> None:
    suspects = Suspects()
    suspects.dropped([A, B], by_peer=True)
    suspects.dropped([B, C], by_peer=True)
    assert B in suspects
    assert A not in suspects
    assert C not in suspects


def test_a_suspect_that_is_alone_at_the_next_drop_is_to_be_set_aside() -> None:
    suspects = _suspecting_b()
    assert suspects.dropped([B], by_peer=True) == B
    assert B not in suspects


def test_a_link_that_falls_silent_must_do_so_three_times() -> None:
    suspects = _suspecting_b()
    assert suspects.dropped([B], by_peer=False) is None
    assert suspects.dropped([B], by_peer=False) is None
    assert suspects.dropped([B], by_peer=False) == B


def test_a_drop_without_batches_in_flight_neither_accuses_nor_clears() -> None:
    suspects = Suspects()
    suspects.dropped([A], by_peer=True)
    suspects.dropped([], by_peer=True)
    suspects.dropped([A], by_peer=True)
    assert A in suspects


def test_suspects_are_bounded() -> None:
    suspects = Suspects()
    for first in range(0, 2_000, 20):
        some = [Identity(SPOOL, 0, first + more) for more in range(20)]
        suspects.dropped(some, by_peer=True)
        suspects.dropped(some, by_peer=True)
    assert sum(Identity(SPOOL, 0, seq) in suspects for seq in range(2_000)) == 100


def test_a_suspect_that_gets_through_is_none_any_more() -> None:
    suspects = _suspecting_b()
    suspects.acked(B)
    assert B not in suspects


def _suspecting_b() -> Suspects:
    suspects = Suspects()
    suspects.dropped([A, B], by_peer=True)
    suspects.dropped([B, C], by_peer=True)
    return suspects


# --- verdicts ---


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (0x00, Verdict.ACKED),
        (0x10, Verdict.KEEP),
        (0x80, Verdict.KEEP),
        (0x83, Verdict.KEEP),
        (0x87, Verdict.KEEP),
        (0x97, Verdict.SLOW_DOWN),
        (0x99, Verdict.SET_ASIDE),
    ],
)
def test_the_reason_code_of_a_puback_decides(code: int, verdict: Verdict) -> None:
    assert judge(code) is verdict


# --- resends ---


def _sent_again(box: MemoryOutbox, hours: int) -> list[int]:
    """Return at which minute the oldest was sent again."""
    clock = FakeClock()
    resends = Resends(box, 10 * MINUTE, 6 * HOUR, clock, Random(1))
    times = []
    for minute in range(hours * 60):
        if resends.due(ALL) is not None:
            times.append(minute)
        clock.advance(MINUTE)
    return times


def test_the_oldest_is_sent_again_after_ten_minutes_and_then_ever_more_rarely() -> None:
    box = MemoryOutbox()
    box.seal()
    box.take(False, 1)
    box.broker_acked(0, 1)
    times = _sent_again(box, 72)
    gaps = [later - earlier for earlier, later in zip([0, *times], times, strict=False)]
    for gap, pause in zip(gaps, (10, 20, 40, 80, 160, 320, 360, 360, 360), strict=False):
        assert pause <= gap <= pause * 1.25 + 1
    assert len(gaps) >= 9


def test_nothing_is_sent_again_while_nothing_is_unconfirmed() -> None:
    box = MemoryOutbox()
    box.seal()
    assert _sent_again(box, 24) == []


# --- lanes ---


def test_the_store_is_asked_only_when_there_may_be_something() -> None:
    box = MemoryOutbox()
    lane = Lane([box], live=False)
    assert lane.top_up(5, ALL) == 0
    box.seal()
    assert lane.top_up(5, ALL) == 0
    lane.signal()
    assert lane.top_up(5, ALL) == 1


# --- presence ---


def test_the_will_and_the_state_carry_the_same_session() -> None:
    box = MemoryOutbox()
    presence = Presence(NODE, box, FakeClock(boot_ms=777))
    assert decode(presence.online) == State(NODE, SPOOL, True, box.epoch, 777)
    assert decode(presence.offline) == State(NODE, SPOOL, False, box.epoch, 777)


@pytest.mark.parametrize(
    ("payload", "again"),
    [
        (encode(State(NODE, SPOOL, True, 3, 777)), False),
        (encode(State(NODE, SPOOL, False, 3, 777)), True),
        (encode(State(NODE, SPOOL, True, 3, 776)), True),
        (encode(State(NODE, SPOOL, False, 2, 999)), True),
        (encode(State(NODE, b"othercrd", True, 9, 999)), True),
        (b"", True),
        (b"rubbish", True),
    ],
)
def test_the_state_is_said_again_over_anything_but_itself(payload: bytes, *, again: bool) -> None:
    clock = FakeClock(boot_ms=777)
    presence = Presence(NODE, MemoryOutbox(), clock)
    assert presence.due()
    presence.seen(payload)
    clock.advance(1_000)
    assert presence.due() is again


def test_two_nodes_under_one_id_answer_each_other_at_most_once_a_second() -> None:
    clock = FakeClock()
    presence = Presence(NODE, MemoryOutbox(), clock)
    said = 0
    for _ in range(100):
        presence.seen(b"another")
        said += presence.due()
        clock.advance(100)
    assert said == 10


# --- options ---


@pytest.mark.parametrize(
    "change",
    [
        {"brokers": ()},
        {"backlog_per_s": 0.0},
        {"prefix": "$SYS"},
        {"prefix": "a/+"},
        {"prefix": ""},
    ],
)
def test_options_that_cannot_work_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        UplinkOptions(**{"node": NODE, "brokers": (BROKER,), **change})


# --- secrets ---


def test_the_password_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes("geheim, ü\r\nnot this\n".encode())
    assert tls.password(path) == "geheim, ü"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfesecret"])
def test_a_password_file_that_holds_none_is_named_and_not_quoted(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    with pytest.raises(NodeError, match=str(path)) as caught:
        tls.password(path)
    assert "secret" not in str(caught.value)
