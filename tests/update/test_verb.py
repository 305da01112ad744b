"""`edgenode update` as somebody types it, over Debian's RAUC and a daemon that answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.cli.update import document, text
from edgenode.update import record
from edgenode.update.record import Trial
from edgenode.update.slots import Slot, Slots
from tests.support.documents import Played, played
from tests.update.conftest import Releases
from tests.update.machine import Machine

ROOT = Path(__file__).parents[2]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Played]:
    with played(tmp_path) as served:
        yield served


def typed(machine: Machine, daemon: Played, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (
            sys.executable, "-m", "edgenode", "update", *words,
            "--state", machine.state, "--socket", daemon.path,
        ),
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=60,
        env={**os.environ, "TZ": "UTC"},
    )  # fmt: skip


def asked(machine: Machine) -> list[str]:
    """Return what systemctl was told."""
    return machine.asked.read_text().splitlines() if machine.asked.exists() else []


@pytest.mark.root
def test_an_update_from_the_command_to_the_try_and_back(
    machine: Machine, releases: Releases, daemon: Played
) -> None:
    with machine.booted():
        done = typed(machine, daemon, "install", str(releases.newer))
        assert (done.returncode, asked(machine)) == (0, ["reboot --reboot-argument=0 tryboot"])
        assert "kept only if the node proves well" in done.stdout
        again = json.loads(typed(machine, daemon, "status", "--json").stdout)
        assert (again["next"], again["update"]["stage"]) == ("B", "armed")
        assert again["update"]["sensors"] == ["air"]
    with machine.booted(tryboot=True):
        daemon.status["buses"][0]["sensors"][0]["state"] = "lost"
        done = typed(machine, daemon, "confirm", "--deadline", "1s")
        assert done.returncode == 1
        assert "air" in done.stdout
    with machine.booted():
        assert typed(machine, daemon, "confirm").returncode == 0
        done = typed(machine, daemon, "status")
        assert "slot A: runs, good" in done.stdout
        assert "slot B: not good: 9.0" in done.stdout


@pytest.mark.root
def test_an_update_is_refused_where_the_spool_is_not_well_or_nobody_answers(
    machine: Machine, releases: Releases, daemon: Played
) -> None:
    with machine.booted():
        daemon.status["spool"]["degraded"] = "the disk is full"
        done = typed(machine, daemon, "install", str(releases.newer))
        assert (done.returncode, asked(machine)) == (1, [])
        assert "the disk is full" in done.stderr
        daemon.path = daemon.path.with_name("nobody")
        done = typed(machine, daemon, "install", str(releases.newer))
        assert done.returncode == 1
        assert "does not answer" in done.stderr
        done = typed(machine, daemon, "install", "http://localhost/bundle")
        assert done.returncode == 1
    assert record.load(machine.state) is None


@pytest.mark.root
def test_who_does_not_want_to_reboot_is_told_how_to_later(
    machine: Machine, releases: Releases, daemon: Played
) -> None:
    with machine.booted():
        done = typed(machine, daemon, "install", str(releases.newer), "--no-reboot")
        assert (done.returncode, asked(machine)) == (0, [])
        assert "systemctl reboot --reboot-argument='0 tryboot'" in done.stdout
        done = typed(machine, daemon, "rollback")
        assert (done.returncode, asked(machine)) == (0, [])
        assert "not tried" in done.stdout
        assert json.loads(typed(machine, daemon, "status", "--json").stdout)["next"] == "A"
    with machine.booted():
        done = typed(machine, daemon, "rollback")
        assert done.returncode == 1
        assert "nothing that has proved good" in done.stderr


@pytest.mark.root
def test_a_system_that_is_given_up_is_left_by_a_plain_reboot(
    machine: Machine, releases: Releases, daemon: Played
) -> None:
    with machine.booted():
        typed(machine, daemon, "install", str(releases.newer), "--no-reboot")
    with machine.booted(tryboot=True):
        done = typed(machine, daemon, "rollback")
        assert (done.returncode, asked(machine)) == (0, ["reboot"])


TRIAL = Trial(
    record.TRYING, "9.0", "B", "1.0", ("air",), True, 1_795_000_000_000, "boot-0",
    "boot-1", 0, 1_795_000_060_000, ("no batch has arrived yet",),
)  # fmt: skip


def told(*, trying: bool, trial: Trial | None, left_ms: int | None = None) -> tuple[Any, str]:
    a, b = Slot("A", True, whole=True), Slot("B", not trying, "9.0", "2026-11-18T11:06:40Z")
    slots = Slots("edgenode-arm64", b, a, "A" if trying else "B")
    made = document(slots, trial, left_ms)
    return made, "\n".join(text(made))


def test_what_is_being_tried_is_told_with_what_it_waits_for_and_until_when() -> None:
    _, words = told(trying=True, trial=TRIAL, left_ms=1_800_000)
    assert "slot B is being tried, for 30 min more" in words
    assert "waits: no batch has arrived yet" in words
    assert "slot A comes back at the next reboot" in words


def test_how_the_last_update_ended_is_told() -> None:
    ended = TRIAL.ended(record.RETURNED, "it ran and did not prove good", 1_795_000_120_000)
    _, words = told(trying=False, trial=ended)
    assert "returned" in words
    assert "it ran and did not prove good" in words


def test_without_any_update_the_two_systems_are_told() -> None:
    made, words = told(trying=False, trial=None)
    assert made["update"] is None
    assert "slot A: good: as flashed" in words


def test_every_field_is_documented() -> None:
    ended = TRIAL.ended(record.RETURNED, "why", 1)
    made, _ = told(trying=True, trial=ended, left_ms=1)
    section = (ROOT / "docs/cli.md").read_text("utf-8").split("## `edgenode update ")[1]
    section = section.split("\n## ")[0]
    for field in (*made, *made["slots"][0], *made["update"]):
        assert f"`{field}" in section, field
