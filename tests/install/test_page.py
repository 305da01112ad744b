"""docs/install.md is short, and each of its steps can be done and judged."""

from __future__ import annotations

import pytest

from tests.install.page import Step, steps

STEPS = steps()
MOST = 12


def test_there_are_at_most_twelve_steps_in_their_order() -> None:
    assert [step.number for step in STEPS] == list(range(1, len(STEPS) + 1))
    assert 1 < len(STEPS) <= MOST


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"step {step.number}")
def test_each_step_has_a_command_or_a_movement_of_the_hand(step: Step) -> None:
    assert step.commands or step.by_hand


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"step {step.number}")
def test_each_step_says_what_one_sees_and_what_it_means_otherwise(step: Step) -> None:
    assert step.bullet("You see")
    assert step.bullet("If not")
