"""Our GPIO code on a real kernel: what it makes of our requests, and we of its edges."""

from __future__ import annotations

import pytest

from tests.lab.conftest import Step
from tests.lab.pins import DEBOUNCE_US, PULSES

pytestmark = [pytest.mark.root, pytest.mark.timeout(400)]
BIAS = {
    "as-is": "UNKNOWN",
    "disabled": "DISABLED",
    "pull-up": "PULL_UP",
    "pull-down": "PULL_DOWN",
}


def test_the_kernel_takes_every_edge_and_bias_as_it_was_meant(step: Step) -> None:
    requests = step("pins")["requests"]
    assert len(requests) == 12
    for request in requests:
        edge, bias = request["asked"]
        assert request["info"] == {
            "edge": edge.upper(),
            "bias": BIAS[bias],
            "consumer": "edgenode",
            "debounce_us": DEBOUNCE_US,
            "input": "INPUT",
        }


def test_pulses_are_counted_exactly_while_nobody_reads(step: Step) -> None:
    unread = step("pins")["unread"]
    assert unread["pulses"] > PULSES
    assert unread["edges"] == 2 * unread["pulses"]
    assert unread["missed"] == unread["edges"] - unread["read"] > 0


def test_edges_are_stamped_with_boot_time_in_their_order(step: Step) -> None:
    unread = step("pins")["unread"]
    assert unread["ordered"]
    assert unread["within"]


def test_libgpiod_sees_the_same_edges_with_the_same_numbers(step: Step) -> None:
    found = step("pins")["beside_gpiod"]
    assert found["ours"] == found["theirs"] == [[True, 1], [False, 2], [True, 3], [False, 4]]


def test_a_contact_that_chatters_is_one_edge_where_the_kernel_debounces(step: Step) -> None:
    assert step("pins")["debounced"] == {"ids": [1], "level": True}


def test_states_follow_the_line_in_both_polarities(step: Step) -> None:
    high, low = step("pins")["states"]
    assert high == [False, [True, False, True], 0, True]
    assert low == [True, [False, True, False], 0, False]


def test_lines_that_we_drive_have_our_level_on_the_wire(step: Step) -> None:
    outputs = step("pins")["outputs"]
    assert outputs["seen"] == [True, False, False, True]  # active-high, then active-low
    assert outputs["lit"] is True
    assert outputs["after"] is False


def test_a_line_in_use_is_refused_in_words(step: Step) -> None:
    assert "another program holds this line" in step("pins")["taken"]


def test_a_chip_that_is_unplugged_ends_its_lines_and_counts_again_once_it_is_back(
    step: Step,
) -> None:
    gone = step("pins")["gone"]
    assert "is the chip gone?" in gone["read"]
    assert "is the chip gone?" in gone["level"]
    assert "No such file" in gone["opened"]
    assert gone["counted"] == 2
    assert gone["left"] == []
