"""When a system that is tried is kept, and when it is left: decisions over evidence alone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from edgenode.update.gate import MINUTE_MS, Limits, Past, Seen, Step, Verdict, judge, looked
from edgenode.update.record import TRYING, Trial
from tests.support.documents import SENSOR, STATUS

TRIAL = Trial(
    stage=TRYING, version="9.0", slot="B", from_version="1.0", sensors=("air", "dust"),
    linked=True, installed_utc_ms=0, installed_boot="boot-0",
)  # fmt: skip
UNLINKED = replace(TRIAL, linked=False)
LIMITS = Limits()
Change = Callable[[dict[str, Any]], None]


def status(*changes: Change) -> dict[str, Any]:
    """A node just after its start: it commits and reads, and nothing is delivered yet."""
    made = copy.deepcopy(STATUS)
    made["buses"][0]["sensors"] = [dict(SENSOR), SENSOR | {"sensor": "dust"}]
    made["uplink"] |= {"acked": 0, "city_acks": 0, "connections": 1}
    made["spool"] |= {"pruned_batches": 0}
    for change in changes:
        change(made)
    return made


def uplink(**values: Any) -> Change:
    return lambda made: made["uplink"].update(values)


def spool(**values: Any) -> Change:
    return lambda made: made["spool"].update(values)


def sensor(number: int, **values: Any) -> Change:
    return lambda made: made["buses"][0]["sensors"][number].update(values)


class Run:
    """Looks one after another, half a minute apart, at a daemon that has run for long."""

    def __init__(self, trial: Trial | None = TRIAL) -> None:
        self.trial, self.now_ms = trial, 60_000
        self.past = Past(steady_since_ms=60_000 - LIMITS.steady_ms)

    def look(
        self, told: dict[str, Any] | None, *, network: bool = True, restarts: int = 0
    ) -> Verdict:
        seen = Seen(self.now_ms, told, network, restarts)
        self.past = looked(self.past, seen)
        verdict = judge(self.trial, self.past, seen, 60_000, LIMITS)
        self.now_ms += MINUTE_MS // 2
        return verdict

    def until_over(self, told: dict[str, Any] | None, *, network: bool = True) -> Verdict:
        while (verdict := self.look(told, network=network)).step is Step.WAIT:
            assert self.now_ms < 3 * LIMITS.deadline_ms
        return verdict

    @property
    def minutes(self) -> int:
        return (self.now_ms - 60_000 - MINUTE_MS // 2) // MINUTE_MS


def delivering(run: Run, *changes: Change) -> Verdict:
    """A PUBACK, then an ack of the city in the same connection."""
    run.look(status(uplink(acked=1, city_acks=4), *changes))
    return run.look(status(uplink(acked=2, city_acks=5), *changes))


def test_a_node_that_commits_samples_and_delivers_is_kept() -> None:
    assert delivering(Run()).step is Step.KEEP


def test_an_ack_that_was_retained_from_before_proves_nothing() -> None:
    run = Run()
    run.look(status(uplink(city_acks=1)))  # it comes with the connection, before any PUBACK
    assert run.look(status(uplink(acked=3, city_acks=1))).step is Step.WAIT
    again = status(uplink(acked=3, city_acks=2, connections=2))  # and once more with the next
    assert run.look(again).step is Step.WAIT
    assert run.look(status(uplink(acked=4, city_acks=3, connections=2))).step is Step.KEEP


def test_where_the_broker_has_custody_its_word_is_enough() -> None:
    run = Run()
    assert run.look(status(uplink(acked=1))).step is Step.WAIT
    assert run.look(status(uplink(acked=1), spool(pruned_batches=1))).step is Step.KEEP


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (spool(commits=0), "nothing is committed"),
        (spool(degraded="the disk is full"), "the disk is full"),
        (sensor(1, state="lost"), "read before: dust"),
        (sensor(1, reads=0), "read before: dust"),
        (sensor(0, state="faulty"), "read before: air"),
    ],
)
def test_each_proof_that_is_lacking_is_waited_for_and_named(change: Change, why: str) -> None:
    verdict = delivering(Run(), change)
    assert verdict.step is Step.WAIT
    assert why in verdict.why


def test_a_sensor_that_did_not_work_before_is_not_waited_for() -> None:
    lost: Change = lambda made: made["buses"][0]["sensors"].append(  # noqa: E731 - as the others
        SENSOR | {"sensor": "old", "state": "lost"}
    )
    assert delivering(Run(), lost).step is Step.KEEP


def test_a_sensor_that_was_taken_out_of_the_configuration_is_not_waited_for() -> None:
    assert delivering(Run(), lambda made: made["buses"][0]["sensors"].pop()).step is Step.KEEP


def test_a_sensor_that_still_settles_works() -> None:
    assert delivering(Run(), sensor(0, state="settling")).step is Step.KEEP


def test_at_the_deadline_the_system_is_left_and_what_lacked_is_said() -> None:
    run = Run()
    verdict = run.until_over(status(sensor(0, state="lost")))
    assert (verdict.step, run.minutes) == (Step.LEAVE, 45)
    assert "air" in verdict.why


def test_a_daemon_that_never_answers_is_left_at_the_deadline() -> None:
    run = Run()
    verdict = run.until_over(None)
    assert (verdict.step, run.minutes) == (Step.LEAVE, 45)
    assert "does not answer" in verdict.why


def test_a_daemon_that_keeps_failing_is_not_waited_for_so_long() -> None:
    run = Run()
    assert run.look(None, restarts=4).step is Step.WAIT
    verdict = run.look(None, restarts=5)
    assert verdict.step is Step.LEAVE
    assert "5 times" in verdict.why


def test_a_daemon_is_not_kept_before_it_has_run_for_a_while_without_a_restart() -> None:
    run = Run()
    run.past = Past()
    verdict = delivering(run)
    assert (verdict.step, verdict.lacking) == (
        Step.WAIT, ("the daemon has run for less than 3 minutes",),
    )  # fmt: skip
    for _ in range(5):
        verdict = run.look(status(uplink(acked=2, city_acks=5)))
    assert (verdict.step, run.minutes) == (Step.KEEP, 3)  # looks have 30 s between them


def test_a_daemon_that_its_watchdog_kills_again_and_again_is_left_though_it_works_between() -> None:
    run = Run()
    for restarts in range(1, LIMITS.restarts):
        for acks in (1, 2, 3):
            told = status(uplink(acked=acks, city_acks=acks))
            assert run.look(told, restarts=restarts).step is Step.WAIT
    assert run.look(None, restarts=LIMITS.restarts).step is Step.LEAVE


def test_without_a_network_before_and_after_half_an_hour_is_enough_and_it_says_so() -> None:
    run = Run(UNLINKED)
    verdict = run.until_over(status(), network=False)
    assert (verdict.step, run.minutes) == (Step.KEEP, 30)
    assert "no network for 30 minutes" in verdict.why


def test_a_network_that_comes_begins_the_half_hour_anew() -> None:
    run = Run(UNLINKED)
    for _ in range(40):
        run.look(status(), network=False)
    run.look(status(), network=True)
    verdict = run.until_over(status(), network=False)
    assert (verdict.step, run.minutes) == (Step.LEAVE, 45)


def test_a_network_that_was_there_before_the_update_must_be_there_after_it() -> None:
    run = Run()
    verdict = run.until_over(status(), network=False)
    assert (verdict.step, run.minutes) == (Step.LEAVE, 45)


def test_without_a_network_the_other_proofs_are_still_asked_for() -> None:
    run = Run(UNLINKED)
    assert run.until_over(status(spool(commits=0)), network=False).step is Step.LEAVE


def test_a_broker_that_refuses_is_no_network_that_is_missing() -> None:
    run = Run(UNLINKED)
    assert run.until_over(status(uplink(connected=False))).step is Step.LEAVE


def test_where_nobody_wrote_down_what_worked_one_sensor_will_do() -> None:
    run = Run(None)
    assert delivering(run, sensor(0, state="lost")).step is Step.KEEP
    run = Run(None)
    assert delivering(run, sensor(0, state="lost"), sensor(1, reads=0)).step is Step.WAIT


def test_where_nobody_wrote_down_whether_there_was_a_network_it_is_asked_for() -> None:
    assert Run(None).until_over(status(), network=False).step is Step.LEAVE


def test_a_node_without_sensors_needs_none() -> None:
    assert delivering(Run(None), lambda made: made["buses"].clear()).step is Step.KEEP


def test_before_the_uplink_is_started_nothing_is_delivered() -> None:
    verdict = Run().look(status(lambda made: made.update(uplink=None)))
    assert verdict.step is Step.WAIT
