"""The shipped unit, judged by systemd itself (Debian package: systemd)."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "systemd" / "edgenode.service"
EXPOSURE = 17  # tenths; systemd's own services reach 20 to 80


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists on every machine in place of the installed one."""
    assert shutil.which("systemd-analyze"), "install the Debian package systemd"
    copy = tmp_path / "edgenode.service"
    copy.write_text(UNIT.read_text().replace("/usr/bin/edgenode", "/bin/true"))
    return copy


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, check=False
    )


def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    done = analyze("verify", str(unit))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_unit_exposes_little(unit: Path) -> None:
    done = analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", str(unit))
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_the_unit_never_waits_for_a_network() -> None:
    assert "network" not in [line.split("=")[0].lower() for line in UNIT.read_text().splitlines()]
    assert "network-online.target" not in UNIT.read_text()


def test_the_kernels_clock_can_still_be_asked_for_its_error() -> None:
    """ProtectClock= would refuse adjtimex, and then no reading could ever get a time."""
    settings = [line for line in UNIT.read_text().splitlines() if not line.startswith("#")]
    assert settings.index("SystemCallFilter=~@privileged @resources") < settings.index(
        "SystemCallFilter=adjtimex clock_adjtime"
    )
    assert "ProtectClock=yes" not in settings
