"""The shipped units, judged by systemd itself (Debian package: systemd)."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
UNIT = UNITS / "edgenode.service"
EXPOSURE = 15  # tenths, of the daemon; systemd's own services reach 20 to 80
BESIDE = {"edgenode-clock": 15, "edgenode-clock-state": 10, "edgenode-journal": 10}
SCRIPTS = ("clock-state", "keep-warnings")


def copied(name: str, directory: Path) -> Path:
    """Return a unit with a program that exists on every machine in place of the installed one."""
    assert shutil.which("systemd-analyze"), "install the Debian package systemd"
    lines = (UNITS / f"{name}.service").read_text(encoding="utf-8").splitlines()
    changed = [f"{line.split('=')[0]}=/bin/true" if "=/usr/" in line else line for line in lines]
    copy = directory / f"{name}.service"
    copy.write_text("\n".join(changed) + "\n", encoding="utf-8")
    return copy


def settings(name: str) -> list[tuple[str, str]]:
    """Return what a unit says, line by line."""
    lines = (UNITS / f"{name}.service").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return [(key, value) for key, _, value in pairs]


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["edgenode", *BESIDE])
def test_systemd_finds_nothing_wrong_with_the_unit(name: str, tmp_path: Path) -> None:
    for each in ("edgenode", *BESIDE):
        copied(each, tmp_path)
    done = analyze("verify", str(tmp_path / f"{name}.service"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("name", "most"), [("edgenode", EXPOSURE), *BESIDE.items()])
def test_the_unit_exposes_little(name: str, most: int, tmp_path: Path) -> None:
    done = analyze("security", "--offline=yes", f"--threshold={most}", str(copied(name, tmp_path)))
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_a_unit_that_exposes_more_does_not_pass(tmp_path: Path) -> None:
    copy = copied("edgenode", tmp_path)
    text = copy.read_text(encoding="utf-8")
    copy.write_text(text.replace("ProtectClock=yes\n", "").replace("ProtectSystem=strict\n", ""))
    done = analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", str(copy))
    assert done.returncode != 0


def test_the_unit_never_waits_for_a_network() -> None:
    for name in ("edgenode", *BESIDE):
        for key, value in settings(name):
            assert "network" not in f"{key} {value}".lower() or key == "PrivateNetwork"


def test_the_daemon_is_ready_when_it_says_so_and_fed_while_it_works() -> None:
    unit = dict(settings("edgenode"))
    assert (unit["Type"], unit["NotifyAccess"]) == ("notify", "main")
    assert unit["WatchdogSec"] == "60"
    assert (unit["User"], unit["Group"], "DynamicUser" in unit) == ("edgenode", "edgenode", False)


def test_the_clock_is_stepped_before_whatever_asks_for_the_time() -> None:
    before = [
        word
        for key, value in settings("edgenode-clock")
        if key == "Before"
        for word in value.split()
    ]
    wanted = {"systemd-timesyncd.service", "chrony.service", "time-set.target", "sysinit.target"}
    assert wanted | {"edgenode.service", "edgenode-firstboot.service"} <= set(before)


def test_only_the_one_that_sets_the_clock_has_a_capability_and_no_other() -> None:
    for name in ("edgenode", *BESIDE):
        unit = dict(settings(name))
        given = "CAP_SYS_TIME" if name == "edgenode-clock" else ""
        assert unit["CapabilityBoundingSet"] == given
        assert unit.get("AmbientCapabilities", "") == given


@pytest.mark.parametrize("path", sorted(UNITS.glob("*.service")), ids=lambda path: path.stem)
def test_a_unit_that_sees_all_read_only_sees_run_so_too(path: Path) -> None:
    unit = dict(settings(path.stem))
    # ProtectSystem=strict leaves that writable (systemd 252), and with it the sockets of others.
    assert unit["ProtectSystem"] != "strict" or unit["ReadOnlyPaths"] == "/run"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_helper_is_a_program_that_a_shell_understands(name: str) -> None:
    script = UNITS / name
    assert script.stat().st_mode & 0o111
    assert shlex.split(script.read_text(encoding="utf-8").splitlines()[0]) == ["#!/bin/sh"]
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
