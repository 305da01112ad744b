"""Each finding can be provoked, stands alone, and says why, what to do, and by which command."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edgenode.cli import VERBS
from edgenode.cli.findings import headline, lines
from edgenode.commission import check_machine, check_road, check_sensors
from edgenode.commission.checks import judged
from edgenode.commission.evidence import Evidence, Measured
from edgenode.commission.finding import FIX, PASS, Finding, verdict
from tests.commission.cases import AIR, SENSORS, WELL, Case, cases, heat, seen, well, with_air
from tests.support.documents import STATUS

CASES = list(cases())
MODULES = (check_machine, check_road, check_sensors)
# What Debian has on every machine with systemd: coreutils, systemd, util-linux.
UNITS = Path(__file__).parents[2] / "systemd"
SYSTEM = {"du", "systemctl", "timedatectl", "dmesg"}


def found(evidence: Evidence) -> dict[str, Finding]:
    return {finding.key: finding for finding in judged(evidence)}


def test_a_node_with_which_everything_is_well_passes_without_a_word() -> None:
    assert judged(WELL) == []
    assert verdict([]) == PASS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_amiss_is_found_and_nothing_else(case: Case) -> None:
    keys = found(case.evidence)
    assert case.key in keys
    assert keys[case.key].note is case.note
    assert verdict(keys.values()) == (PASS if case.note else FIX)
    assert {key for key, finding in keys.items() if not finding.note} <= {case.key, "daemon"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_finding_has_a_reason_a_remedy_and_a_command_that_exists(case: Case) -> None:
    for finding in judged(case.evidence):
        assert finding.what
        assert finding.reason
        assert finding.remedy
        runs(finding.command)
        for verb in re.findall(r"\bedgenode (\w+)", f"{finding.reason} {finding.remedy}"):
            assert verb in VERBS


def runs(command: str) -> None:
    """Fail unless it could be typed as it stands."""
    words = shlex.split(command.removeprefix("sudo "))
    if words[0] != "edgenode":
        assert words[0] in SYSTEM
        units = {word.removesuffix(".service") for word in words if word.startswith("edgenode")}
        assert units <= {path.stem for path in UNITS.glob("*.service")}
        return
    parser = argparse.ArgumentParser()
    import_module(VERBS[words[1]].module).register(parser)
    parser.parse_args(words[2:])


def made_in(module: ModuleType) -> Iterator[tuple[str, int]]:
    """Yield each place of a module where a finding is made."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
            yield module.__name__, node.lineno


def test_no_finding_is_left_that_no_case_provokes(monkeypatch: pytest.MonkeyPatch) -> None:
    provoked = set()

    def noted(*given: Any, **named: Any) -> Finding:
        frame = sys._getframe(1)  # who makes the finding
        provoked.add((frame.f_globals["__name__"], frame.f_lineno))
        return Finding(*given, **named)

    for module in MODULES:
        monkeypatch.setattr(module, "Finding", noted)
    for case in CASES:
        judged(case.evidence)
    every = {place for module in MODULES for place in made_in(module)}
    assert len(every) > 30
    assert every - provoked == set()


def test_what_explains_most_is_fixed_first_and_notes_come_last() -> None:
    evidence = replace(
        with_air(state="lost", reason="no-answer"),
        machine={"supply_low": 1},
        warnings=("a note",),
        delivery=None,
        status=STATUS | {"clock": "none", "clock_err_ms": None},
    )
    keys = [finding.key for finding in judged(evidence)]
    assert keys == ["supply", "sensor air", "clock", "warning 1"]


def test_what_a_check_has_said_the_daemon_need_not_say_again() -> None:
    problem = {"key": "sensor air", "what": "lost", "advice": "plug", "since_s": 1}
    evidence = replace(
        with_air(state="lost", reason="no-answer"), status=STATUS | {"problems": [problem]}
    )
    assert [finding.what for finding in judged(evidence)] == ["sensor air on bus i2c1: no-answer"]


def test_twins_may_differ_by_both_their_accuracies_and_no_more() -> None:
    assert "twin air/temperature" not in found(with_air(heat("air", 12.19)))
    assert "twin air/temperature" in found(with_air(heat("air", 12.21)))


def test_the_tolerance_of_the_file_comes_before_that_of_datasheets() -> None:
    twin = heat("air", 12.5, twin="shade/temperature", tolerance=3.0)
    assert found(with_air(twin)) == {}


def test_a_calibration_that_states_its_uncertainty_comes_before_the_datasheet() -> None:
    assert "twin air/temperature" in found(with_air(heat("air", 11.0, uncertainty=0.1)))


def test_parts_of_which_nobody_states_the_accuracy_are_not_called_wrong() -> None:
    unknown = seen("air", "home-made", heat("air", 30.0))
    assert found(well(sensors=(unknown, *SENSORS[1:]))) == {}


def test_what_is_doubted_already_is_no_judge_of_its_twin() -> None:
    assert set(found(with_air(heat("air", 25.0, "settling")))) == {"channel air/temperature"}


def test_of_three_only_the_odd_one_is_named() -> None:
    third = seen("roof", "TMP117", heat("roof", 10.6))
    evidence = well(sensors=(*with_air(heat("air", 13.0)).sensors, third))
    assert set(found(evidence)) == {"twin air/temperature"}


def test_where_a_receiver_knows_the_altitude_pressure_is_held_against_it() -> None:
    up = seen("gnss", "NMEA GNSS", Measured("gnss/altitude", "m", "", 1_600.0, "ok"))
    evidence = well(sensors=(*SENSORS, up))
    assert set(found(evidence)) == {"plausible air/pressure"}


def test_a_unit_that_is_not_the_expected_one_is_not_judged() -> None:
    fahrenheit = Measured("air/temperature", "degF", AIR, 70.0, "ok")
    assert found(with_air(fahrenheit)) == {}


def test_what_a_board_does_not_have_is_no_fault() -> None:
    assert "channel node/wifi_signal" not in found(WELL)


def test_a_persons_page_numbers_what_to_fix_and_names_each_command() -> None:
    text = "\n".join(lines(judged(with_air(state="lost", reason="no-answer"))))
    assert text.startswith("1. sensor air on bus i2c1: no-answer\n   why  ")
    assert "edgenode read air" in text
    assert headline([]) == "PASS"
