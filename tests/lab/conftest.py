"""One boot for every claim of the lab: what the guest found, and what a city would have of it."""

from __future__ import annotations

import fcntl
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import machine

Step = Callable[[str], Any]


@pytest.fixture(scope="session")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The share of a guest that has done its job; several workers of pytest-xdist boot once."""
    root = tmp_path_factory.getbasetemp()
    if root.name.startswith("popen-"):  # one of several workers
        root = root.parent
    job = root / "lab"
    with (root / "lab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not job.exists():
            job.mkdir()
            machine.run(job)
    assert (job / "findings.json").exists(), machine.told(job)
    return job


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
