"""How much may be sent, and when: window, token bucket, backoff."""

from __future__ import annotations

from random import Random

from edgenode.uplink.backoff import Backoff, phase
from edgenode.uplink.bucket import TokenBucket
from edgenode.uplink.window import Window
from tests.support.clock import FakeClock

# --- window ---


def test_the_window_holds_20_messages_and_keeps_one_slot_for_live_data() -> None:
    window = Window(65_535, FakeClock())
    for mid in range(19):
        assert window.admits(100, live=False)
        window.sent(mid, 100, live=False)
    assert not window.admits(100, live=False)
    assert window.admits(100, live=True)


def test_a_receive_maximum_of_one_still_lets_backlog_through() -> None:
    window = Window(1, FakeClock())
    assert window.admits(100, live=False)
    window.sent(1, 100, live=False)
    assert not window.admits(100, live=True)


def test_the_window_holds_what_the_link_acknowledges_in_ten_seconds() -> None:
    clock = FakeClock()
    window = Window(65_535, clock)
    mid = 0
    for _ in range(60):  # one message of 1,000 bytes a second, however many are in flight
        while window.admits(1_000, live=False):
            mid += 1
            window.sent(mid, 1_000, live=False)
        clock.advance(1_000)
        window.acked(mid - len(window) + 1)
    assert 8 <= len(window) <= 10


def test_a_fast_link_opens_the_window_by_itself() -> None:
    clock = FakeClock()
    window = Window(65_535, clock)
    for mid in range(10):
        window.sent(mid, 200_000, live=False)
        clock.advance(50)
        window.acked(mid)
    assert window.limit_bytes >= 20 * 200_000


def test_a_lone_message_is_always_admitted() -> None:
    clock = FakeClock()
    window = Window(65_535, clock)
    window.sent(1, 10, live=True)
    clock.advance(19_000)
    window.acked(1)
    assert window.admits(262_144, live=False)


# --- bucket ---


def test_the_bucket_lets_its_rate_through_and_a_second_of_burst() -> None:
    clock = FakeClock()
    bucket = TokenBucket(5.0, clock)
    passed = 0
    for _ in range(100):
        tokens = bucket.available(20)
        bucket.spend(tokens)
        passed += tokens
        clock.advance(100)
    assert 5 + 49 <= passed <= 5 + 50


def test_the_bucket_says_how_long_to_wait() -> None:
    clock = FakeClock()
    bucket = TokenBucket(0.1, clock)
    bucket.spend(bucket.available(20))
    assert bucket.wait_ms() == 10_000
    clock.advance(10_000)
    assert bucket.available(20) == 1


def test_a_bucket_that_is_turned_off_never_waits() -> None:
    bucket = TokenBucket(float("inf"), FakeClock())
    for _ in range(3):
        assert bucket.available(20) == 20
        bucket.spend(20)
    assert bucket.wait_ms() == 0


# --- backoff ---


def test_backoff_is_full_jitter_under_a_doubling_ceiling() -> None:
    many = [Backoff(1_000, 60_000, Random(seed)) for seed in range(300)]
    for ceiling in (1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000):
        delays = [backoff.next_ms() for backoff in many]
        assert 0 <= min(delays) < ceiling * 0.05
        assert ceiling * 0.95 < max(delays) <= ceiling


def test_backoff_begins_anew_after_success() -> None:
    backoff = Backoff(1_000, 60_000, Random(1))
    for _ in range(10):
        backoff.next_ms()
    backoff.reset()
    assert backoff.next_ms() <= 1_000


def test_the_phase_of_a_node_is_its_own() -> None:
    assert phase(b"node").random() == phase(b"node").random()
    assert phase(b"node").random() != phase(b"another").random()
