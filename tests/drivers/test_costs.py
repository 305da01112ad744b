"""The benchmark of drivers forgets none of them, and measures all that a read takes."""

import sys
from importlib.metadata import entry_points
from math import isfinite
from typing import Any

import pytest

from bench import __main__ as bench
from bench import drivers
from tests.drivers.proofs import all_proofs


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    found: dict[str, Any] = drivers.measure(reads=5)["driver_us"]
    return found


def test_every_installed_driver_is_measured(figures: dict[str, Any]) -> None:
    assert set(figures) == {point.name for point in entry_points(group="edgenode.drivers")}
    assert all(isfinite(one["reading"]) and one["read"] > 0 for one in figures.values())


def test_talkers_are_fed_with_all_that_arrives(figures: dict[str, Any]) -> None:
    assert figures["loop"]["feeds_a_read"] == 30, "15 vehicles a minute, each with two edges"
    assert figures["pulse"]["feeds_a_read"] == 3, "as often as the contact closes in a second"


def test_a_driver_that_nobody_measures_fails_the_benchmark(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    some = {name: proof for name, proof in all_proofs().items() if name != "pulse"}
    monkeypatch.setattr(drivers, "all_proofs", lambda: some)
    monkeypatch.setitem(bench.PARTS, "drivers", lambda _seconds: drivers.measure(reads=1))
    monkeypatch.setattr(sys, "argv", ["bench", "--only", "drivers"])
    assert bench.main() == 1
    assert "driver_us.pulse.error" in capsys.readouterr().err
