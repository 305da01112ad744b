"""Two boots for every claim of the lab: what the guests found, and what a city would have of it."""

from __future__ import annotations

import fcntl
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.lab import machine, manager

Step = Callable[[str], Any]
LAB, UNIT = "lab", "unit"  # directories of the guests
BOOTS: Mapping[str, Callable[[Path], None]] = {LAB: machine.run, UNIT: manager.run}


def booted(factory: pytest.TempPathFactory, name: str) -> Path:
    """Return the share of a guest that has done its job; several workers of xdist boot once."""
    root = factory.getbasetemp()
    if root.name.startswith("popen-"):  # one of several workers
        root = root.parent
    job = root / name
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not job.exists():
            job.mkdir()
            BOOTS[name](job)
    assert (job / "findings.json").exists(), machine.told(job)
    return job


@pytest.fixture(scope="session", autouse=True)
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Boot both at once where both are wanted: each has one processor."""
    here = Path(__file__).parent
    files = {item.path.name for item in request.session.items if item.path.parent == here}
    if "test_unit.py" not in files or len(files) == 1:
        yield
        return
    tmp_path_factory.getbasetemp()  # makes it, which only one thread may
    thread = threading.Thread(target=_tried, args=(tmp_path_factory, UNIT), name="boot")
    thread.start()
    yield
    thread.join()


def _tried(factory: pytest.TempPathFactory, name: str) -> None:
    with suppress(AssertionError):  # whoever wants it fails by it
        booted(factory, name)


@pytest.fixture(scope="session")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The share of the guest that has no systemd."""
    return booted(tmp_path_factory, LAB)


@pytest.fixture(scope="session")
def step(job: Path) -> Step:
    """What one step of the guest found; fails where the step did."""
    findings = json.loads((job / "findings.json").read_text())

    def found(name: str) -> Any:
        assert "failed" not in findings[name], findings[name]["failed"] + machine.told(job)
        return findings[name]

    return found


@pytest.fixture(scope="session")
def city(job: Path, step: Step, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    """The table of a City OS that was given the spool of the guest's daemon."""
    step("street")
    path = tmp_path_factory.mktemp("city") / "city.sqlite"
    words = ["cityos", "import", str(job / "export"), "--db", str(path)]
    subprocess.run([sys.executable, "-m", "edgenode", *words], check=True, capture_output=True)
    with sqlite3.connect(path) as db:
        yield Rows(db)
    db.close()


class Rows:
    """Readings and events of the guest's daemon; times are its boot-time in ms."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def of(self, channel: str, since: int = 0, until: int = 1 << 62) -> list[tuple[int, Any, int]]:
        """Return (time, value, quality) of a channel, oldest first."""
        return self._db.execute(
            "SELECT mono, value, quality FROM reading WHERE channel = ? AND mono >= ? AND mono < ?"
            " ORDER BY mono",
            (channel, since, until),
        ).fetchall()

    def events(self, code: int) -> list[tuple[int, str, str]]:
        """Return (time, channel, value as text) of events of a kind, oldest first."""
        return self._db.execute(
            "SELECT mono, channel, value FROM event WHERE code = ? ORDER BY mono", (int(code),)
        ).fetchall()
