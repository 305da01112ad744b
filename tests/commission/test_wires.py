"""Wires that no [[bus]] names are looked at; those of the daemon are left to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from edgenode.commission import wires
from edgenode.commission.evidence import Stranger
from edgenode.config import Config, load
from edgenode.scan.found import Seen, Surveyed, Wire
from tests.support.disclosed import text

FOUND = Surveyed(Wire("serial", "/dev/ttyUSB0"), (Seen("9600 8N1", "PMS5003", "pms5003"),))
DEAD = Surveyed(Wire("i2c", "/dev/i2c-3"), problem="busy")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    file = tmp_path / "node.toml"
    file.write_text(text(site=""), encoding="utf-8")
    return load(file)


def test_what_the_daemon_holds_is_not_looked_at_under_any_of_its_names(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = config.buses[0].path
    other_name = tmp_path / "by-id"
    other_name.symlink_to(held)
    there = [
        Wire("i2c", held), Wire("i2c", str(other_name)), Wire("i2c", "/dev/i2c-93"),
        Wire("gpio", "/dev/gpiochip93"), Wire("sysfs", "/"),
    ]  # fmt: skip
    monkeypatch.setattr(wires, "wires", lambda: there)
    assert wires.free_wires(config) == [Wire("i2c", "/dev/i2c-93")]


def test_what_stands_there_is_told_and_what_could_not_be_looked_at(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wires, "wires", list)
    monkeypatch.setattr(wires, "survey", lambda *_: iter([FOUND, DEAD]))
    assert wires.Look(config, 5).result() == (
        (Stranger("/dev/ttyUSB0", "9600 8N1 PMS5003", "pms5003"),),
        ("/dev/i2c-3: busy",),
    )


def test_a_survey_that_takes_too_long_is_stopped(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(_: Sequence[Wire], stop: threading.Event) -> Iterator[Surveyed]:
        assert stop.wait(10)
        yield FOUND

    monkeypatch.setattr(wires, "wires", list)
    monkeypatch.setattr(wires, "survey", endless)
    began = time.monotonic()
    assert wires.Look(config, 0.05).result()[0]
    assert time.monotonic() - began < 5
