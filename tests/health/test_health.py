from edgenode.health import Condition, Duty, Health, Watch

LOST = Condition("sensor a lost", "a does not answer", "look at its plug")


class Worker:
    """Counts, and says whether there is work."""

    def __init__(self) -> None:
        self.count = 0
        self.due = True

    def duty(self, *, restart: bool = True) -> Duty:
        return Duty(
            "spool", lambda: self.count, lambda: self.due, 10_000, "look at the disk", restart
        )


def test_a_node_without_conditions_is_well() -> None:
    verdict = Watch([], 1_000).look([], 2_000)
    assert (verdict.health, verdict.since_ms, verdict.problems) == (Health.WELL, 1_000, ())


def test_a_condition_degrades_and_remembers_since_when() -> None:
    watch = Watch([], 0)
    watch.look([LOST], 5_000)
    verdict = watch.look([LOST], 9_000)
    assert (verdict.health, verdict.since_ms) == (Health.DEGRADED, 5_000)
    assert verdict.problems[0].since_ms == 5_000


def test_a_condition_that_ended_is_forgotten_and_begins_anew() -> None:
    watch = Watch([], 0)
    watch.look([LOST], 5_000)
    assert watch.look([], 6_000).health is Health.WELL
    assert watch.look([LOST], 7_000).problems[0].since_ms == 7_000


def test_a_second_condition_does_not_restart_the_clock_of_the_first() -> None:
    watch = Watch([], 0)
    watch.look([LOST], 5_000)
    verdict = watch.look([LOST, LOST._replace(key="sensor b lost")], 8_000)
    assert [problem.since_ms for problem in verdict.problems] == [5_000, 8_000]
    assert verdict.since_ms == 5_000


def test_work_that_is_due_and_does_not_get_done_is_a_stall() -> None:
    worker = Worker()
    watch = Watch([worker.duty()], 0)
    assert watch.look([], 1_000).health is Health.WELL
    assert watch.look([], 11_000).health is Health.WELL
    verdict = watch.look([], 11_001)
    assert verdict.health is Health.STALLED
    assert verdict.problems[0].condition.what.startswith("spool has made no progress")


def test_progress_keeps_a_duty_well_and_ends_a_stall() -> None:
    worker = Worker()
    watch = Watch([worker.duty()], 0)
    watch.look([], 1_000)
    assert watch.look([], 20_000).health is Health.STALLED
    worker.count += 1
    assert watch.look([], 21_000).health is Health.WELL


def test_idleness_without_work_is_no_stall() -> None:
    worker = Worker()
    worker.due = False
    watch = Watch([worker.duty()], 0)
    watch.look([], 1_000)
    assert watch.look([], 100_000).health is Health.WELL
    worker.due = True
    assert watch.look([], 105_000).health is Health.WELL, "the limit runs from when it was due"


def test_a_stall_that_no_restart_cures_only_degrades() -> None:
    worker = Worker()
    watch = Watch([worker.duty(restart=False)], 0)
    watch.look([], 0)
    assert watch.look([], 60_000).health is Health.DEGRADED
