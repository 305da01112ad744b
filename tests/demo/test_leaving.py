"""However the demo ends, nothing of it stays behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgenode.cli import main
from tests.support.ports import until


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_every_process_of_the_demo(tmp_path: Path, number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "edgenode", "demo", "--seconds", "10"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    until(lambda: len(children(process.pid)) == 4, "four processes of the demo")
    started = children(process.pid)
    process.send_signal(number)
    asked = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert time.monotonic() - asked < 20
    assert not [pid for pid in started if alive(pid)]
    assert not list(tmp_path.iterdir()), "its files are gone too"


def test_a_demo_that_is_too_short_for_its_play_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo", "--seconds", "3"]) == 1
    assert "too few" in capsys.readouterr().err
