"""The gate as it runs: what it asks, writes down and marks, by a clock that is played."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgenode import __version__
from edgenode.errors import NodeError
from edgenode.spool.confirmed import confirmed
from edgenode.update import record
from edgenode.update.confirm import Around, gate
from edgenode.update.record import Trial
from edgenode.update.slots import Slot, Slots
from tests.support.clock import FakeClock
from tests.support.documents import STATUS


class Marks:
    """RAUC as far as the gate needs it."""

    def __init__(self, *, trying: bool = True) -> None:
        self.done: list[str] = []
        self.refuses = False
        self.starting = 0  # so many questions are asked in vain
        self.busy = 0  # so many marks are refused
        self.trying = trying

    def slots(self) -> Slots:
        self.starting -= 1
        if self.starting >= 0:
            raise NodeError("no service yet")
        b, a = Slot("B", not self.trying, "9.0"), Slot("A", True)
        return Slots("edgenode-arm64", b, a, "A" if self.trying else "B")

    def mark_good(self) -> None:
        self.busy -= 1
        if self.busy >= 0:
            raise NodeError("busy")
        self.done.append("good")

    def mark_bad(self, which: str) -> None:
        if self.refuses:
            raise NodeError("no")
        self.done.append(f"bad {which}")


class Node:
    """What the gate looks at; every pause is five seconds of a played clock."""

    def __init__(self, state: Path, *, trying: bool = True) -> None:
        self.state, self.clock, self.marks = state, FakeClock(), Marks(trying=trying)
        self.status: dict[str, Any] | None = copy.deepcopy(STATUS)
        self.delivers = True
        self.network, self.restarts, self.stop_after = True, 0, 100_000
        self.refusals = 0  # so many questions to the daemon are refused
        self.said: list[str] = []

    def pause(self, seconds: float) -> bool:
        self.clock.advance(round(seconds * 1000))
        self.stop_after -= 1
        if self.delivers and self.status:
            self.status["uplink"]["city_acks"] += 1
        return self.stop_after <= 0

    def asked(self) -> Mapping[str, Any] | None:
        self.refusals -= 1
        if self.refusals >= 0:
            raise NodeError("not ready yet")
        return self.status

    def gate(self) -> bool:
        return gate(
            Around(
                self.marks, self.state, self.clock, self.asked, lambda: self.network,
                lambda: self.restarts, self.pause, self.said.append,
            )
        )  # fmt: skip

    def trial(self) -> Trial:
        known = record.load(self.state)
        assert known
        return known


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path)
    trial = Trial(
        record.ARMED, "9.0", "B", "1.0", ("air",), True, node.clock.utc_ms(), node.clock.boot_id()
    )
    record.save(tmp_path, trial)
    node.clock.reboot()
    return node


def test_a_system_that_proves_good_is_marked_and_the_spool_may_change(node: Node) -> None:
    assert node.gate()
    assert node.marks.done == ["good"]
    assert confirmed(node.state, __version__)
    assert (node.trial().stage, node.trial().began_boot) == (record.GOOD, "boot-1")


def test_one_that_does_not_is_marked_bad_and_left_with_what_it_lacked(node: Node) -> None:
    node.delivers = False
    assert not node.gate()
    assert node.marks.done == ["bad booted"]
    assert node.trial().lacking == ("no batch has arrived yet",)
    assert node.clock.boot_ms() == pytest.approx(45 * 60_000, abs=5_000)
    assert "not good" in node.said[-1]


def test_a_gate_that_is_started_anew_has_the_same_deadline(node: Node) -> None:
    node.delivers, node.stop_after = False, 120  # ten minutes
    assert not node.gate()
    assert node.marks.done == []
    node.stop_after = 100_000
    assert not node.gate()
    assert node.clock.boot_ms() == pytest.approx(45 * 60_000, abs=5_000)


def test_that_the_daemon_keeps_failing_ends_it_at_once(node: Node) -> None:
    node.status, node.restarts = None, 7
    assert not node.gate()
    assert node.clock.boot_ms() == 0


def test_a_rauc_that_refuses_the_mark_changes_no_verdict(node: Node) -> None:
    node.status, node.restarts, node.marks.refuses = None, 7, True
    assert not node.gate()


def test_a_rauc_that_is_still_starting_is_waited_for_but_not_for_ever(node: Node) -> None:
    node.marks.starting = 5
    assert node.gate()
    node.marks.starting = 1_000
    with pytest.raises(NodeError, match="no service yet"):
        node.gate()


def test_a_rauc_that_is_busy_just_then_costs_no_good_system(node: Node) -> None:
    node.marks.busy = 5
    assert node.gate()
    assert node.marks.done == ["good"]
    assert node.trial().stage == record.GOOD


def test_a_daemon_that_refuses_to_answer_yet_is_asked_again(node: Node) -> None:
    node.refusals = 3
    assert node.gate()
    assert node.clock.boot_ms() < 4 * 60_000


def test_who_is_told_to_leave_while_rauc_is_starting_leaves_without_a_verdict(node: Node) -> None:
    node.marks.starting, node.stop_after = 1_000, 2
    assert not node.gate()
    assert node.marks.done == []
    assert node.said[-1] == "told to leave before anything was decided"


def test_what_is_waited_for_is_said_when_it_changes_and_not_each_time(node: Node) -> None:
    node.delivers = False
    node.gate()
    assert len(node.said) == 3  # the daemon runs for long enough; then it is over


def test_back_in_the_old_system_the_other_one_is_marked_bad_once(tmp_path: Path) -> None:
    node = Node(tmp_path, trying=False)
    told = Trial(record.ARMED, "9.0", "A", "1.0", (), True, 0, node.clock.boot_id())
    record.save(tmp_path, told)
    node.clock.reboot()
    assert node.gate()
    assert node.gate()
    assert node.marks.done == ["bad other"]
    assert node.trial().stage == record.RETURNED
    assert "never started" in node.trial().why


def test_a_try_that_ran_and_fell_back_says_what_it_lacked(tmp_path: Path) -> None:
    node = Node(tmp_path, trying=False)
    told = Trial(record.TRYING, "9.0", "A", "1.0", (), True, 0, "boot-0")
    record.save(tmp_path, replace(told, began_boot="boot-0", lacking=("no air",)))
    node.clock.reboot()
    assert node.gate()
    assert "no air" in node.trial().why


def test_what_is_installed_and_not_yet_tried_is_left_alone(tmp_path: Path) -> None:
    node = Node(tmp_path, trying=False)
    record.save(tmp_path, Trial(record.ARMED, "9.0", "A", "1.0", (), True, 0, "boot-0"))
    assert node.gate()
    assert node.marks.done == []
    assert node.trial().stage == record.ARMED


def test_a_cut_between_mark_and_note_is_made_good_at_the_next_boot(tmp_path: Path) -> None:
    node = Node(tmp_path, trying=False)
    record.save(tmp_path, Trial(record.TRYING, "9.0", "B", "1.0", (), True, 0, "boot-0"))
    node.clock.reboot()
    assert node.gate()
    assert node.marks.done == []
    assert node.trial().stage == record.GOOD
    assert confirmed(tmp_path, __version__)


def test_a_system_that_nobody_installed_by_us_is_judged_too(tmp_path: Path) -> None:
    node = Node(tmp_path)
    assert node.gate()
    assert node.marks.done == ["good"]
    assert record.load(tmp_path) is None


def test_a_state_directory_that_cannot_be_written_ends_no_gate(tmp_path: Path) -> None:
    node = Node(tmp_path)
    (tmp_path / "update").write_text("a file where a directory should be")
    assert node.gate()
    assert node.marks.done == ["good"]
